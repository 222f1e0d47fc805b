package repair

import (
	"context"
	"io"
	"iter"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/ops/redrive"
)

// Republish publishes the notifications of payouts to a bus, and returns their number.
func Republish(ctx context.Context, bus publisher.Bus, payouts iter.Seq2[dynamostore.Stored, error], notes io.Writer) (int, error) {
	s := &cli.Session{Streams: cli.Streams{Stderr: notes}, Now: time.Now}
	p := &republisher{Session: s, bus: bus, progress: s.StartProgress(), result: republished{Reason: "test", Notifications: map[notification.Type]int{}}}
	err := p.publishAll(ctx, payouts)
	return p.result.total(), err
}

// CheckMissed returns the error of an export of messages that ended with the counts.
func CheckMissed(ids []string, done redrive.Progress) error {
	return (&dlqExport{MessageID: ids}).checkMissed(done)
}
