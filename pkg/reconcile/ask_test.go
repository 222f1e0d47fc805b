package reconcile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// A secret that cannot be read is a result like any other, and concerns its provider alone.
func TestAsk_UnreadableSecret(t *testing.T) {
	for err, want := range map[error]reconcile.Outcome{
		fmt.Errorf("read secret: %w", reconcile.ErrMalformedSecret): reconcile.NoCredentials,
		errors.New("no connection"):                                 reconcile.Unavailable,
	} {
		w := newWorld(t)
		w.callback(payout.Event{ID: paid, Status: payout.Pending})
		w.providers["cregis"].credErr = err
		got, askErr := w.reconciler.Ask(t.Context(), reconcile.AskRequest{Accounts: true, Payouts: []payout.ID{paid}})
		if askErr != nil || len(got.Accounts) != 3 || len(got.Payouts) != 1 {
			t.Fatalf("%v: got %+v, %v", err, got, askErr)
		}
		if check := got.Accounts[0]; check.Account != "cregis/*" || check.Outcome != want || check.Detail != err.Error() {
			t.Errorf("%v: got %+v, want %s", err, check, want)
		}
		if got.Accounts[1].Outcome != reconcile.NotFound || got.Payouts[0].Outcome != want {
			t.Errorf("%v: got %+v", err, got)
		}
	}
}

// A request that is wrong in part is refused as a whole.
func TestAsk_Refused(t *testing.T) {
	w := newWorld(t)
	for name, ids := range map[string][]payout.ID{"an empty id": {paid, ""}, "too many": make([]payout.ID, reconcile.MaxAsked+1)} {
		if got, err := w.reconciler.Ask(t.Context(), reconcile.AskRequest{Payouts: ids}); err == nil || len(got.Payouts) > 0 || w.asked("cregis") > 0 {
			t.Errorf("%s: got %+v, %v, want an error and no query", name, got, err)
		}
	}
}

// An operator who stores credentials and asks at once gets the answer to the new ones.
func TestAsk_FreshCredentials(t *testing.T) {
	w := newWorld(t)
	w.callback(payout.Event{ID: paid, Status: payout.Pending})
	w.answer(succeeded(paid, "1.1"))
	cregis := w.providers["cregis"]
	for _, test := range []struct {
		entry string
		want  reconcile.Outcome
	}{
		{`{"key":""}`, reconcile.NoCredentials}, {`{"key":"a"}`, reconcile.Answered}, {"", reconcile.NoCredentials}, {`{"key":"b"}`, reconcile.Answered},
	} {
		if delete(cregis.credentials, account); test.entry != "" {
			cregis.credentials[account] = json.RawMessage(test.entry)
		}
		got, err := w.reconciler.Ask(t.Context(), reconcile.AskRequest{Payouts: []payout.ID{paid}, DryRun: true})
		if err != nil || len(got.Payouts) != 1 || got.Payouts[0].Outcome != test.want {
			t.Errorf("entry %s: got %+v, %v; want %s", test.entry, got, err, test.want)
		}
	}
}
