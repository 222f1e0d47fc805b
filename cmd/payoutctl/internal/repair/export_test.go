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
)

// Republish publishes the notifications of payouts to a bus, and returns their number.
func Republish(ctx context.Context, bus publisher.Bus, payouts iter.Seq2[dynamostore.Stored, error], notes io.Writer) (int, error) {
	s := &cli.Session{Streams: cli.Streams{Stderr: notes}, Now: time.Now}
	p := &republisher{Session: s, bus: bus, reason: "test", progress: s.StartProgress(), result: republished{Notifications: map[notification.Type]int{}}}
	err := p.publishAll(ctx, payouts)
	return p.result.total(), err
}
