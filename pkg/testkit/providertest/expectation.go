package providertest

import (
	"errors"
	"fmt"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

func (s *suite) checkExpectations() error {
	if s.Description.Expectations == nil {
		return notWrittenError("Description.Expectations, or the reason in Suite.None why payouts cannot be expected")
	}
	return law(suite.expected)(s)
}

// expected checks that the expectation of what a callback states is about the same payout
// and agrees with it, that another amount conflicts, and that a bad field is refused by
// its name.
func (s suite) expected(v Vector) error {
	if v.Expect != Accepted {
		return errNoCase
	}
	return s.ifAuthentic(v, func(_ callback.Request, got result) error {
		stated := expectationOf(got.event)
		event, err := s.Description.Expectations.Expect(stated)
		record, _ := payout.Record{}.Apply(got.event)
		agreed, _ := record.Apply(event)
		switch {
		case err != nil:
			return fmt.Errorf("the expectation of what it states: %w", err)
		case event.ID != got.event.ID || event.Source != payout.SourceExpectation || event.Status != payout.Expected:
			return fmt.Errorf("the expectation is %s of %s from %q, want %s of %s from %q", event.Status, event.ID, event.Source,
				payout.Expected, got.event.ID, payout.SourceExpectation)
		case len(agreed.Conflicts()) > 0:
			return fmt.Errorf("the expectation of what it states conflicts in %v", agreed.Conflicts())
		}
		return errors.Join(s.expectedAmount(record, stated), s.expectedFields(stated))
	})
}

// expectationOf returns the expectation that states what an event states.
func expectationOf(event payout.Event) reconcile.Expectation {
	stated := reconcile.Expectation{
		Provider: event.ID.Provider(), Type: string(event.ID.Type()), Account: event.ID.Account(), ID: event.ID.PayoutID(),
		Reference: event.Reference, Amount: string(event.Amount), Currency: event.Currency, To: event.To, Memo: event.Memo,
	}
	if event.Chain != "" {
		stated.Currency = event.Chain + "@" + event.Token
	}
	return stated
}

// expectedAmount checks that another amount conflicts with the record of a callback.
func (s suite) expectedAmount(record payout.Record, stated reconcile.Expectation) error {
	if stated.Amount == "" {
		return nil // a batch
	}
	stated.Amount = "31337"
	event, err := s.Description.Expectations.Expect(stated)
	if err != nil {
		return fmt.Errorf("the expectation of another amount: %w", err)
	}
	if differing, _ := record.Apply(event); len(differing.Conflicts()) == 0 {
		return errors.New("the expectation of another amount does not conflict")
	}
	return nil
}

// expectedFields checks that a bad field is refused by its name.
func (s suite) expectedFields(stated reconcile.Expectation) error {
	for field, invalidate := range map[string]func(*reconcile.Expectation){
		"type":      func(e *reconcile.Expectation) { e.Type = "no-such-type" },
		"account":   func(e *reconcile.Expectation) { e.Account = "" },
		"id":        func(e *reconcile.Expectation) { e.ID = "a b" },
		"reference": func(e *reconcile.Expectation) { e.ID, e.Reference = "", "" },
		"amount":    func(e *reconcile.Expectation) { e.Amount = "1,5" },
	} {
		invalid := stated
		invalidate(&invalid)
		event, err := s.Description.Expectations.Expect(invalid)
		problem, ok := errors.AsType[*reconcile.FieldError](err)
		if !ok || problem.Field != field || event != (payout.Event{}) {
			return fmt.Errorf("an expectation with a bad %s, want a *FieldError that names it and no event: %w", field, orNil(err))
		}
	}
	return nil
}
