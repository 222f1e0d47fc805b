package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Swept is what one run of Sweep found and did.
type Swept struct {
	Due       int           // receipts found due
	Sent      int           // of those, sent again by this run
	Adopted   int           // dead letters that are in the store now, and no longer in the queue
	Foreign   int           // dead letters that are not ours to read, left for a person
	OldestAge time.Duration // since the oldest receipt found due was accepted
	Damaged   int           // receipts found due that cannot be read, left for a person
	Skipped   bool          // nothing was sent, because the queue is full of work
}

// What a run leaves to the queue when that is full: sending more would only
// deepen it. The patience bounds how long a queue that does not move, or a
// wrong count of it, can keep lost messages waiting altogether. After it one
// batch a run is sent and no more: what a consumer finds after a long outage
// are the callbacks, and not the copies of them that nobody took (the figures
// are in docs/PERFORMANCE.md).
const (
	backlogFactor   = 10
	backlogPatience = 15 * time.Minute
)

// reserve is the time before the deadline in which no more work is started.
const reserve = 5 * time.Second

// batch is how many receipts are sent in one request, SQS's own bound.
const batch = 10

// Sweep finds receipts that should have been applied by now, and sends them
// again, oldest first and at most limit of them; then it adopts dead letters.
// Any number of sweeps may run at once: a receipt is sent by the one that
// claims it, and a receipt sent twice is applied once. It stops early, without
// an error, when its deadline is near.
func (in *Inbox) Sweep(ctx context.Context, limit int) (Swept, error) {
	now := in.Now()
	due, err := in.Store.Due(ctx, now, limit)
	if err != nil {
		return Swept{}, fmt.Errorf("list due receipts: %w", err)
	}
	swept := Swept{Due: len(due)}
	for _, one := range due {
		swept.OldestAge = max(swept.OldestAge, now.Sub(one.AcceptedAt))
	}
	err = in.resend(ctx, due, limit, &swept)
	// The list was read, so the store is well enough to take in what it never got.
	return swept, errors.Join(err, in.adopt(ctx, limit, &swept))
}

func (in *Inbox) resend(ctx context.Context, due []Due, limit int, swept *Swept) error {
	if len(due) == 0 {
		return nil
	}
	waiting, err := in.Queue.Waiting(ctx)
	if err != nil {
		return fmt.Errorf("measure queue: %w", err)
	}
	if full := waiting > backlogFactor*limit; full {
		overdue := in.Now().Sub(due[0].DueAt)
		if overdue < backlogPatience {
			swept.Skipped = true
			return nil
		}
		due = due[:min(batch, len(due))]
	}
	for len(due) > 0 && timeLeft(ctx) {
		group := due[:min(batch, len(due))]
		due = due[len(group):]
		if err := in.resendGroup(ctx, group, swept); err != nil {
			return err
		}
	}
	return nil
}

// resendGroup claims, then sends: a crash in between leaves receipts that are
// due again later.
func (in *Inbox) resendGroup(ctx context.Context, group []Due, swept *Swept) error {
	claimed, err := in.claim(ctx, group, swept)
	if len(claimed) == 0 {
		return err
	}
	if sendErr := in.Queue.Send(ctx, claimed...); sendErr != nil {
		return errors.Join(err, fmt.Errorf("send due receipts: %w", sendErr))
	}
	swept.Sent += len(claimed)
	return err
}

func (in *Inbox) claim(ctx context.Context, group []Due, swept *Swept) ([]Receipt, error) {
	var claimed []Receipt
	now := in.Now()
	for _, due := range group {
		receipt, won, err := in.Store.Claim(ctx, due, nextDue(due, now))
		switch {
		case errors.Is(err, ErrDamaged):
			swept.Damaged++
		case err != nil:
			return claimed, fmt.Errorf("claim receipt %s: %w", due.Key.Receipt, err)
		case won:
			claimed = append(claimed, receipt)
		}
	}
	return claimed, nil
}

// adopt moves what decodes as ours from the dead-letter queue to the store:
// what was accepted by the queue alone, while the store was down, and then
// could not be applied for longer than the queue tries. A crash between the
// put and the delete leaves a letter that meets its own receipt next time.
func (in *Inbox) adopt(ctx context.Context, limit int, swept *Swept) (err error) {
	var foreign []DeadLetter
	defer func() { err = errors.Join(err, in.returnAll(ctx, foreign)) }()
	for swept.Adopted+len(foreign) < limit && timeLeft(ctx) {
		letters, err := in.DeadLetters.Receive(ctx, batch)
		if err != nil {
			return fmt.Errorf("receive dead letters: %w", err)
		}
		if len(letters) == 0 {
			return nil
		}
		for _, letter := range letters {
			if letter.Foreign {
				swept.Foreign++
				foreign = append(foreign, letter)
				continue
			}
			if err := in.adoptOne(ctx, letter); err != nil {
				return err
			}
			swept.Adopted++
		}
	}
	return nil
}

func (in *Inbox) adoptOne(ctx context.Context, letter DeadLetter) error {
	receipt := letter.Receipt
	if receipt.State == Received {
		receipt.DueAt = toMillis(in.Now())
	}
	if _, err := in.create(ctx, receipt); err != nil {
		return err
	}
	if err := in.DeadLetters.Delete(ctx, letter); err != nil {
		return fmt.Errorf("delete dead letter: %w", err)
	}
	return nil
}

func (in *Inbox) returnAll(ctx context.Context, letters []DeadLetter) error {
	var errs []error
	for _, letter := range letters {
		if err := in.DeadLetters.Return(ctx, letter); err != nil {
			errs = append(errs, fmt.Errorf("return dead letter: %w", err))
		}
	}
	return errors.Join(errs...)
}

// nextDue doubles the time after which a receipt is sent again, up to an hour,
// and never gives up.
func nextDue(due Due, now time.Time) time.Time {
	wait := max(now.Sub(due.AcceptedAt), FirstDue)
	return toMillis(now.Add(min(wait, time.Hour)))
}

func timeLeft(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > reserve
}
