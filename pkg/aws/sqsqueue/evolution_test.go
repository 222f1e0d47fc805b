package sqsqueue_test

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
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

// messages returns a message of each kind, as this version writes them.
func messages(t *testing.T) []string {
	t.Helper()
	at := time.UnixMilli(1795251600123).UTC()
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
	var texts []string
	for _, receipt := range []inbox.Receipt{
		inbox.NewReceipt(single, []byte(`{"pid":1}`), "0a1b2c", at),
		inbox.NewReceipt(batch, []byte{0xff}, "0a1b2c", at),
		inbox.NewResolutionReceipt(decision, "why", at),
		inbox.NewHeldReceipt(held, []byte("body"), "0a1b2c", at),
	} {
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
	// Readers that are deployed know what this version writes.
	if diff := cmp.Diff(old, messages(t)); diff != "" {
		t.Errorf("this version changes messages without a new schema version (-v1 +written):\n%s", diff)
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
