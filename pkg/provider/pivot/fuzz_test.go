package pivot_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/providertest"
)

// FuzzParse checks that each event is of the merchant that the body names, and is the same
// after it was written and read again.
func FuzzParse(f *testing.F) {
	providertest.FuzzParse(f, suite(), func(t *testing.T, request callback.Request, event payout.Event) {
		checkNamesSender(t, request.Body)
		isBatch := event.ID.Type() == payout.TypeBatch
		if isBatch == (event.Totals == payout.Totals{}) || isBatch == (event.Reference != "") || event.Totals.All().Count < 0 {
			t.Errorf("%s event with totals %+v, reference %q", event.ID.Type(), event.Totals, event.Reference)
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
