package sqsqueue_test

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

var at = time.UnixMilli(1795251600123).UTC()

// messages returns a message of each kind of schema version 1, as this version writes
// them.
func messages(t *testing.T) []string {
	t.Helper()
	batch := payout.Event{ID: "pivot/batch/m/b", Status: payout.Done, Currency: "IDR", Totals: payout.Totals{
		Pending: payout.Tally{Count: 1, Amount: "10"}, Succeeded: payout.Tally{Count: 2, Amount: "20.5"},
		Failed: payout.Tally{Count: 3, Amount: "30"}, Cancelled: payout.Tally{Count: 4, Amount: "40"},
	}}
	single := payout.Event{
		ID: "cregis/payout/1/2", Reference: "order-1", Status: payout.Failed, Reason: "no funds", Amount: "1.1", Currency: "TRX",
		Chain: "195", Token: "195", From: "TFrom", To: "TTo", Memo: "memo", TxID: "0xabc", BlockHeight: 18446744073709551615, BlockTime: 1687939200000,
	}
	decision := payout.Resolution{
		ID: "cregis/payout/1/2", Trusted: map[payout.Field]string{payout.FieldStatus: "failed"},
		Rejected: map[payout.Field][]string{payout.FieldStatus: {"succeeded"}}, Replaces: []string{"1abc"},
	}
	held := inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "1", Subject: []byte("s"), Reason: "unknown-status", Note: "status 9"}
	return encodeAll(t,
		inbox.NewReceipt(single, []byte(`{"pid":1}`), "0a1b2c", at),
		inbox.NewReceipt(batch, []byte{0xff}, "0a1b2c", at),
		inbox.NewResolutionReceipt(decision, "why", at),
		inbox.NewHeldReceipt(held, []byte("body"), "0a1b2c", at),
	)
}

// messagesOfSources returns a message of each kind of schema version 2.
func messagesOfSources(t *testing.T) []string {
	t.Helper()
	const withoutID, withID = "cregis/payout/1//order-1", "cregis/payout/1/2"
	expectation := payout.Event{
		ID: withoutID, Source: payout.SourceExpectation, Reference: "order-1", Status: payout.Expected, Amount: "1.1", Currency: "195@195",
		To: "TTo", Memo: "memo", Deadline: 1795252200000,
	}
	answer := payout.Event{
		ID: withID, Source: payout.SourceQuery, Reference: "order-1", Status: payout.Succeeded, Amount: "1.1", Currency: "195@195",
		Chain: "195", Token: "195", From: "TFrom", To: "TTo", Memo: "memo", TxID: "0xabc", BlockHeight: 34527604, BlockTime: 1686814482000,
	}
	listing := payout.Event{ID: "pivot/batch/m/b", Source: payout.SourceQuery, Status: payout.Done, Currency: "IDR", Totals: payout.Totals{
		Succeeded: payout.Tally{Count: 2, Amount: "20.5"}, Failed: payout.Tally{Count: 1, Amount: "10"},
	}}
	overdue := payout.Event{ID: withoutID, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "unasked"}
	linked := payout.Event{ID: withoutID, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: withID}
	closed := payout.Event{ID: "cregis/payout/1/3", Source: payout.SourceResolution, Status: payout.Cancelled, Reason: "cancelled by the bank"}
	held := inbox.HeldCallback{
		Provider: "pivot", Type: payout.TypePayout, Account: "m", Subject: []byte("s"), Reason: "field", Note: "amount", ProviderID: "b", Reference: "order-2",
	}
	heldAnswer := held
	heldAnswer.Source = payout.SourceQuery
	return encodeAll(t,
		inbox.NewReceipt(expectation, []byte(`{"provider":"cregis"}`), "", at),
		inbox.NewReceipt(answer, []byte(`{"pid":1}`), "0a1b2c", at),
		inbox.NewReceipt(listing, []byte(`{"uuid":"b"}`), "", at),
		inbox.NewReceipt(overdue, nil, "", at),
		inbox.NewReceipt(linked, nil, "", at),
		inbox.NewReceipt(closed, nil, "", at),
		inbox.NewHeldReceipt(held, []byte("body"), "0a1b2c", at),
		inbox.NewHeldReceipt(heldAnswer, []byte("body"), "", at),
	)
}

func encodeAll(t *testing.T, receipts ...inbox.Receipt) []string {
	t.Helper()
	var texts []string
	for _, receipt := range receipts {
		texts = append(texts, encode(t, receipt))
	}
	return texts
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var texts []string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		texts = append(texts, scanner.Text())
	}
	if len(texts) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return texts
}

// When a version is deployed, messages of the one before are in the queue, and for
// two more weeks in the dead-letter queue. The file of a schema version never
// changes; a new schema version gets another file.
func TestConsume_OlderMessages(t *testing.T) {
	old := lines(t, "messages-v1.jsonl")
	store, deliveries := consume(t, old...)
	for n, want := range []inbox.ApplyResult{inbox.ApplyChanged, inbox.ApplyChanged, inbox.ApplyUnchanged, inbox.ApplyHeld} {
		if deliveries[n].Err != nil || deliveries[n].Outcome != want {
			t.Errorf("message %d: %s, %v, want %s", n, deliveries[n].Outcome, deliveries[n].Err, want)
		}
	}
	if got := store.Record("cregis/payout/1/2"); got.Status() != payout.Failed || got.Version != 2 || len(got.Resolutions) != 1 {
		t.Errorf("payout: got %+v", got)
	}
	if got := store.Record("pivot/batch/m/b"); got.Settled.Cancelled.Amount != "40" || got.Status() != payout.Pending {
		t.Errorf("batch: got %+v", got)
	}
	wantUnchanged(t, old, messages(t))
}

func TestConsume_MessagesOfSources(t *testing.T) {
	old := lines(t, "messages-v2.jsonl")
	store, deliveries := consume(t, old...)
	for n, delivery := range deliveries {
		want := inbox.ApplyChanged
		if n >= len(deliveries)-2 {
			want = inbox.ApplyHeld
		}
		if delivery.Err != nil || delivery.Outcome != want {
			t.Errorf("message %d: %s, %v, want %s", n, delivery.Outcome, delivery.Err, want)
		}
	}
	expected := store.Record("cregis/payout/1//order-1")
	isOverdue := slices.Equal(expected.Overdue, []string{"unasked"})
	if !expected.IsExpected() || !isOverdue || expected.Status() != payout.Linked || expected.Value(payout.FieldLinkedTo) != "cregis/payout/1/2" {
		t.Errorf("expected payout: got %+v", expected)
	}
	for id, want := range map[payout.ID]payout.Status{"cregis/payout/1/2": payout.Succeeded, "pivot/batch/m/b": payout.Done, "cregis/payout/1/3": payout.Cancelled} {
		got := store.Record(id)
		isAnswer := slices.Contains(got.Sources, payout.SourceQuery)
		if got.Status() != want || got.IsConfirmed() != isAnswer {
			t.Errorf("%s: got %s, confirmed %t, want %s", id, got.Status(), got.IsConfirmed(), want)
		}
	}
	for _, receipt := range store.Receipts() {
		isAsked := receipt.State == inbox.Held && receipt.Source() == payout.SourceCallback
		if receipt.WasHeld() && (receipt.ProviderID != "b" || receipt.Reference != "order-2" || receipt.Query.At.IsZero() == isAsked) {
			t.Errorf("held: got %+v", receipt)
		}
	}
	wantUnchanged(t, old, messagesOfSources(t))
}

// wantUnchanged wants this version to write the frozen messages: readers that are
// deployed know them.
func wantUnchanged(t *testing.T, frozen, written []string) {
	t.Helper()
	if diff := cmp.Diff(frozen, written); diff != "" {
		t.Errorf("this version changes messages without a new schema version (-frozen +written):\n%s", diff)
	}
}

// I1: during a deployment, or after a rollback, an old consumer receives messages of
// a newer version. It ignores unknown fields of its own schema version; it leaves a
// later schema version in the queue for a consumer that can read it.
func TestConsume_NewerMessages(t *testing.T) {
	ours := messages(t)[0]
	more := strings.Replace(ours, `{"v":1,`, `{"v":1,"trace":"added later, no part of the meaning",`, 1)
	later := strings.Replace(ours, `"v":1`, `"v":3`, 1)
	// A writer that changes the fingerprint but forgets the schema version.
	forgotten := strings.Replace(ours, `"receipt":"failed/1`, `"receipt":"failed/2`, 1)
	if more == ours || later == ours || forgotten == ours {
		t.Fatal("nothing was replaced")
	}

	store, deliveries := consume(t, more)
	if deliveries[0].Outcome != inbox.ApplyChanged || store.Record("cregis/payout/1/2").Version != 1 {
		t.Errorf("an unknown field: %+v", deliveries[0])
	}
	for name, text := range map[string]string{"a later version": later, "another fingerprint": forgotten} {
		store, deliveries := consume(t, text)
		if !deliveries[0].Unreadable || len(store.Receipts()) != 0 || len(store.Records()) != 0 {
			t.Errorf("%s: %+v", name, deliveries[0])
		}
		if failures := consumer.Response(deliveries).BatchItemFailures; len(failures) != 1 {
			t.Errorf("%s is not left in the queue: %v", name, failures)
		}
	}
}

// consume delivers messages to a consumer, one after the other.
func consume(t *testing.T, texts ...string) (*memory.Store, []consumer.Delivery) {
	t.Helper()
	store := &memory.Store{}
	in := &inbox.Inbox{Store: store, Now: func() time.Time { return time.UnixMilli(1795251700000) }}
	c := &consumer.Consumer{Inbox: in, Queue: noPostponing{}}
	var deliveries []consumer.Delivery
	for _, text := range texts {
		deliveries = append(deliveries, c.Consume(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: text}}})...)
	}
	return store, deliveries
}

// noPostponing ignores all calls.
type noPostponing struct{}

func (noPostponing) Postpone(context.Context, string, time.Duration) error { return nil }
