package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Swept is what one run of Sweep found and did.
type SweepResult struct {
	Due        int           `json:"due"`        // receipts found due
	Resent     int           `json:"resent"`     // of those, sent again by this run
	Unsendable int           `json:"unsendable"` // of those, refused by the queue for what they are; this run applies them itself
	Recovered  int           `json:"recovered"`  // dead letters that are in the store now, and no longer in the queue
	Unreadable int           `json:"unreadable"` // dead letters that are not ours to read, left for a person
	OldestAge  time.Duration `json:"oldestAge"`  // since the oldest receipt that waits, due or claimed, was accepted
	AgeUnknown bool          `json:"ageUnknown"` // that could not be read
	Damaged    int           `json:"damaged"`    // receipts found due that cannot be read, left for a person
	Skipped    bool          `json:"skipped"`    // nothing was sent, because the queue is full of work
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
// A receipt that the queue refuses for what it is has no other way into its
// payout: Sweep applies it. No receipt that fails keeps another from its turn.
// Any number of sweeps may run at once: a receipt is sent by the one that
// claims it, and a receipt sent twice is applied once. It stops early, without
// an error, when its deadline is near.
func (in *Inbox) Sweep(ctx context.Context, limit int) (SweepResult, error) {
	now := in.Now()
	due, err := in.Store.Due(ctx, now, limit)
	if err != nil {
		return SweepResult{}, fmt.Errorf("list due receipts: %w", err)
	}
	result := SweepResult{Due: len(due)}
	measureErr := in.measure(ctx, now, due, &result)
	err = errors.Join(measureErr, in.resend(ctx, due, limit, &result))
	// The list was read, so the store is well enough to take in what it never got.
	return result, errors.Join(err, in.recoverDeadLetters(ctx, limit, &result))
}

// measure finds how long the oldest receipt has waited. A claim moves a receipt
// out of the list of what is due for up to an hour, in which it waits all the
// same. A receipt that was never claimed is in the list as soon as it is due, or
// everything in the list is older.
func (in *Inbox) measure(ctx context.Context, now time.Time, due []DueReceipt, result *SweepResult) error {
	oldest, ok, err := in.Store.OldestClaimed(ctx)
	if err != nil {
		result.AgeUnknown = true
		return fmt.Errorf("read the oldest claimed receipt: %w", err)
	}
	if ok {
		result.OldestAge = max(0, now.Sub(oldest))
	}
	for _, receipt := range due {
		result.OldestAge = max(result.OldestAge, now.Sub(receipt.AcceptedAt))
	}
	return nil
}

func (in *Inbox) resend(ctx context.Context, due []DueReceipt, limit int, result *SweepResult) error {
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
			result.Skipped = true
			return nil
		}
		due = due[:min(batch, len(due))]
	}
	var failed failures
	for len(due) > 0 && timeLeft(ctx) {
		group := due[:min(batch, len(due))]
		due = due[len(group):]
		if err := in.resendGroup(ctx, group, result, &failed); err != nil {
			return errors.Join(failed.asError(), err)
		}
	}
	return failed.asError()
}

// resendGroup claims, then sends: a crash in between leaves receipts that are
// due again later. What fails of a single receipt goes to failed. An error means
// that the queue failed, and would fail the next group as well: the receipts of
// that keep their place.
func (in *Inbox) resendGroup(ctx context.Context, group []DueReceipt, result *SweepResult, failed *failures) error {
	claimed := in.claim(ctx, group, result, failed)
	if len(claimed) == 0 {
		return nil
	}
	var refused SendErrors
	if err := in.Queue.Send(ctx, claimed...); err != nil && !errors.As(err, &refused) {
		return fmt.Errorf("send due receipts: %w", err)
	}
	result.Resent += len(claimed) - len(refused)
	for place, receipt := range claimed {
		if refusal := refused[place]; refusal != nil {
			failed.add(in.afterRefusal(ctx, receipt, refusal, result))
		}
	}
	return nil
}

// afterRefusal applies a receipt that the queue will never take, as the consumer
// would. A receipt that failed for another reason is due again later.
func (in *Inbox) afterRefusal(ctx context.Context, receipt Receipt, refusal error, result *SweepResult) error {
	if !errors.Is(refusal, ErrUnsendable) {
		return fmt.Errorf("send receipt %s: %w", receipt.Key.Receipt, refusal)
	}
	result.Unsendable++
	_, err := in.Apply(ctx, receipt)
	return err
}

func (in *Inbox) claim(ctx context.Context, group []DueReceipt, result *SweepResult, failed *failures) []Receipt {
	var claimed []Receipt
	now := in.Now()
	for _, due := range group {
		if !timeLeft(ctx) {
			break
		}
		receipt, won, err := in.Store.Claim(ctx, due, nextDue(due, now))
		switch {
		case errors.Is(err, ErrDamagedReceipt):
			result.Damaged++
		case err != nil:
			failed.add(fmt.Errorf("claim receipt %s: %w", due.Key.Receipt, err))
		case won:
			claimed = append(claimed, receipt)
		}
	}
	return claimed
}

// failures are what failed of single receipts. A run has up to thousands of
// them, and its log line has room for a few.
type failures struct {
	first []error
	count int
}

// keptFailures is how many failures stand in a run's error.
const keptFailures = 5

func (f *failures) add(err error) {
	if err == nil {
		return
	}
	if f.count++; len(f.first) < keptFailures {
		f.first = append(f.first, err)
	}
}

func (f *failures) asError() error {
	if more := f.count - len(f.first); more > 0 {
		return errors.Join(append(f.first, fmt.Errorf("and %d failures more", more))...)
	}
	return errors.Join(f.first...)
}

// adopt moves what decodes as ours from the dead-letter queue to the store:
// what was accepted by the queue alone, while the store was down, and then
// could not be applied for longer than the queue tries. A crash between the
// put and the delete leaves a letter that meets its own receipt next time.
func (in *Inbox) recoverDeadLetters(ctx context.Context, limit int, result *SweepResult) (err error) {
	var deadLetters []DeadLetter
	defer func() { err = errors.Join(err, in.returnAll(ctx, deadLetters)) }()
	for result.Recovered+len(deadLetters) < limit && timeLeft(ctx) {
		d, err := in.DeadLetters.Receive(ctx, batch)
		if err != nil {
			return fmt.Errorf("receive dead letters: %w", err)
		}
		if len(d) == 0 {
			return nil
		}
		for _, deadLetter := range d {
			if deadLetter.Unreadable {
				result.Unreadable++
				deadLetters = append(deadLetters, deadLetter)
				continue
			}
			if err := in.recoverDeadLetter(ctx, deadLetter); err != nil {
				return err
			}
			result.Recovered++
		}
	}
	return nil
}

func (in *Inbox) recoverDeadLetter(ctx context.Context, deadLetter DeadLetter) error {
	receipt := deadLetter.Receipt
	if receipt.State == Received {
		receipt.DueAt = toMillis(in.Now())
	}
	if _, err := in.create(ctx, receipt); err != nil {
		return err
	}
	if err := in.DeadLetters.Delete(ctx, deadLetter); err != nil {
		return fmt.Errorf("delete dead letter: %w", err)
	}
	return nil
}

func (in *Inbox) returnAll(ctx context.Context, deadLetters []DeadLetter) error {
	var errs []error
	for _, deadLetter := range deadLetters {
		if err := in.DeadLetters.Return(ctx, deadLetter); err != nil {
			errs = append(errs, fmt.Errorf("return dead letter: %w", err))
		}
	}
	return errors.Join(errs...)
}

// nextDue doubles the time after which a receipt is sent again, up to an hour,
// and never gives up.
func nextDue(due DueReceipt, now time.Time) time.Time {
	wait := max(now.Sub(due.AcceptedAt), FirstDue)
	return toMillis(now.Add(min(wait, time.Hour)))
}

func timeLeft(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > reserve
}
