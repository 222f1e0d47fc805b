package inbox_test

import (
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

var acceptedAt = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// sourceReceipts returns a receipt of each kind and source, by the source and the status in
// its key.
func sourceReceipts() map[string]inbox.Receipt {
	receipt := func(e payout.Event) inbox.Receipt { return inbox.NewReceipt(e, []byte("{}"), "", acceptedAt) }
	held := func(source payout.Source) inbox.Receipt {
		return inbox.NewHeldReceipt(inbox.HeldCallback{
			Provider: "cregis", Source: source, Type: payout.TypePayout, Account: "1382528827416576", Subject: []byte("s"), Reason: "field", ProviderID: "9001",
		}, []byte("{}"), "", acceptedAt)
	}
	return map[string]inbox.Receipt{
		"callback succeeded":   receipt(callback(payout.Succeeded)),
		"query succeeded":      receipt(answer(payout.Succeeded)),
		"expectation expected": receipt(order(onePayout, time.Hour)),
		"reconciler overdue":   receipt(reconciler(onePayout, payout.Overdue, "open")),
		"reconciler linked":    receipt(payout.Event{ID: unknownID, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: onePayout}),
		"resolution failed":    receipt(by(payout.SourceResolution, callback(payout.Failed))),
		"callback held":        held(""),
		"query held":           held(payout.SourceQuery),
	}
}

func TestReceipt_KeyOfSources(t *testing.T) {
	seen := map[inbox.Key]string{}
	for want, receipt := range sourceReceipts() {
		if other, ok := seen[receipt.Key]; ok {
			t.Errorf("%s has the key of %s", want, other)
		}
		seen[receipt.Key] = want
		source, status := receipt.Key.Statement()
		if got := string(source) + " " + string(status); got != want {
			t.Errorf("%v states %q, want %q", receipt.Key, got, want)
		}
		if receipt.Source() != source {
			t.Errorf("%s: source %q", want, receipt.Source())
		}
		prefix := strings.ReplaceAll(want, " ", "/")
		if rest, isCallback := strings.CutPrefix(prefix, "callback/"); isCallback {
			prefix = rest // callbacks keep the keys that they had before there were other sources
		}
		if !strings.HasPrefix(receipt.Key.Receipt, prefix) {
			t.Errorf("%s: key %q", want, receipt.Key.Receipt)
		}
		if !receipt.HasValidKey() {
			t.Errorf("%s: the key is not valid", want)
		}
	}
	resolution := inbox.NewResolutionReceipt(rejectSucceeded(), "", acceptedAt)
	if source, _ := resolution.Key.Statement(); source != payout.SourceResolution || !resolution.HasValidKey() {
		t.Errorf("resolution %v: source %q, valid key %t", resolution.Key, source, resolution.HasValidKey())
	}
}

// A receipt whose content does not belong to its key is altered.
func TestReceipt_InvalidKey(t *testing.T) {
	edits := map[string]func(*inbox.Receipt){
		"source":    func(r *inbox.Receipt) { r.Event.Source = payout.SourceQuery },
		"deadline":  func(r *inbox.Receipt) { r.Event.Deadline++ },
		"linked to": func(r *inbox.Receipt) { r.Event.LinkedTo += "1" },
		"amount":    func(r *inbox.Receipt) { r.Event.Amount += "1" },
		"key of another source": func(r *inbox.Receipt) {
			if rest, isAnswer := strings.CutPrefix(r.Key.Receipt, "query/"); isAnswer {
				r.Key.Receipt = rest
			} else {
				r.Key.Receipt = "query/" + r.Key.Receipt
			}
		},
	}
	for name, receipt := range sourceReceipts() {
		for edited, edit := range edits {
			changed := receipt
			edit(&changed)
			isEdited := changed.Key != receipt.Key || changed.Event != receipt.Event
			if receipt.State != inbox.Held && isEdited && changed.HasValidKey() {
				t.Errorf("%s, %s changed: the key is valid", name, edited)
			}
		}
	}
	for _, key := range []string{"succeeded", "query/succeeded", "held/", "query/held/x", ""} {
		held := sourceReceipts()["query held"]
		if held.Key.Receipt = key; held.HasValidKey() {
			t.Errorf("held receipt with the key %q: it is valid", key)
		}
	}
}

// An answer repeated on another day has the receipt of the first.
func TestReceipt_RepeatedAnswer(t *testing.T) {
	for name, event := range map[string]payout.Event{
		"answer": answer(payout.Pending), "overdue": reconciler(onePayout, payout.Overdue, "open"), "expectation": order(onePayout, time.Hour),
	} {
		first := inbox.NewReceipt(event, []byte("{}"), "", acceptedAt)
		if again := inbox.NewReceipt(event, []byte(`{"at":2}`), "k", acceptedAt.Add(24*time.Hour)); again.Key != first.Key {
			t.Errorf("%s: got %v, want %v", name, again.Key, first.Key)
		}
	}
	s := newScheduler(t, all)
	s.apply(callback(payout.Pending), answer(payout.Pending))
	receipt := inbox.NewReceipt(answer(payout.Pending), nil, "", s.now.Add(24*time.Hour))
	if got, err := s.box.Apply(t.Context(), receipt); err != nil || got != inbox.ApplyDuplicate {
		t.Errorf("the answer of the next day: %q, %v", got, err)
	}
}

// Only a held callback that names a payout is asked about by itself.
func TestNewHeldReceipt_FirstQuery(t *testing.T) {
	receipts := sourceReceipts()
	if after := receipts["callback held"].Query.At.Sub(acceptedAt); after < 10*time.Second || after > 11*time.Second {
		t.Errorf("callback: asked about after %s, want 10 seconds and at most a tenth", after)
	}
	nameless := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Subject: []byte("s")}, nil, "", acceptedAt)
	for name, receipt := range map[string]inbox.Receipt{"answer": receipts["query held"], "callback without an id": nameless} {
		if !receipt.Query.At.IsZero() {
			t.Errorf("%s: asked about at %s", name, receipt.Query.At)
		}
	}
}
