package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// closable are the reasons of held callbacks that an answer closes, if it states the final
// status that the body states. Every other held callback waits for a person.
var closable = map[string]bool{"ambiguous": true, "field": true, "unknown-field": true}

// askHeld asks about the payout that a held callback names. The answer is applied to the
// payout, whatever becomes of the callback.
func (s *session) askHeld(ctx context.Context, due DueHeld) {
	id := inbox.Receipt{Key: due.Key}.HeldID()
	// The wait doubles: it is as long as the callback is old, from 10 minutes to a day.
	now := s.Now()
	wait := min(max(now.Sub(due.AcceptedAt), 10*time.Minute), 24*time.Hour)
	next := inbox.Schedule{At: now.Add(wait).Truncate(time.Millisecond), Tries: 1, AskedAt: now.Truncate(time.Millisecond)}
	receipt, won, err := s.Store.ClaimHeld(ctx, due, next)
	switch {
	case errors.Is(err, inbox.ErrDamagedReceipt):
		s.count(func(result *RunResult) { result.Damaged++ })
		return
	case err != nil:
		s.fail(fmt.Errorf("claim held callback %s: %w", due.Key.Payout, err))
		return
	case !won:
		return
	}
	about := payout.NewID(id.Provider(), id.Type(), id.Account(), receipt.ProviderID, "")
	answer := s.query(ctx, []Asked{{ID: about, Reference: receipt.Reference}})
	isDurable := s.accept(ctx, answer)
	s.count(func(result *RunResult) { result.Outcomes[answer.Outcome]++ })
	if !isDurable {
		return // asked about again when it is due: only a durable answer closes a callback
	}
	final, isFinal := finalStatement(answer)
	if isFinal && s.closes(receipt, final) {
		s.answerHeld(ctx, receipt, final)
		return
	}
	claimed := next
	next.Result = string(answer.Outcome)
	if isFinal || s.Now().Sub(receipt.AcceptedAt) > inbox.MaxHeldAge {
		next.At = time.Time{}
	}
	if next != claimed {
		if err := s.Store.FinishHeld(ctx, receipt.Key, claimed, next); err != nil {
			s.fail(fmt.Errorf("schedule held callback %s: %w", receipt.Key.Payout, err))
		}
	}
}

// finalStatement returns the statement of an answer about one payout, if it is final.
func finalStatement(answer Answer) (Statement, bool) {
	if answer.Outcome != Answered || len(answer.Statements) != 1 {
		return Statement{}, false
	}
	statement := answer.Statements[0]
	return statement, statement.Held == nil && statement.Event.Status.IsFinal()
}

func (s *session) closes(receipt inbox.Receipt, answer Statement) bool {
	provider, ok := s.provider(receipt.Provider())
	return ok && closable[receipt.Reason] && provider.StatedStatus(receipt) == answer.Event.Status
}

func (s *session) answerHeld(ctx context.Context, receipt inbox.Receipt, answer Statement) {
	by := inbox.NewChangedBy("reconciler", "the provider's answer states the same final status", s.Now())
	closed, err := s.Store.AnswerHeld(ctx, receipt.Key, answer.receipt(s.Now()).Key, by)
	if err != nil {
		s.fail(fmt.Errorf("close held callback %s: %w", receipt.Key.Payout, err))
	}
	if closed {
		s.count(func(result *RunResult) { result.Answered++ })
	}
}
