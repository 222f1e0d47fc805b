package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// SweepResult counts what one run of Sweep found and did.
type SweepResult struct {
	Due        int           `json:"due"`        // receipts that were due
	Resent     int           `json:"resent"`     // of those: sent by this run
	Unsendable int           `json:"unsendable"` // of those: rejected by the queue because of their content, and applied by this run
	Recovered  int           `json:"recovered"`  // dead-letter messages moved to the store
	Unreadable int           `json:"unreadable"` // dead-letter messages that are not receipts, left for a person
	OldestAge  time.Duration `json:"oldestAge"`  // age of the oldest receipt that is due or claimed
	AgeUnknown bool          `json:"ageUnknown"` // OldestAge could not be read
	Damaged    int           `json:"damaged"`    // due receipts that cannot be read, left for a person
	Skipped    bool          `json:"skipped"`    // nothing was sent because the queue has a backlog
}

// A run does not send to a queue with a backlog of more than backlogFactor times its
// limit: that would only make the backlog longer. backlogPatience limits how long a
// queue that does not move, or a wrong count of it, can keep lost messages waiting.
// After that time, a run sends one batch and no more, so that after a long outage the
// consumer finds the callbacks and not many copies of them (docs/PERFORMANCE.md has
// the figures).
const (
	backlogFactor   = 10
	backlogPatience = 15 * time.Minute
)

// reserve is the time before the deadline in which no more work is started.
const reserve = 5 * time.Second

// batchSize is the number of receipts in one send request, SQS's limit.
const batchSize = 10

// Sweep resends receipts that should be applied by now, the earliest due first and at
// most limit of them, and then recovers dead-letter messages. A receipt that the
// queue rejects because of its content is applied by Sweep itself. A receipt that
// fails does not delay others.
//
// Any number of sweeps may run at once: a receipt is sent by the sweep that claims
// it, and a receipt that is sent twice is applied once. Sweep returns early, without
// an error, when its deadline is near.
func (in *Inbox) Sweep(ctx context.Context, limit int) (SweepResult, error) {
	now := in.Now()
	due, err := in.Store.Due(ctx, now, limit)
	if err != nil {
		return SweepResult{}, fmt.Errorf("list due receipts: %w", err)
	}
	result := SweepResult{Due: len(due)}
	measureErr := in.measureOldest(ctx, now, due, &result)
	err = errors.Join(measureErr, in.resend(ctx, due, limit, &result))
	// The list was read, so the store is available for the messages to recover.
	return result, errors.Join(err, in.recoverDeadLetters(ctx, limit, &result))
}

// measureOldest sets the age of the oldest receipt that is not applied. A claimed
// receipt is not in the list of due receipts for up to an hour, so it is read
// separately. The oldest receipt that was never claimed is in the list as soon as it
// is due, unless the list is full of older receipts.
func (in *Inbox) measureOldest(ctx context.Context, now time.Time, due []DueReceipt, result *SweepResult) error {
	oldest, ok, err := in.Store.OldestClaimed(ctx)
	if err != nil {
		result.AgeUnknown = true
		return fmt.Errorf("read oldest claimed receipt: %w", err)
	}
	if ok {
		result.OldestAge = max(0, now.Sub(oldest))
	}
	for _, receipt := range due {
		result.OldestAge = max(result.OldestAge, now.Sub(receipt.AcceptedAt))
	}
	return nil
}

// resend sends due receipts in batches.
func (in *Inbox) resend(ctx context.Context, due []DueReceipt, limit int, result *SweepResult) error {
	if len(due) == 0 {
		return nil
	}
	waiting, err := in.Queue.Waiting(ctx)
	if err != nil {
		return fmt.Errorf("read queue length: %w", err)
	}
	if waiting > backlogFactor*limit {
		if in.Now().Sub(due[0].DueAt) < backlogPatience {
			result.Skipped = true
			return nil
		}
		due = due[:min(batchSize, len(due))]
	}
	var failed Failures
	for len(due) > 0 && in.timeLeft(ctx) {
		batch := due[:min(batchSize, len(due))]
		due = due[len(batch):]
		if err := in.resendBatch(ctx, batch, result, &failed); err != nil {
			return errors.Join(failed.Join(), err)
		}
	}
	return failed.Join()
}

// resendBatch claims receipts, then sends them: a crash in between leaves receipts
// that are due again later. Failures of single receipts are added to failed. An error
// means that the queue failed and would fail for the next batch as well, so the
// receipts of the next batch are not claimed.
func (in *Inbox) resendBatch(ctx context.Context, batch []DueReceipt, result *SweepResult, failed *Failures) error {
	claimed := in.claim(ctx, batch, result, failed)
	if len(claimed) == 0 {
		return nil
	}
	var sendErrs SendError
	if err := in.Queue.Send(ctx, claimed...); err != nil && !errors.As(err, &sendErrs) {
		return fmt.Errorf("send due receipts: %w", err)
	}
	result.Resent += len(claimed) - len(sendErrs)
	for i, receipt := range claimed {
		if sendErr := sendErrs[i]; sendErr != nil {
			failed.Add(in.applyUnsendable(ctx, receipt, sendErr, result))
		}
	}
	return nil
}

// applyUnsendable applies a receipt that the queue rejects for good, as the consumer
// would. A receipt that was not sent for another reason is due again later.
func (in *Inbox) applyUnsendable(ctx context.Context, receipt Receipt, sendErr error, result *SweepResult) error {
	if !errors.Is(sendErr, ErrUnsendable) {
		return fmt.Errorf("send receipt %s: %w", receipt.Key.Receipt, sendErr)
	}
	result.Unsendable++
	_, err := in.Apply(ctx, receipt)
	return err
}

// claim returns the receipts of the batch that this run may send.
func (in *Inbox) claim(ctx context.Context, batch []DueReceipt, result *SweepResult, failed *Failures) []Receipt {
	var claimed []Receipt
	now := in.Now()
	for _, due := range batch {
		if !in.timeLeft(ctx) {
			break
		}
		receipt, won, err := in.Store.Claim(ctx, due, nextDue(due, now))
		switch {
		case errors.Is(err, ErrDamagedReceipt):
			result.Damaged++
		case err != nil:
			failed.Add(fmt.Errorf("claim receipt %s: %w", due.Key.Receipt, err))
		case won:
			claimed = append(claimed, receipt)
		}
	}
	return claimed
}

// recoverDeadLetters moves receipts from the dead-letter queue to the store: they
// were accepted while the store was down, and it stayed down for longer than the
// queue redelivers. After a crash between put and delete, the message is received
// again and its put finds its own receipt.
func (in *Inbox) recoverDeadLetters(ctx context.Context, limit int, result *SweepResult) (err error) {
	var unreadable []DeadLetter
	defer func() { err = errors.Join(err, in.returnAll(ctx, unreadable)) }()
	for result.Recovered+len(unreadable) < limit && in.timeLeft(ctx) {
		deadLetters, err := in.DeadLetters.Receive(ctx, batchSize)
		if err != nil {
			return fmt.Errorf("receive dead-letter messages: %w", err)
		}
		if len(deadLetters) == 0 {
			return nil
		}
		for _, deadLetter := range deadLetters {
			if deadLetter.Unreadable {
				result.Unreadable++
				unreadable = append(unreadable, deadLetter)
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
		return fmt.Errorf("delete dead-letter message: %w", err)
	}
	return nil
}

// returnAll makes messages visible again that only a person can handle.
func (in *Inbox) returnAll(ctx context.Context, deadLetters []DeadLetter) error {
	var errs []error
	for _, deadLetter := range deadLetters {
		if err := in.DeadLetters.Return(ctx, deadLetter); err != nil {
			errs = append(errs, fmt.Errorf("return dead-letter message: %w", err))
		}
	}
	return errors.Join(errs...)
}

// nextDue returns when a receipt is due next: after as long as it is old, so that the
// wait doubles, and after at most an hour. Sweep never gives a receipt up.
func nextDue(due DueReceipt, now time.Time) time.Time {
	wait := max(now.Sub(due.AcceptedAt), FirstDue)
	return toMillis(now.Add(min(wait, time.Hour)))
}

func (in *Inbox) timeLeft(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return !ok || deadline.Sub(in.Now()) > reserve
}
