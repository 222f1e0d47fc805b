package repair

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/aws/smithy-go"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/notification"
)

// republisher publishes the notifications of payouts in batches.
type republisher struct {
	*cli.Session

	bus      publisher.Bus
	dryRun   bool
	reason   string
	pending  []notification.Notification
	result   republished
	progress func(format string, args ...any)
}

// batchSize is how many notifications are collected before they are published.
const batchSize = 100

func (p *republisher) publishAll(ctx context.Context, payouts iter.Seq2[dynamostore.Stored, error]) error {
	for stored, err := range payouts {
		p.result.Payouts++
		switch {
		case errors.Is(err, inbox.ErrDamagedPayout), errors.Is(err, inbox.ErrLaterVersion):
			p.result.Damaged++
			p.Notef("%s", cli.Clean(err.Error()))
		case err != nil:
			p.result.Payouts--
			return err
		default:
			p.add(stored)
		}
		if len(p.pending) == batchSize {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
		p.progress("%s read, %s published", cli.Count(p.result.Payouts, "payout"), cli.Count(p.result.total(), "notification"))
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	return p.result.damagedPayouts()
}

func (p *republisher) add(stored dynamostore.Stored) {
	n, ok := notification.FromRecord(stored.Record, stored.UpdatedAt)
	if !ok {
		p.result.Pending++
		return
	}
	n.Republished = p.reason
	p.pending = append(p.pending, n)
}

// EventBridge under load may reject single events of a request, which the SDK does
// not retry.
const (
	maxAttempts  = 6
	firstBackoff = 500 * time.Millisecond // doubling
)

// flush publishes the pending notifications.
func (p *republisher) flush(ctx context.Context) error {
	for attempt, wait := 1, firstBackoff; len(p.pending) > 0; attempt, wait = attempt+1, wait*2 {
		n, err := p.publish(ctx)
		for _, done := range p.pending[:n] {
			p.result.Notifications[done.Type]++
		}
		p.pending = p.pending[n:]
		var whole *smithy.OperationError
		switch {
		case err == nil:
		case errors.Is(err, notification.ErrUnpublishable):
			p.result.Damaged++
			p.Notef("%s", cli.Clean(err.Error()))
			p.pending = p.pending[1:]
		case errors.As(err, &whole) || attempt == maxAttempts:
			return p.stopped(err)
		default:
			if err := sleep(ctx, wait); err != nil {
				return p.stopped(err)
			}
		}
	}
	p.pending = nil
	return nil
}

func (p *republisher) publish(ctx context.Context) (int, error) {
	if p.dryRun {
		return len(p.pending), nil
	}
	return p.bus.Publish(ctx, p.pending)
}

// stopped adds to an error how to continue.
func (p *republisher) stopped(err error) error {
	problem := *cli.AsExitError(err)
	if problem.Hint != "" {
		problem.Hint += "\n  "
	}
	problem.Hint += "published notifications are counted above; start again with the same --since: duplicates are harmless"
	return &problem
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
