package display_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

const paid payout.ID = "cregis/payout/7/42"

func event(status payout.Status, amount payout.Amount) payout.Event {
	return payout.Event{
		ID: paid, Status: status, Amount: amount, Currency: "TRX", Reference: "order-1",
		To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", TxID: "6dd05b",
	}
}

// newHistory applies the events, a minute apart.
func newHistory(events ...payout.Event) display.History {
	record := payout.Record{ID: paid}
	var history display.History
	for n, event := range events {
		at := noon.Add(time.Duration(n) * time.Minute)
		receipt := inbox.NewReceipt(event, []byte("{}"), "da018436", at)
		record, receipt.Outcome = record.Apply(event)
		receipt.State, receipt.AppliedAt, receipt.DueAt = inbox.Applied, at, time.Time{}
		history = addReceipt(history, record, receipt)
	}
	return history
}

const program = "payoutctl --local"

func heldText(style cli.Style, held inbox.Receipt, now time.Time) string {
	return display.HeldText(style, display.Entry{Receipt: held}, now, program)
}

// addReceipt adds a receipt to a history, and sets the payout that it leads to.
func addReceipt(history display.History, record payout.Record, receipt inbox.Receipt) display.History {
	history.Record, history.Exists = dynamostore.Stored{Record: record, UpdatedAt: receipt.AcceptedAt}, record.Version > 0
	history.Entries = append(history.Entries, display.Entry{Receipt: receipt})
	return history
}

func removeReceipt(history display.History, n int) display.History {
	history.Entries = slices.Delete(history.Entries, n, n+1)
	return history
}

func damageReceipt(history display.History, n int) display.History {
	history.Entries[n].Damaged = true
	return history
}

func text(history display.History) string {
	return history.Text(cli.Style{}, noon.Add(time.Hour), program)
}

func TestHistory_Succeeded(t *testing.T) {
	want := `payout       cregis/payout/7/42
status       succeeded
confirmed    no
sources      callback
amount       1.1 TRX
reference    order-1
to           TXsmKp…n1FS
transaction  6dd05b
updated      2026-11-03 12:01:00 UTC, by 2 receipts

Receipts, in the order of their acceptance:
  #  ACCEPTED (UTC)       SOURCE    STATUS     AMOUNT   KEY       STATE    RESULT   LATENCY  RECEIPT
  1  2026-11-03 12:00:00  callback  pending    1.1 TRX  da018436  applied  changed  <1 s     pending/1MV91l
  2  2026-11-03 12:01:00  callback  succeeded  1.1 TRX  da018436  applied  changed  <1 s     succeeded/1CeyNQ
`
	if diff := cmp.Diff(want, text(newHistory(event(payout.Pending, "1.1"), event(payout.Succeeded, "1.1")))); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

func TestHistory_Conflict(t *testing.T) {
	got := text(newHistory(event(payout.Succeeded, "1"), event(payout.Failed, "1"), event(payout.Failed, "2")))
	for _, want := range []string{
		"status       conflicted\n",
		"Conflicting values, all of which are kept:\n" +
			"  amount  1          claimed by #1, #2\n" +
			"  amount  2          claimed by #3\n" +
			"  status  failed     claimed by #2, #3\n" +
			"  status  succeeded  claimed by #1\n",
		"conflict with another receipt",
		// A command for each way to resolve it, with the shortest unambiguous receipt key.
		"  Then resolve it:\n" +
			"    trust #1:  payoutctl --local resolve cregis/payout/7/42 --trust succeeded/1",
		"\n    trust #2:  payoutctl --local resolve cregis/payout/7/42 --trust failed/1",
		"\n    trust #3:  payoutctl --local resolve cregis/payout/7/42 --trust failed/1",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

// A field in conflict shows the number of its values, as in the table of payouts.
func TestHistory_FieldsInConflict(t *testing.T) {
	other := payout.Event{
		ID: paid, Status: payout.Succeeded, Amount: "2", Currency: "USDT", Reference: "order-2",
		From: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", To: "TJRyWwFs9wTFGZg3JbrVriFbNfCug5tDeC", TxID: "7ee06c", Memo: "5",
	}
	another := other
	another.From, another.Memo = other.To, "6"
	got := text(newHistory(event(payout.Succeeded, "1"), other, another))
	for _, name := range []string{"amount", "currency", "reference", "from", "to", "memo", "transaction"} {
		if want := fmt.Sprintf("\n%-13s(2 values)\n", name); !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if got := text(newHistory(event(payout.Succeeded, "1"), event(payout.Succeeded, "2"))); !strings.Contains(got, "\namount       (2 values) TRX\n") {
		t.Errorf("two amounts in a currency:\n%s", got)
	}
}

func TestHistory_MoreValuesThanStored(t *testing.T) {
	history := newHistory(event(payout.Succeeded, "1"), event(payout.Succeeded, "2"))
	history.Record.Claims[payout.FieldAmount] = payout.ClaimValues{Seen: []string{"1", "2"}, Overflow: true}
	if got, want := text(history), "  amount  2  claimed by #2\n  amount  …  more values were received than are stored\n"; !strings.Contains(got, want) {
		t.Errorf("no %q in:\n%s", want, got)
	}
}

func TestHistory_Batch(t *testing.T) {
	batch := payout.Event{ID: "pivot/batch/m/1", Status: payout.Done, Totals: payout.Totals{
		Pending: payout.Tally{Count: 1, Amount: "50"}, Succeeded: payout.Tally{Count: 2, Amount: "200"},
	}}
	got := text(newHistory(batch))
	for _, want := range []string{
		"items    2 of 3 settled: 2 succeeded, 0 failed, 0 cancelled\n", "250 for 3 items",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	batch.Totals.Pending, batch.Totals.Failed = payout.Tally{}, payout.Tally{Count: 1, Amount: "50"}
	less := batch
	less.Totals.Succeeded, less.Totals.Cancelled = payout.Tally{Count: 1, Amount: "100"}, payout.Tally{Count: 1, Amount: "100"}
	got = text(newHistory(batch, less))
	for _, want := range []string{
		"settled  succeeded 2 200, failed 1 50, cancelled 1 100  claimed in parts: the settled items exceed the batch\n",
		"trust #1:  payoutctl --local resolve pivot/batch/m/1 --trust done/1", "trust #2:",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("settled exceeds total: no %q in:\n%s", want, got)
		}
	}
}

func TestHistory_MissingOrLate(t *testing.T) {
	waiting := inbox.NewReceipt(event(payout.Failed, "1"), nil, "da018436", noon.Add(59*time.Minute))
	late := inbox.NewReceipt(event(payout.Rejected, "1"), nil, "da018436", noon)
	history := addReceipt(display.History{}, payout.Record{ID: paid}, late)
	history = addReceipt(history, payout.Record{ID: paid}, waiting)
	for _, want := range []string{
		"status  no receipt is applied yet", "not applied for 60 min: check the consumer, the queue and the sweeper",
		"waiting for 60 s",
	} {
		if got := text(history); !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	lost := removeReceipt(newHistory(event(payout.Pending, "1"), event(payout.Failed, "1"), event(payout.Succeeded, "1")), 1)
	for _, want := range []string{"missing      1 applied receipt: deleted, or never written", "failed     claimed by no remaining receipt"} {
		if got := text(lost); !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

func TestHistory_DamageAndResolutions(t *testing.T) {
	decision := inbox.NewResolutionReceipt(payout.Resolution{
		ID: paid, Trusted: map[payout.Field]string{payout.FieldStatus: "failed", payout.FieldTo: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"},
	}, "alice: the bank says so", noon)
	history := addReceipt(newHistory(event(payout.Failed, "1")), payout.Record{ID: paid, Version: 1}, decision)
	history = damageReceipt(history, 0)
	for _, want := range []string{"failed  1 TRX", "damaged: it cannot be read", "  resolution  ",
		"Resolutions:\n  #2  2026-11-03 12:00:00 UTC  status is failed, to is TXsmKp…n1FS  alice: the bank says so\n"} {
		if got := text(history); !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

func TestHistory_ControlCharacters(t *testing.T) {
	evil := event(payout.Failed, "1")
	evil.Reference, evil.Reason, evil.TxID = "\x1b[2J", "\r\x1b[1A", "\x07"
	for _, style := range []cli.Style{{}, {Full: true}} {
		if got := newHistory(evil).Text(style, noon, program); strings.ContainsAny(got, "\x1b\r\x07") {
			t.Errorf("control characters in %q", got)
		}
	}
}

func TestHeldText_FullShowsTheBody(t *testing.T) {
	held := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Type: payout.TypePayout, Account: "m", Subject: []byte("x"), Reason: "unknown-event", Note: "met TOPUP",
	}, []byte("{\"event\":\n\"TOPUP\x1b\"}"), "37232b59", noon)
	short := heldText(cli.Style{}, held, noon.Add(time.Hour))
	if !strings.Contains(short, "reason    unknown-event\nsource    callback\naccepted  2026-11-03 12:00:00 UTC, 60 min ago\nkey       37232b59\n") || strings.Contains(short, "TOPUP") {
		t.Errorf("shortened:\n%s", short)
	}
	full := heldText(cli.Style{Full: true}, held, noon)
	if !strings.Contains(full, "\n| met TOPUP\n") || !strings.Contains(full, "\n\n| {\"event\":\n| \"TOPUP\\x1b\"}\n") {
		t.Errorf("in full:\n%s", full)
	}
}

func TestHeldText_Damaged(t *testing.T) {
	held := display.Entry{Receipt: inbox.Receipt{Key: inbox.Key{Payout: "held/cregis/payout/7/x", Receipt: "held"}}, Damaged: true}
	want := `held    held/cregis/payout/7/x
status  damaged: it cannot be read
Restore the receipt. Its raw content: payoutctl --local show held/cregis/payout/7/x --json
`
	for _, style := range []cli.Style{{}, {Full: true}} {
		if diff := cmp.Diff(want, display.HeldText(style, held, noon, program)); diff != "" {
			t.Errorf("held callback (-want +got):\n%s", diff)
		}
	}
}

func TestHeldText_EachState(t *testing.T) {
	held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "m", Reason: "unknown-status"}, nil, "k", noon)
	held.ChangedBy = inbox.NewChangedBy("alice", "v2 knows it", noon)
	for state, want := range map[inbox.State]string{
		inbox.Held:      "Once this program understands it: payoutctl --local release held/pivot/payout/m/",
		inbox.Dismissed: "dismissed  2026-11-03 12:00:00 UTC, by alice: v2 knows it\n",
		inbox.Released:  "and understood later: payoutctl --local show pivot/payout/m/1\n",
		inbox.Answered:  "The provider's answer to a query states its status: payoutctl --local show pivot/payout/m/1\n",
	} {
		held.State, held.ReleasedAs = state, inbox.Key{Payout: "pivot/payout/m/1", Receipt: "succeeded/1"}
		if got := heldText(cli.Style{}, held, noon); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in:\n%s", state, want, got)
		}
	}
}

func TestPayoutTable(t *testing.T) {
	record := func(events ...payout.Event) dynamostore.Stored {
		record := payout.Record{}
		for _, event := range events {
			record, _ = record.Apply(event)
		}
		return dynamostore.Stored{Record: record, UpdatedAt: noon}
	}
	bare := payout.Event{ID: "pivot/payout/m/1/a", Status: payout.Delayed}
	payouts := []dynamostore.Stored{record(event(payout.Succeeded, "1.1")), record(bare), record(event(payout.Failed, "1"), event(payout.Failed, "22"))}
	// The age of an overdue payout counts from its deadline.
	ordered := payout.Event{ID: paid, Source: payout.SourceExpectation, Status: payout.Expected, Deadline: noon.Add(-3 * time.Hour).UnixMilli()}
	payouts = append(payouts, record(ordered), record(ordered, payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "open"}))
	want := `STATUS      AMOUNT      CURRENCY  REFERENCE  UPDATED (UTC)        AGE     PAYOUT
succeeded   1.1         TRX       order-1    2026-11-03 12:00:00  30 min  cregis/payout/7/42
delayed     -           -         -          2026-11-03 12:00:00  30 min  pivot/payout/m/1/a
conflicted  (2 values)  TRX       order-1    2026-11-03 12:00:00  30 min  cregis/payout/7/42
expected    -           -         -          2026-11-03 12:00:00  30 min  cregis/payout/7/42
expected    -           -         -          2026-11-03 12:00:00  3 h     cregis/payout/7/42
`
	now := noon.Add(30 * time.Minute)
	plain := display.PayoutTable(cli.Style{}, payouts, now)
	if diff := cmp.Diff(want, plain); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	colours := display.PayoutTable(cli.Style{Colours: true}, payouts, now)
	if !strings.Contains(colours, "\x1b[32msucceeded\x1b[0m   1.1") || !strings.Contains(colours, "\x1b[31mconflicted\x1b[0m") {
		t.Errorf("colours: %q", colours)
	}
}

func TestNewPayout_JSON(t *testing.T) {
	record, _ := payout.Record{}.Apply(event(payout.Succeeded, "1.10"))
	got, err := json.Marshal(display.NewPayout(dynamostore.Stored{Record: record, UpdatedAt: noon}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"payout":"cregis/payout/7/42","provider":"cregis","type":"payout","account":"7","status":"succeeded",` +
		`"amount":"1.10","currency":"TRX","reference":"order-1","updatedAt":"2026-11-03T12:00:00Z","version":1,` +
		`"claims":{"amount":["1.10"],"currency":["TRX"],"reference":["order-1"],"status":["succeeded"],` +
		`"to":["TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"],"txid":["6dd05b"]},"confirmed":false,"expected":false,"sources":["callback"]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("json (-want +got):\n%s", diff)
	}
}

func TestHistory_Changes(t *testing.T) {
	expected := event(payout.Expected, "1.1")
	expected.Source, expected.To, expected.TxID = payout.SourceExpectation, "", ""
	answer := event(payout.Succeeded, "1.1")
	answer.Source = payout.SourceQuery
	history := newHistory(expected, event(payout.Succeeded, "1.1"), answer, event(payout.Failed, "1.1"))
	decision, err := history.Record.NewResolution(history.Entries[1].Event)
	if err != nil {
		t.Fatal(err)
	}
	resolution := inbox.NewResolutionReceipt(decision, "ops: why", noon.Add(time.Hour))
	resolution.State, resolution.AppliedAt = inbox.Applied, noon.Add(time.Hour)
	record, _ := history.Record.Resolve(decision)
	history = addReceipt(history, record, resolution)
	slices.Reverse(history.Entries) // the order of their application counts
	want := []string{"conflicted → succeeded; confirmed", "succeeded → conflicted; conflict in status", "confirmed", "expected → succeeded; sets to, txid", "created as expected"}
	changes := history.Changes()
	for n, entry := range history.Entries {
		if got := changes[entry.Key]; got != want[n] {
			t.Errorf("%s: %q, want %q", entry.Key.Receipt, got, want[n])
		}
	}
	if repeated := newHistory(event(payout.Succeeded, "1.1"), event(payout.Succeeded, "1.1")); repeated.Changes()[repeated.Entries[1].Key] != "nothing" {
		t.Errorf("the same event again: %q", repeated.Changes())
	}
}
