package pivot_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
)

// FuzzParse checks that every body with a valid key is held or becomes an event of
// the sender that can be written and read again; never both or neither.
func FuzzParse(f *testing.F) {
	for _, vector := range providertest.Vectors(f, "testdata") {
		f.Add(vector.Body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		request := signed(t, body, "pivot-demo-key-current")
		verified, err := pivot.Provider{}.Verify(request, testKeys())
		if err != nil || verified.Sender.Account != merchant {
			t.Fatalf("Verify = %+v, %v", verified.Sender, err)
		}
		event, held := verified.Event()
		if held != nil {
			checkHeld(t, event, held)
			return
		}
		checkNamesSender(t, body)
		checkEvent(t, event)
		if again, held := parse(t, respaced(t, body)); held != nil || again != event {
			t.Errorf("re-spaced: %+v, %+v, want %+v", again, held, event)
		}
		if again, held := parse(t, encode(t, event)); held != nil || again != event {
			t.Errorf("written and read again: %+v\n%s", held, cmp.Diff(event, again))
		}
	})
}

// checkNamesSender checks that the body of an event names the merchant of the key.
func checkNamesSender(t *testing.T, body []byte) {
	t.Helper()
	var named struct{ Data map[string]any }
	_ = json.Unmarshal(body, &named)
	if id, _ := named.Data["merchantId"].(string); !strings.EqualFold(id, merchant) {
		t.Errorf("an event of %s, and yet the body names %q:\n%s", merchant, id, body)
	}
}

func checkHeld(t *testing.T, event payout.Event, held *callback.Held) {
	t.Helper()
	if event != (payout.Event{}) {
		t.Errorf("held, and yet an event: %+v", event)
	}
	if held.Reason == "" || held.Note == "" || len(held.Note) > 1000 || !utf8.ValidString(held.Note) {
		t.Errorf("held for %q with a note of %d bytes: %q", held.Reason, len(held.Note), held.Note)
	}
}

func checkEvent(t *testing.T, event payout.Event) {
	t.Helper()
	id := event.ID
	if id.Provider() != "pivot" || id.Account() != merchant || len(id) > 2048 {
		t.Errorf("ID = %q", id)
	}
	batch := id.Type() == payout.TypeBatch
	if batch == (event.Totals == payout.Totals{}) || batch == (event.Reference != "") {
		t.Errorf("%s event with totals %+v, reference %q", id.Type(), event.Totals, event.Reference)
	}
	if event.Status == "" || !batch && (event.Amount == "" || event.Currency == "") {
		t.Errorf("event is not complete: %+v", event)
	}
	if all := event.Totals.All(); all.Count < 0 {
		t.Errorf("counts overflow: %+v", event.Totals)
	}
}

func respaced(t *testing.T, body []byte) []byte {
	t.Helper()
	text := jsontext.Value(strings.Clone(string(body)))
	if err := text.Format(jsontext.SpaceAfterColon(true), jsontext.ReorderRawObjects(true)); err != nil {
		t.Fatal(err)
	}
	if len(text) > callback.MaxBody {
		return body
	}
	return text
}

var words = map[payout.Status]string{
	payout.Succeeded: "SUCCESS", payout.Failed: "FAILED", payout.Delayed: "DELAYED",
	payout.Done: "DONE", payout.Pending: "PENDING", payout.Cancelled: "CANCELLED",
}

// encode returns the body that Pivot would send for an event.
func encode(t *testing.T, event payout.Event) []byte {
	t.Helper()
	word := words[event.Status]
	parts := strings.Split(string(event.ID), "/")
	data := map[string]any{"uuid": parts[3], "merchantId": event.ID.Account()}
	if event.ID.Type() == payout.TypeBatch {
		data["status"] = word
		data["payoutResults"] = encodeTotals(event.Totals)
	} else {
		data["payouts"] = map[string]any{
			"referenceId": event.Reference, "status": word, "reason": event.Reason,
			"amount": map[string]any{"value": string(event.Amount), "currency": event.Currency},
		}
	}
	text, err := json.Marshal(map[string]any{"event": "PAYOUT." + word, "data": data})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func encodeTotals(totals payout.Totals) map[string]any {
	return map[string]any{
		"totalPendingCount": totals.Pending.Count, "totalPendingAmount": json.Number(totals.Pending.Amount),
		"totalSuccessCount": totals.Succeeded.Count, "totalSuccessAmount": json.Number(totals.Succeeded.Amount),
		"totalFailedCount": totals.Failed.Count, "totalFailedAmount": json.Number(totals.Failed.Amount),
		"totalCancelledCount": totals.Cancelled.Count, "totalCancelledAmount": json.Number(totals.Cancelled.Amount),
	}
}
