package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Expecter applies expectations. All fields are required. It is safe for concurrent use.
type Expecter struct {
	Inbox     *inbox.Inbox
	Store     Store
	Providers []Expectations
	Now       func() time.Time
}

// ExpectResult is what an expectation did.
type ExpectResult struct {
	Payout    payout.ID       `json:"payout"`
	Result    ExpectOutcome   `json:"result"`
	Status    payout.Status   `json:"status"` // with the expectation; without the id, of the known payout
	Conflicts []FieldConflict `json:"conflicts,omitempty"`
}

// ExpectOutcome says in a word what an expectation did.
type ExpectOutcome string

// The outcomes of Expect.
const (
	ExpectNew       ExpectOutcome = "new"       // nothing was known about the payout
	ExpectChanged   ExpectOutcome = "changed"   // the payout was known, and the expectation adds to it
	ExpectDuplicate ExpectOutcome = "duplicate" // the same was expected already; nothing was written
	ExpectConflict  ExpectOutcome = "conflict"  // the payout is in conflict
)

// FieldConflict is a field for which different values are stated.
type FieldConflict struct {
	Field    payout.Field `json:"field"`
	Expected string       `json:"expected,omitzero"` // what this expectation states
	Stated   []string     `json:"stated"`            // all values, this one included
}

// Expect parses an expectation and applies it. The caller is kept with its receipt, for
// people. Nothing is kept after a *FieldError; after any other error, the same
// expectation can be sent again.
//
// An expectation without the provider's id and the payout with the id become one: see
// [linker].
func (e *Expecter) Expect(ctx context.Context, body []byte, caller string) (ExpectResult, error) {
	event, stated, err := e.parse(body)
	if err != nil {
		return ExpectResult{}, err
	}
	receipt := inbox.NewReceipt(event, stated, "", e.Now())
	receipt.Note = caller
	applied, record, err := e.Inbox.ApplyNew(ctx, receipt)
	if err != nil {
		return ExpectResult{}, err
	}
	links := linker{e.Inbox, e.Store, e.Now}
	if event.ID.PayoutID() != "" {
		record, err = links.joinEarlier(ctx, record)
	} else {
		var known []payout.Record
		known, err = links.linkToKnown(ctx, record)
		record = findShown(record, known)
	}
	if err != nil {
		return ExpectResult{}, err
	}
	return newExpectResult(event, applied, record), nil
}

// findShown returns the record that the sender of an expectation without an id is shown:
// one in conflict, or that of the known payout.
func findShown(record payout.Record, known []payout.Record) payout.Record {
	for _, candidate := range slices.Concat([]payout.Record{record}, known) {
		if len(candidate.Conflicts()) > 0 {
			return candidate
		}
	}
	if len(known) > 0 {
		return known[0]
	}
	return record
}

// parse returns the event of an expectation, and the expectation as JSON without what
// the sender added to it.
func (e *Expecter) parse(body []byte) (payout.Event, []byte, error) {
	expectation, err := ParseExpectation(body)
	if err != nil {
		return payout.Event{}, nil, err
	}
	provider, ok := findProvider(e.Providers, expectation.Provider)
	if !ok {
		return payout.Event{}, nil, &FieldError{Field: "provider", Problem: "not a provider of this stack whose payouts can be expected"}
	}
	event, err := provider.Expect(expectation)
	if err != nil {
		return payout.Event{}, nil, err
	}
	deadline, err := expectation.Deadline(e.Now())
	if err != nil {
		return payout.Event{}, nil, err
	}
	event.Deadline = deadline.UnixMilli()
	stated, err := json.Marshal(expectation)
	if err != nil {
		return payout.Event{}, nil, fmt.Errorf("encode expectation: %w", err)
	}
	return event, stated, nil
}

func newExpectResult(event payout.Event, applied inbox.ApplyResult, record payout.Record) ExpectResult {
	result := ExpectResult{Payout: event.ID, Result: ExpectChanged, Status: record.Status()}
	for _, field := range record.Conflicts() {
		result.Conflicts = append(result.Conflicts, FieldConflict{field, event.Claim(field), record.Claims[field].Seen})
	}
	switch {
	case len(result.Conflicts) > 0:
		result.Result = ExpectConflict
	case applied == inbox.ApplyDuplicate:
		result.Result = ExpectDuplicate
	case record.Version == 1:
		result.Result = ExpectNew
	}
	return result
}
