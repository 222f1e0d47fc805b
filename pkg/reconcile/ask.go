package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// AskRequest is what an operator asks the function for.
type AskRequest struct {
	Payouts []payout.ID `json:"payouts,omitempty"` // to ask about now, at most MaxAsked
	DryRun  bool        `json:"dryRun,omitzero"`   // nothing is written
	// Accounts asks whether the credentials of each account work.
	Accounts bool `json:"accounts,omitzero"`
}

// MaxAsked limits the payouts of an AskRequest.
const MaxAsked = 50

// AskResponse is the answer to an AskRequest.
type AskResponse struct {
	Payouts  []AskResult    `json:"payouts,omitempty"`
	Accounts []AccountCheck `json:"accounts,omitempty"`
}

// AskResult is what a provider answered about one payout, beside what the record says.
type AskResult struct {
	Payout     payout.ID         `json:"payout"`
	Outcome    Outcome           `json:"outcome"`
	Detail     string            `json:"detail,omitzero"`
	Status     payout.Status     `json:"status,omitzero"` // of the record, before the answer
	Statements []StatementResult `json:"statements,omitempty"`
}

// StatementResult is a statement of an answer about one payout.
type StatementResult struct {
	Payout     payout.ID         `json:"payout"`
	Receipt    string            `json:"receipt"`
	Status     payout.Status     `json:"status,omitzero"`
	HeldReason string            `json:"heldReason,omitzero"`
	Acceptance inbox.Acceptance  `json:"acceptance,omitzero"` // "" in a dry run
	Fields     []FieldComparison `json:"fields,omitempty"`    // that the record or the answer states
}

// FieldComparison is a field as the record and as an answer state it.
type FieldComparison struct {
	Field   payout.Field `json:"field"`
	Record  []string     `json:"record,omitempty"`
	Answer  string       `json:"answer,omitzero"`
	Differs bool         `json:"differs,omitzero"` // both state it, and not the same
}

// AccountCheck says whether the credentials of an account work.
type AccountCheck struct {
	Account string  `json:"account"` // provider/account; provider/* if the secret cannot be read
	Outcome Outcome `json:"outcome"` // Answered, NotFound and InProcess mean that they work
	Detail  string  `json:"detail,omitzero"`
	KeyID   string  `json:"keyId,omitzero"` // see Querier.KeyID
}

// Ask asks about payouts now, whether they are due or not, and even if their account is
// paused or another run is asking. A payout that cannot be asked about is an outcome. An
// error means that the answers are not accepted.
func (r *Reconciler) Ask(ctx context.Context, request AskRequest) (AskResponse, error) {
	var response AskResponse
	if len(request.Payouts) > MaxAsked {
		return response, fmt.Errorf("%d payouts, want at most %d in one request", len(request.Payouts), MaxAsked)
	}
	if slices.Contains(request.Payouts, "") {
		return response, errors.New("an id of a payout is empty")
	}
	r.connections.expire() // the operator may have stored other credentials just now
	if request.Accounts {
		response.Accounts = r.checkAccounts(ctx)
	}
	for _, id := range request.Payouts {
		result, err := r.askAbout(ctx, id, request.DryRun)
		if err != nil {
			return response, err
		}
		response.Payouts = append(response.Payouts, result)
	}
	return response, nil
}

func (r *Reconciler) askAbout(ctx context.Context, id payout.ID, dryRun bool) (AskResult, error) {
	stored, err := r.Store.Payout(ctx, id)
	if err != nil {
		return AskResult{}, fmt.Errorf("read payout %s: %w", id, err)
	}
	result := AskResult{Payout: id, Outcome: NotAsked, Status: stored.Record.Status()}
	provider, ok := r.provider(id.Provider())
	if !ok {
		return result, nil
	}
	askCtx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer := r.ask(askCtx, provider, []Asked{{ID: id, Reference: stored.Record.Value(payout.FieldReference)}})
	result.Outcome, result.Detail = answer.Outcome, answer.Detail
	for _, statement := range answer.Statements {
		stated, err := r.newStatementResult(ctx, statement)
		if err == nil && !dryRun {
			var accepted inbox.AcceptResult
			accepted, err = r.Inbox.Accept(ctx, statement.receipt(r.Now()))
			stated.Acceptance = accepted.Acceptance
		}
		if err != nil {
			return result, err
		}
		result.Statements = append(result.Statements, stated)
	}
	return result, nil
}

// newStatementResult compares a statement with the record of its payout.
func (r *Reconciler) newStatementResult(ctx context.Context, statement Statement) (StatementResult, error) {
	key := statement.receipt(r.Now()).Key
	if statement.Held != nil {
		return StatementResult{Payout: payout.ID(key.Payout), Receipt: key.Receipt, HeldReason: statement.Held.Reason}, nil
	}
	event := statement.Event
	stored, err := r.Store.Payout(ctx, event.ID)
	if err != nil {
		return StatementResult{}, fmt.Errorf("read payout %s: %w", event.ID, err)
	}
	result := StatementResult{Payout: event.ID, Receipt: key.Receipt, Status: event.Status}
	together, _ := stored.Record.Apply(event)
	for _, field := range slices.Sorted(maps.Keys(together.Claims)) {
		seen, answer := stored.Record.Claims[field].Seen, event.Claim(field)
		differs := len(seen) > 0 && answer != "" && !slices.Equal(seen, []string{answer})
		result.Fields = append(result.Fields, FieldComparison{field, seen, answer, differs})
	}
	return result, nil
}

// checkAccounts asks about a payout that does not exist, with the credentials of each
// account.
func (r *Reconciler) checkAccounts(ctx context.Context) []AccountCheck {
	var checks []AccountCheck
	for _, provider := range r.Providers {
		read, err := r.connections.secret(ctx, r, provider.Name())
		all := provider.Name() + "/*"
		switch {
		case err != nil:
			checks = append(checks, AccountCheck{Account: all, Outcome: Unavailable, Detail: err.Error()})
		case read.problem != "":
			checks = append(checks, AccountCheck{Account: all, Outcome: NoCredentials, Detail: read.problem})
		}
		for _, account := range slices.Sorted(maps.Keys(read.entries)) {
			checks = append(checks, r.checkAccount(ctx, provider, account))
		}
	}
	return checks
}

func (r *Reconciler) checkAccount(ctx context.Context, provider Provider, account string) AccountCheck {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer := r.ask(ctx, provider, []Asked{{ID: provider.ProbeID(account)}})
	check := AccountCheck{Account: provider.Name() + "/" + account, Outcome: answer.Outcome, Detail: answer.Detail}
	if current, err := r.connections.get(ctx, r, provider, account, false); err == nil && current.querier != nil {
		check.KeyID = current.querier.KeyID()
	}
	return check
}
