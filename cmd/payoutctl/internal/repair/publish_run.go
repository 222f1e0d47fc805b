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

// republisher publishes the notices of payouts, a hundred at a time.
type republisher struct {
	*cli.Session

	bus      publisher.Bus
	dryRun   bool
	reason   string
	waiting  []notification.Notification
	result   republished
	progress func(format string, args ...any)
}

// mostWaiting is how many notifications are collected for one request.
const mostWaiting = 100

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
		if len(p.waiting) == mostWaiting {
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
	n, item := notification.FromRecord(stored.Record, stored.UpdatedAt)
	if !item {
		p.result.OnTheWay++
		return
	}
	n.Republished = p.reason
	p.waiting = append(p.waiting, n)
}

// Of a request, single events may fail while EventBridge is under load, and the
// SDK does not try those again.
const (
	publishTries = 6
	publishWait  = 500 * time.Millisecond // doubling
)

// flush publishes what waits.
func (p *republisher) flush(ctx context.Context) error {
	for tries, wait := 1, publishWait; len(p.waiting) > 0; tries, wait = tries+1, wait*2 {
		n, err := p.publish(ctx)
		for _, done := range p.waiting[:n] {
			p.result.Notices[done.Type]++
		}
		p.waiting = p.waiting[n:]
		var whole *smithy.OperationError
		switch {
		case err == nil:
		case errors.Is(err, notification.ErrUnpublishable):
			p.result.Damaged++
			p.Notef("%s", cli.Clean(err.Error()))
			p.waiting = p.waiting[1:]
		case errors.As(err, &whole) || tries == publishTries:
			return p.stopped(err)
		default:
			if err := pause(ctx, wait); err != nil {
				return p.stopped(err)
			}
		}
	}
	p.waiting = nil
	return nil
}

func (p *republisher) publish(ctx context.Context) (int, error) {
	if p.dryRun {
		return len(p.waiting), nil
	}
	return p.bus.Publish(ctx, p.waiting)
}

// stopped says what a failure in the middle leaves.
func (p *republisher) stopped(err error) error {
	item := *cli.AsProblem(err)
	if item.Hint != "" {
		item.Hint += "\n  "
	}
	item.Hint += "what was published is counted above; begin anew with the same --since: who was told twice acts once"
	return &item
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
