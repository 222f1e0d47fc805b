package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	published "payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the histories have much to review
	os.Exit(m.Run())
}

const paid payout.ID = "cregis/payout/7/1"

// memory is the books of a test. Each write may fail, or be done without saying so.
type memory struct {
	entries map[string]entry
	orders  map[string]order
	credits []string // each time that an amount was credited
	fault   func() (done, failed bool)
}

func newMemory() *memory {
	orders := map[string]order{"order": {Reference: "order", Amount: "2.50", Currency: "TRX"}}
	return &memory{entries: map[string]entry{}, orders: orders, fault: func() (bool, bool) { return true, false }}
}

func (m *memory) read(_ context.Context, payout string) (entry, error) { return m.entries[payout], nil }

func (m *memory) order(_ context.Context, reference string) (order, error) {
	return m.orders[reference], nil
}

func (m *memory) write(_ context.Context, read, next entry) error {
	before := m.entries[next.Payout]
	if before.Version != read.Version {
		return errRaced
	}
	credits := before.Credited == "" && next.Credited != ""
	ordered, ok := m.orders[next.Reference]
	if credits && (!ok || ordered.Payout != "" && ordered.Payout != next.Payout) {
		return errRaced
	}
	done, failed := m.fault()
	if done {
		m.entries[next.Payout] = next
		if credits {
			ordered.Payout = next.Payout
			m.orders[next.Reference] = ordered
			m.credits = append(m.credits, next.Credited)
		}
	}
	if failed {
		return errors.New("connection reset")
	}
	return nil
}

func asEvent(t rapid.TB, n published.Notification) events.EventBridgeEvent {
	detail, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return events.EventBridgeEvent{Source: "payout-callbacks", DetailType: string(n.Type), Detail: detail}
}

// deliver does as EventBridge does: again, until it is taken.
func (s service) deliver(t rapid.TB, n published.Notification) {
	for range 100 {
		if s.event(context.Background(), asEvent(t, n)) == nil {
			return
		}
	}
	t.Fatal("it is never taken")
}

// I2: with notifications repeated, in any order, and with failing writes, a customer
// is credited at most once, and the books finally show the status of the record.
func TestService_CreditsAtMostOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent, last := history(t)
		books := newMemory()
		books.fault = func() (bool, bool) {
			how := rapid.IntRange(0, 5).Draw(t, "fault")
			return how != 0, how <= 1
		}
		s := service{books}
		times := rapid.SliceOfN(rapid.IntRange(0, max(0, len(sent)-1)), 0, 12).Draw(t, "again")
		order := rapid.Permutation(sent).Draw(t, "order")
		for _, n := range times {
			if len(sent) > 0 {
				order = append(order, sent[n])
			}
		}
		for _, item := range order {
			s.deliver(t, item)
		}
		wantBooks(t, books, sent, last)
	})
}

// wantBooks compares the books with the record after all notifications.
func wantBooks(t *rapid.T, books *memory, sent []published.Notification, last payout.Record) {
	got := books.entries[string(paid)]
	if len(books.credits) > 1 {
		t.Fatalf("credited %v", books.credits)
	}
	if len(sent) > 0 && got.Status != string(sent[len(sent)-1].Status) {
		t.Fatalf("the books show %q, the last notification %q", got.Status, sent[len(sent)-1].Status)
	}
	final := last.Status().IsFinal() || last.Status() == payout.Conflicted
	if final && got.Status != string(last.Status()) {
		t.Fatalf("the books show %q, the record %q", got.Status, last.Status())
	}
	if last.Status() == payout.Succeeded {
		right := got.Credited == last.Value(payout.FieldAmount)
		// What was published again and came late may have had somebody look in vain.
		late := slices.ContainsFunc(sent, func(n published.Notification) bool { return n.Republished != "" })
		isOrdered := last.Value(payout.FieldAmount) == "2.5"
		if isOrdered && len(books.credits) != 1 || !right && !got.Review || right && got.Review && !late {
			t.Fatalf("credited %v of %s, review %t", books.credits, last.Value(payout.FieldAmount), got.Review)
		}
	}
	if last.Status() != payout.Succeeded && got.Credited != "" && !got.Review {
		t.Fatalf("credited %s, the record shows %s, and no review is requested", got.Credited, last.Status())
	}
}

// history draws facts of a payout, and returns what is published as they are
// merged and the record in the end. Somebody may publish again at any time.
func history(t *rapid.T) (sent []published.Notification, last payout.Record) {
	for range rapid.IntRange(1, 8).Draw(t, "facts") {
		before := last
		last = merge(t, before)
		if n, ok := published.FromChange(before, last, time.Time{}); ok {
			sent = append(sent, n)
		}
		if rapid.IntRange(0, 4).Draw(t, "again") == 0 {
			if item, value := published.FromRecord(last, time.Time{}); value {
				item.Republished = "a test"
				sent = append(sent, item)
			}
		}
	}
	return sent, last
}

func merge(t *rapid.T, record payout.Record) payout.Record {
	if rapid.IntRange(0, 2).Draw(t, "decision") == 0 {
		field := rapid.SampledFrom([]payout.Field{payout.FieldStatus, payout.FieldAmount}).Draw(t, "field")
		decision := payout.Resolution{ID: paid, Rejected: map[payout.Field][]string{
			field: {rapid.SampledFrom([]string{"succeeded", "failed", "2.5", "2.6"}).Draw(t, "rejected")},
		}}
		if rapid.Bool().Draw(t, "replaces") {
			for key := range record.Resolutions {
				decision.Replaces = append(decision.Replaces, key)
			}
		}
		record, _ = record.Resolve(decision)
		return record
	}
	e := payout.Event{
		ID:     paid,
		Status: rapid.SampledFrom([]payout.Status{payout.Pending, payout.Succeeded, payout.Succeeded, payout.Failed}).Draw(t, "status"),
		Source: rapid.SampledFrom([]payout.Source{"", "", payout.SourceQuery, payout.SourceExpectation, payout.SourceReconciler}).Draw(t, "source"),
		Amount: rapid.SampledFrom([]payout.Amount{"2.5", "2.5", "2.5", "2.6"}).Draw(t, "amount"), Currency: "TRX", Reference: "order",
		TxID: rapid.SampledFrom([]string{"", "0xabc"}).Draw(t, "txid"),
	}
	switch e.Source {
	case payout.SourceExpectation:
		e.Status = payout.Expected
	case payout.SourceReconciler:
		e = payout.Event{ID: paid, Source: e.Source, Status: payout.Overdue, Reason: "open"}
	}
	record, _ = record.Apply(e)
	return record
}

func TestEntry_ApplyNotification(t *testing.T) {
	credited := entry{Payout: "p", Version: 1, Status: "succeeded", Credited: "2.5", Currency: "TRX", Reference: "order"}
	received := func(version int64, status, amount string) notification {
		return notification{Schema: 1, Payout: "p", Version: version, Status: status, Amount: amount, Currency: "TRX", Reference: "order"}
	}
	success := func(reference, currency string) notification {
		n := received(3, "succeeded", "2.5")
		n.Reference, n.Currency = reference, currency
		return n
	}
	unpaid := entry{Payout: "p", Version: 1, Status: "succeeded", Review: true} // not what was ordered
	again := func(n notification) notification {
		n.Republished = "restored to 08:59, INC-17"
		return n
	}
	change := func(of entry, version int64, status string, review bool) entry {
		of.Version, of.Status, of.Review = version, status, review
		return of
	}
	for name, test := range map[string]struct {
		before   entry
		received notification
		want     entry
	}{
		"a success":                          {entry{}, received(1, "succeeded", "2.5"), credited},
		"the same once more":                 {credited, received(1, "succeeded", "2.5"), credited},
		"published again, later":             {credited, received(4, "succeeded", "2.5"), change(credited, 4, "succeeded", false)},
		"a failure":                          {entry{}, received(1, "failed", "2.5"), entry{Payout: "p", Version: 1, Status: "failed"}},
		"a contradiction after it":           {credited, received(2, "conflicted", "2.5"), change(credited, 2, "conflicted", true)},
		"which ends well":                    {change(credited, 2, "conflicted", true), received(3, "succeeded", "2.5"), change(credited, 3, "succeeded", false)},
		"which ends badly":                   {change(credited, 2, "conflicted", true), received(3, "failed", "2.5"), change(credited, 3, "failed", true)},
		"which ends with other money":        {change(credited, 2, "conflicted", true), received(3, "succeeded", "9"), change(credited, 3, "succeeded", true)},
		"which ends for another order":       {change(credited, 2, "conflicted", true), success("order-9", "TRX"), change(credited, 3, "succeeded", true)},
		"a success that comes too late":      {change(entry{Payout: "p"}, 2, "conflicted", false), received(1, "succeeded", "2.5"), change(entry{Payout: "p"}, 2, "conflicted", false)},
		"published again, as it was":         {credited, again(received(1, "succeeded", "2.5")), credited},
		"published again, the version again": {change(credited, 4, "succeeded", false), again(received(4, "failed", "2.5")), change(credited, 4, "succeeded", true)},
		"published again, the version down":  {change(credited, 4, "succeeded", false), again(received(3, "succeeded", "2.5")), change(credited, 4, "succeeded", true)},
		"the version down, by itself":        {change(credited, 4, "succeeded", false), received(3, "failed", "2.5"), change(credited, 4, "succeeded", false)},
		"published again, and above":         {change(credited, 4, "conflicted", true), again(received(5, "succeeded", "2.5")), change(credited, 5, "succeeded", false)},
		"a success of no known amount":       {entry{}, received(1, "succeeded", ""), unpaid},
		"a success of another amount":        {entry{}, received(1, "succeeded", "2.51"), unpaid},
		"a success of the amount in a form":  {entry{}, received(1, "succeeded", "2.500"), func() entry { e := credited; e.Credited = "2.500"; return e }()},
		"a success of no order":              {entry{}, success("order-9", "TRX"), change(unpaid, 3, "succeeded", true)},
		"a success without a reference":      {entry{}, success("", "TRX"), change(unpaid, 3, "succeeded", true)},
		"a success in another currency":      {entry{}, success("order", "USDT"), change(unpaid, 3, "succeeded", true)},
		"a confirmation":                     {credited, received(2, "succeeded", "2.5"), change(credited, 2, "succeeded", false)},
		"a confirmation before the success":  {entry{}, received(2, "succeeded", "2.5"), change(credited, 2, "succeeded", false)},
		"overdue":                            {entry{}, received(2, "expected", "2.5"), entry{Payout: "p", Version: 2, Status: "expected"}},
		"a success after it was overdue":     {entry{Payout: "p", Version: 1, Status: "expected"}, received(2, "succeeded", "2.5"), change(credited, 2, "succeeded", false)},
		"overdue, after the success":         {change(credited, 3, "succeeded", false), received(2, "pending", "2.5"), change(credited, 3, "succeeded", false)},
		"the right amount after a wrong one": {unpaid, received(2, "succeeded", "2.5"), change(credited, 2, "succeeded", false)},
	} {
		got, changed := test.before.apply(test.received, order{Reference: "order", Amount: "2.5", Currency: "TRX"})
		if diff := cmp.Diff(test.want, got); diff != "" || changed != (got != test.before) {
			t.Errorf("%s: changed %t (-want +got):\n%s", name, changed, diff)
		}
	}
}

// After a restore, versions decrease and are used again. Whatever was received
// before or comes late: once the state is republished, the books show it, or the
// entry has review set. A customer is credited at most once.
func TestService_AfterRestore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lost, _ := history(t)
		kept, record := history(t)
		again, ok := published.FromRecord(record, time.Time{})
		if !ok {
			return
		}
		again.Republished = "restored"
		books := newMemory()
		for _, n := range rapid.Permutation(append(lost, kept...)).Draw(t, "order") {
			service{books}.deliver(t, n)
		}
		service{books}.deliver(t, again)
		got := books.entries[string(paid)]
		if got.Status != string(record.Status()) && !got.Review {
			t.Fatalf("the books show %q, the record %q, and no review is requested", got.Status, record.Status())
		}
		if got.Version > record.Version && !got.Review {
			t.Fatalf("the books are at version %d, the record at %d, and no review is requested", got.Version, record.Version)
		}
		if record.Status() == payout.Succeeded && got.Credited != record.Value(payout.FieldAmount) && !got.Review {
			t.Fatalf("credited %q of %s, and no review is requested", got.Credited, record.Value(payout.FieldAmount))
		}
		if len(books.credits) > 1 {
			t.Fatalf("credited %v", books.credits)
		}
	})
}

// The service logs a review also if the response of the write was lost and the next
// attempt finds the entry written.
func TestService_ReviewLoggedAfterLostResponse(t *testing.T) {
	var said bytes.Buffer
	discard := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&said, nil)))
	t.Cleanup(func() { slog.SetDefault(discard) })
	books := newMemory()
	books.entries["p"] = entry{Payout: "p", Version: 1, Status: "succeeded", Credited: "2.5", Currency: "TRX"}
	answers := []bool{true, false} // the first is lost
	books.fault = func() (bool, bool) {
		lost := answers[0]
		answers = answers[1:]
		return true, lost
	}
	received := notification{Schema: 1, Payout: "p", Version: 2, Status: "conflicted", Currency: "TRX"}
	if err := (service{books}).handle(t.Context(), received); err == nil || said.Len() > 0 {
		t.Fatalf("%v, and it said %q", err, &said)
	}
	if err := (service{books}).handle(t.Context(), received); err != nil || !strings.Contains(said.String(), "msg=review payout=p status=conflicted") {
		t.Errorf("%v, and it said %q", err, &said)
	}
}

// The documented examples of all types are read, from a rule and from a queue.
func TestService_DocumentedExamples(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(templatetest.Root(t), "docs", "events", "*.example.json"))
	if err != nil || len(paths) != len(published.Types()) {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		detail, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := (service{newMemory()}).event(t.Context(), events.EventBridgeEvent{Detail: detail}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		body := fmt.Sprintf(`{"version":"0","source":"payout-callbacks","time":"2026-11-21T09:00:00Z","detail":%s}`, detail)
		response, err := service{newMemory()}.messages(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
			{MessageId: "good", Body: body}, {MessageId: "poison", Body: "{"},
		}})
		want := []events.SQSBatchItemFailure{{ItemIdentifier: "poison"}}
		if diff := cmp.Diff(want, response.BatchItemFailures); err != nil || diff != "" {
			t.Errorf("%s: %v, failures (-want +got):\n%s", path, err, diff)
		}
	}
}

func TestService_UnknownSchema(t *testing.T) {
	for _, detail := range []string{`{"v":2,"payout":"p","version":1}`, `{"v":1,"version":1}`, `{"v":1,"payout":"p"}`, `[]`, ``} {
		if err := (service{newMemory()}).event(t.Context(), events.EventBridgeEvent{Detail: json.RawMessage(detail)}); err == nil {
			t.Errorf("%s was taken", detail)
		}
	}
}
