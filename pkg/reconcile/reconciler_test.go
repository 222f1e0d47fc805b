package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

const minute = time.Minute

func TestRun_LostCallback(t *testing.T) {
	w := newWorld(t)
	w.expect(withID)
	w.answer(succeeded(paid, "1.1"))
	if got := w.run(9 * minute); got.Due != 0 {
		t.Errorf("asked before the deadline: %+v", got)
	}
	w.run(2 * minute)
	w.wantRecord(paid, payout.Succeeded, func(r payout.Record) bool {
		return r.IsConfirmed() && !r.IsOverdue() && r.Value(payout.FieldTxID) == "0xabc"
	})
	w.run(48 * time.Hour)
	if n := w.asked("cregis"); n != 1 {
		t.Errorf("asked %d times, want once: a confirmed payout is not asked about", n)
	}
	w.check()
}

func TestRun_Confirms(t *testing.T) {
	w := newWorld(t)
	w.callback(succeeded(paid, "1.1"))
	w.answer(succeeded(paid, "1.1"))
	w.wantRecord(paid, payout.Succeeded, func(r payout.Record) bool { return !r.IsConfirmed() })
	w.run(3 * minute)
	w.wantRecord(paid, payout.Succeeded, payout.Record.IsConfirmed)
}

func TestRun_Modes(t *testing.T) {
	pending := payout.Event{ID: paid, Status: payout.Pending, Reference: "R-1"}
	for _, test := range []struct {
		name     string
		mode     inbox.QueryMode
		callback payout.Event
		queries  int
	}{
		{"off, open", inbox.QueriesOff, pending, 0},
		{"open, open", inbox.QueriesOpen, pending, 1},
		{"all, open", inbox.QueriesAll, pending, 1},
		{"off, final", inbox.QueriesOff, succeeded(paid, "1"), 0},
		{"open, final", inbox.QueriesOpen, succeeded(paid, "1"), 0},
		{"all, final", inbox.QueriesAll, succeeded(paid, "1"), 1},
	} {
		w := newWorld(t)
		w.box.Queries["cregis"] = test.mode
		w.callback(test.callback)
		w.run(11 * minute)
		if n := w.asked("cregis"); n != test.queries {
			t.Errorf("%s: asked %d times, want %d", test.name, n, test.queries)
		}
	}
}

// Each outcome makes a payout overdue after its deadline, or does not; no outcome ends it.
func TestRun_Outcomes(t *testing.T) {
	for outcome, reason := range map[reconcile.Outcome]string{
		reconcile.NotFound:       "unknown-to-provider",
		reconcile.InProcess:      "open",
		reconcile.ByReference:    "known-by-reference",
		reconcile.Unavailable:    "",
		reconcile.RateLimited:    "",
		reconcile.KeyRefused:     "",
		reconcile.AddressRefused: "",
		reconcile.Unusable:       "",
	} {
		w := newWorld(t)
		w.expect(withID)
		w.answerAll("cregis", outcome)
		got := w.run(11 * minute)
		if got.Outcomes[outcome] != 1 {
			t.Errorf("%s: got %+v", outcome, got)
		}
		w.wantRecord(paid, payout.Expected, func(r payout.Record) bool {
			return r.IsOverdue() == (reason != "") && (reason == "" || r.Overdue[0] == reason)
		})
		w.answer(succeeded(paid, "1.1"))
		w.run(time.Hour)
		w.wantRecord(paid, payout.Succeeded, func(r payout.Record) bool { return r.IsConfirmed() && !r.IsOverdue() })
		w.check()
	}
}

func TestRun_Unasked(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"queries off":    func(w *world) { w.box.Queries["cregis"] = inbox.QueriesOff; w.expect(withID) },
		"no credentials": func(w *world) { delete(w.providers["cregis"].credentials, account); w.expect(withID) },
		"unusable credentials": func(w *world) {
			w.providers["cregis"].credentials[account] = []byte(`{}`)
			w.expect(withID)
		},
	} {
		w := newWorld(t)
		prepare(w)
		w.run(11 * minute)
		if !hasOverdue("unasked")(w.store.Record(paid)) {
			t.Errorf("%s: the payout is not overdue: %+v", name, w.store.Record(paid))
		}
	}
	w := newWorld(t)
	w.expect(noID)
	w.run(11 * minute)
	w.wantRecord(expected, payout.Expected, hasOverdue("unasked"))
}

// If the secret cannot be read, nobody knows whether there are credentials.
func TestRun_SecretDown(t *testing.T) {
	w := newWorld(t)
	w.expect(withID)
	w.providers["cregis"].credErr = errors.New("secrets manager is down")
	w.run(11 * minute)
	w.wantRecord(paid, payout.Expected, func(r payout.Record) bool { return !r.IsOverdue() })
	w.providers["cregis"].credErr = nil
	w.answer(succeeded(paid, "1.1"))
	w.run(2 * minute)
	w.wantRecord(paid, payout.Succeeded, payout.Record.IsConfirmed)
}

// A refused key pauses the account, not the other accounts, and costs the waiting payouts
// no try.
func TestRun_PausesAccount(t *testing.T) {
	w := newWorld(t)
	for n := range 20 {
		w.callback(payout.Event{ID: payout.NewID("cregis", payout.TypePayout, account, strconv.Itoa(n), ""), Status: payout.Pending})
	}
	fine := payout.NewID("cregis", payout.TypePayout, other, "1", "")
	w.callback(payout.Event{ID: fine, Status: payout.Pending})
	w.answer(payout.Event{ID: fine, Status: payout.Failed})
	w.providers["cregis"].refuses = "a"
	got := w.run(12 * minute)
	if n := w.asked("cregis"); n != 2 || len(got.Failing) != 1 || got.Failing[0].Account != "cregis/"+account || got.Outcomes[reconcile.KeyRefused] != 20 {
		t.Errorf("asked %d times, %+v; want one query of each account, and one failing", n, got)
	}
	w.wantRecord(fine, payout.Failed, payout.Record.IsConfirmed)
	if got := w.store.Schedule(payout.NewID("cregis", payout.TypePayout, account, "7", "")); got.Tries != 0 || got.At.Before(w.now) {
		t.Errorf("schedule of a payout that was not answered: %+v", got)
	}
	w.providers["cregis"].refuses = ""
	w.run(time.Minute)
	w.run(time.Minute)
	if n := w.asked("cregis"); n != 20 {
		t.Errorf("asked about %d payouts after the pause, want 20", n)
	}
	w.check()
}

// A backlog of an account delays no other account, and payouts that are only confirmed
// delay no open ones.
func TestRun_Backlog(t *testing.T) {
	w := newWorld(t)
	w.reconciler.Limit = 5
	for n := range 50 {
		w.callback(succeeded(payout.NewID("cregis", payout.TypePayout, account, strconv.Itoa(n), ""), "1.1"))
	}
	paused := payout.NewID("cregis", payout.TypePayout, account, "open", "")
	fine := payout.NewID("cregis", payout.TypePayout, other, "1", "")
	for _, id := range []payout.ID{paused, fine} {
		w.callback(payout.Event{ID: id, Status: payout.Pending})
		w.answer(payout.Event{ID: id, Status: payout.Failed})
	}
	w.providers["cregis"].refuses = "a"
	w.run(12 * minute)
	w.wantRecord(fine, payout.Failed, payout.Record.IsConfirmed)
	w.providers["cregis"].refuses = ""
	w.asked("cregis")
	w.run(minute)
	if first := w.providers["cregis"].asked[0][0].ID; first != paused {
		t.Errorf("asked about %s first, want the open payout", first)
	}
	if n := w.asked("cregis"); n != 6 {
		t.Errorf("asked %d times, want 6: the open payout and 5 to confirm", n)
	}
	w.check()
}

// A new key in the secret is used at once.
func TestRun_ReplacedKey(t *testing.T) {
	w := newWorld(t)
	w.expect(withID)
	w.run(0) // reads the secret
	w.providers["cregis"].refuses = "a"
	w.answer(succeeded(paid, "1.1"))
	w.reconciler.Credentials = rotating{credentials{w}, []byte(`{"key":"new"}`)}
	w.run(11 * minute)
	w.wantRecord(paid, payout.Succeeded, payout.Record.IsConfirmed)
}

func TestRun_UnavailableFiveTimes(t *testing.T) {
	w := newWorld(t)
	for n := range 20 {
		w.callback(payout.Event{ID: payout.NewID("pivot", payout.TypePayout, account, strconv.Itoa(n), ""), Status: payout.Pending})
	}
	w.answerAll("pivot", reconcile.Unavailable)
	w.run(12 * minute)
	if n := w.asked("pivot"); n != 5 {
		t.Errorf("asked %d times in a row, want 5", n)
	}
}

// An answer about one payout of a request is used for all of its due payouts.
func TestRun_OneQueryPerRequest(t *testing.T) {
	w := newWorld(t)
	for _, reference := range []string{"a", "b", "c"} {
		w.callback(payout.Event{ID: payout.NewID("pivot", payout.TypePayout, other, "u", reference), Status: payout.Delayed})
	}
	got := w.run(12 * minute)
	if n := w.asked("pivot"); n != 1 || got.Outcomes[reconcile.NotFound] != 3 {
		t.Errorf("asked %d times, %+v", n, got)
	}
}

func TestRun_HeldCallback(t *testing.T) {
	for _, test := range []struct {
		reason string
		stated payout.Status
		state  inbox.State
	}{
		{"unknown-field", payout.Succeeded, inbox.Answered},
		{"ambiguous", payout.Succeeded, inbox.Answered},
		{"field", payout.Succeeded, inbox.Answered},
		{"field", payout.Failed, inbox.Held},
		{"field", "", inbox.Held},
		{"unknown-status", payout.Succeeded, inbox.Held},
		{"mismatch", payout.Succeeded, inbox.Held},
	} {
		w := newWorld(t)
		held := inbox.NewHeldReceipt(inbox.HeldCallback{
			Provider: "cregis", Type: payout.TypePayout, Account: account, Subject: []byte("body"), Reason: test.reason, ProviderID: "9001",
		}, []byte("body"), "k", w.now)
		if _, err := w.box.Accept(t.Context(), held); err != nil {
			t.Fatal(err)
		}
		w.providers["cregis"].stated = test.stated
		w.answer(succeeded(paid, "1.1"))
		w.run(12 * time.Second)
		w.wantRecord(paid, payout.Succeeded, payout.Record.IsConfirmed)
		for _, receipt := range w.store.Receipts() {
			if receipt.WasHeld() && (receipt.State != test.state || !receipt.Query.At.IsZero()) {
				t.Errorf("%s, body states %q: the callback is %s, next query %s; want %s", test.reason, test.stated, receipt.State, receipt.Query.At, test.state)
			}
		}
		w.check()
	}
}

// A held callback is asked about for a week, ever more seldom.
func TestRun_HeldCallbackUnknown(t *testing.T) {
	w := newWorld(t)
	held := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: account, Subject: []byte("body"), Reason: "field", ProviderID: "9001",
	}, []byte("body"), "k", w.now)
	if _, err := w.box.Accept(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	for range 10 * 24 * 60 {
		w.run(minute)
	}
	if n := w.asked("cregis"); n < 10 || n > 25 {
		t.Errorf("asked %d times", n)
	}
	if got := w.store.Receipts()[0]; got.State != inbox.Held || !got.Query.At.IsZero() {
		t.Errorf("after ten days: %s, next query at %s", got.State, got.Query.At)
	}
}

// Two runs at once ask once, and a run that stopped is repeated by the next.
func TestRun_LeaseOfAnotherRun(t *testing.T) {
	w := newWorld(t)
	w.expect(withID)
	w.answer(succeeded(paid, "1.1"))
	w.now = w.now.Add(11 * minute)
	_, ok, err := w.reconciler.Accounts.Acquire(t.Context(), "cregis/"+account, "another run", w.now, w.now.Add(2*minute))
	if !ok || err != nil {
		t.Fatal(err)
	}
	if got := w.run(0); got.Busy != 1 || w.asked("cregis") != 0 {
		t.Errorf("got %+v", got)
	}
	w.run(3 * minute)
	w.wantRecord(paid, payout.Succeeded, nil)
}

func TestRun_ConfirmationGivenUp(t *testing.T) {
	w := newWorld(t)
	w.callback(succeeded(paid, "1.1"))
	for range 10 * 24 * 12 {
		w.run(5 * minute)
	}
	if n := w.asked("cregis"); n != 13 {
		t.Errorf("asked %d times within ten days, want 13 within seven", n)
	}
	if at := w.store.Schedule(paid).At; !at.IsZero() {
		t.Errorf("still scheduled at %s", at)
	}
}

func TestRun_DifferingAmount(t *testing.T) {
	w := newWorld(t)
	w.callback(succeeded(paid, "1.1"))
	w.answer(succeeded(paid, "1.2"))
	w.run(3 * minute)
	w.wantRecord(paid, payout.Conflicted, func(r payout.Record) bool { return len(r.Claims[payout.FieldAmount].Seen) == 2 })
}

func TestAsk_DryRun(t *testing.T) {
	w := newWorld(t)
	w.callback(payout.Event{ID: paid, Status: payout.Pending, Reference: "R-1", Amount: "1"})
	w.answer(succeeded(paid, "1.1"))
	before := len(w.store.Receipts())
	got, err := w.reconciler.Ask(t.Context(), reconcile.AskRequest{Payouts: []payout.ID{paid}, DryRun: true})
	if err != nil || len(got.Payouts) != 1 || got.Payouts[0].Outcome != reconcile.Answered || got.Payouts[0].Status != payout.Pending {
		t.Fatalf("got %+v, %v", got, err)
	}
	statement := got.Payouts[0].Statements[0]
	var differing []payout.Field
	for _, field := range statement.Fields {
		if field.Differs {
			differing = append(differing, field.Field)
		}
	}
	if !slices.Equal(differing, []payout.Field{payout.FieldAmount}) || statement.Acceptance != "" {
		t.Errorf("got %+v, want a difference of the amount", statement)
	}
	if len(w.store.Receipts()) != before {
		t.Error("a dry run wrote something")
	}
	if _, err := w.reconciler.Ask(t.Context(), reconcile.AskRequest{Payouts: []payout.ID{paid}}); err != nil {
		t.Fatal(err)
	}
	w.consume()
	w.wantRecord(paid, payout.Conflicted, nil)
}

func TestAsk_Accounts(t *testing.T) {
	w := newWorld(t)
	w.providers["cregis"].refuses = "b"
	delete(w.providers["pivot"].credentials, other)
	got, err := w.reconciler.Ask(t.Context(), reconcile.AskRequest{Accounts: true})
	want := []reconcile.AccountCheck{
		{Account: "cregis/" + account, Outcome: reconcile.NotFound, KeyID: "id of a"},
		{Account: "cregis/" + other, Outcome: reconcile.KeyRefused, KeyID: "id of b"},
		{Account: "pivot/" + account, Outcome: reconcile.NotFound, KeyID: "id of a"},
	}
	if err != nil || len(got.Accounts) != 3 || got.Accounts[0] != want[0] || got.Accounts[1] != want[1] || got.Accounts[2] != want[2] {
		t.Errorf("got %+v, %v; want %+v", got.Accounts, err, want)
	}
}

// A run reads the secret of a provider once, for all of its accounts.
func TestRun_ReadsSecretOnce(t *testing.T) {
	w := newWorld(t)
	counted := &countedCredentials{source: w.reconciler.Credentials}
	w.reconciler.Credentials = counted
	for _, of := range []string{account, other} {
		w.callback(payout.Event{ID: payout.NewID("cregis", payout.TypePayout, of, "1", ""), Status: payout.Pending})
	}
	for range 2 {
		w.run(12 * minute)
	}
	if asked := w.asked("cregis"); counted.reads != 2 || asked != 4 {
		t.Errorf("two runs read the secret %d times for %d queries, want 2 and 4", counted.reads, asked)
	}
}

// Credentials that are stored while a process keeps an earlier reading are used at once:
// without them, the payout would be overdue for a reason that does not hold any more.
func TestRun_NewCredentials(t *testing.T) {
	w := newWorld(t)
	provider := w.providers["cregis"]
	entry := provider.credentials[other]
	delete(provider.credentials, other)
	for _, of := range []string{account, other} {
		w.callback(payout.Event{ID: payout.NewID("cregis", payout.TypePayout, of, "1", ""), Status: payout.Pending})
	}
	w.now = w.now.Add(12 * minute)
	if _, err := w.reconciler.Ask(t.Context(), reconcile.AskRequest{Payouts: []payout.ID{payout.NewID("cregis", payout.TypePayout, account, "1", "")}, DryRun: true}); err != nil {
		t.Fatal(err)
	}
	provider.credentials = maps.Clone(provider.credentials) // the earlier reading keeps its own
	provider.credentials[other] = entry
	result := w.run(10 * time.Second)
	if result.Outcomes[reconcile.NoCredentials] > 0 || result.Outcomes[reconcile.NotFound] != 2 {
		t.Errorf("outcomes %v, want both asked", result.Outcomes)
	}
}

type countedCredentials struct {
	source reconcile.Credentials
	reads  int
}

func (c *countedCredentials) Credentials(ctx context.Context, provider string) (map[string]json.RawMessage, error) {
	c.reads++ // the lock of the connections guards it
	return c.source.Credentials(ctx, provider)
}
