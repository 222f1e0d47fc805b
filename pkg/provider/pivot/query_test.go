package pivot_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/providertest"
)

// canaries are what the samples state about the recipient's account.
var canaries = []string{"Reforza Pivot", "888801000157508", "channelInformation", "description"}

func now() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func connect(t *testing.T, url string) reconcile.Querier { return connectAt(t, url, now) }

func connectAt(t *testing.T, url string, now func() time.Time) reconcile.Querier {
	t.Helper()
	credentials := fmt.Sprintf(`{"baseUrl":%q,"merchantId":"client-1","merchantSecret":"SECRET"}`, url)
	querier, err := pivot.Provider{}.Connect(merchant, json.RawMessage(credentials), reconcile.NewClient(true), now)
	if err != nil {
		t.Fatal(err)
	}
	return querier
}

func TestProvider_Queries(t *testing.T) {
	p := pivot.Provider{}
	batch := payout.NewID("pivot", payout.TypeBatch, merchant, uuid, "")
	for id, want := range map[payout.ID]string{
		batch: string(batch),
		payout.NewID("pivot", payout.TypePayout, merchant, uuid, "1"): string(batch),
		payout.NewID("pivot", payout.TypePayout, merchant, uuid, ""):  string(batch),
		"pivot/payout/" + merchant + "//1":                            "pivot/payout/" + merchant + "//1",
	} {
		if got := p.RequestKey(id); got != want {
			t.Errorf("RequestKey(%s) is %s, want %s", id, got, want)
		}
	}
	if probe := p.ProbeID(merchant); probe.Account() != merchant || probe.PayoutID() == "" {
		t.Errorf("ProbeID is %s", probe)
	}
	if got := connect(t, "https://api.example.com").KeyID(); got != "" {
		t.Errorf("KeyID is %s", got)
	}
	for name, want := range map[string]payout.Status{
		"bulk-done": payout.Done, "bulk-delayed": payout.Delayed, "single-delayed": payout.Delayed, "single-failed": payout.Failed,
		"held-both-shapes": "", "held-no-shape": "", "held-not-json": "", "held-withdraw": "",
	} {
		held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: merchant}, body(t, name), "", now())
		if got := p.StatedStatus(held); got != want {
			t.Errorf("%s states %q, want %q", name, got, want)
		}
	}
}

// respond returns the API that answers about the payout or batch of a callback. Items of a
// batch have equal amounts. A request has at most 1000 items.
func respond(body []byte) http.Handler {
	var sent struct{ Data map[string]any }
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	if decoder.Decode(&sent) != nil {
		return nil
	}
	data, items := sent.Data, []any{sent.Data["payouts"]}
	if results, ok := data["payoutResults"].(map[string]any); ok {
		if data["status"] == nil {
			data["status"] = results["status"] // the older page
		}
		if items = itemsOf(results); items == nil {
			return nil
		}
		data["payouts"] = items
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]any{"code": "00", "data": data, "pagination": map[string]any{"totalItems": len(items), "totalPages": 1}}
		if r.Method == http.MethodPost {
			answer["data"] = map[string]any{"accessToken": "token", "expiresIn": "900"}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// itemsOf returns items with the totals: the first of each kind has the sum. It returns nil
// for more than a request can have.
func itemsOf(results map[string]any) []any {
	items := []any{}
	for kind, status := range map[string]string{"Pending": "PENDING", "Success": "SUCCESS", "Failed": "FAILED", "Cancelled": "CANCELLED"} {
		number, _ := results["total"+kind+"Count"].(json.Number)
		count, _ := number.Int64()
		if count > 1000 {
			return nil
		}
		for n := range count {
			value := json.Number("0")
			if n == 0 {
				value = results["total"+kind+"Amount"].(json.Number)
			}
			items = append(items, map[string]any{
				"referenceId": fmt.Sprint(kind, n), "status": status, "reason": "", "amount": map[string]any{"currency": "IDR", "value": value.String()},
			})
		}
	}
	return items
}

// A held callback names its request and our reference for a query, unless it is not about
// a payout of the merchant.
func TestParse_HeldHints(t *testing.T) {
	for name, want := range map[string][2]string{
		"held-status-unknown-single":         {uuid, "TestReforzaPivot001"},
		"held-status-unknown-bulk":           {uuid, ""},
		"held-amount-is-a-number":            {uuid, "TestReforzaPivot001"},
		"held-reference-bidi":                {uuid, ""},
		"held-uuid-missing":                  {"", ""},
		"held-uuid-with-slash":               {"", ""},
		"held-merchant-missing":              {uuid, ""},
		"held-withdraw":                      {"", ""},
		"held-international-payout":          {"", ""},
		"held-not-json":                      {"", ""},
		"another-merchants-key-other-family": {"", ""},
	} {
		_, held := parse(t, body(t, name))
		if held == nil {
			t.Fatalf("%s: not held", name)
		}
		if held.ProviderID != want[0] || held.Reference != want[1] {
			t.Errorf("%s: ProviderID %q, Reference %q, want %q", name, held.ProviderID, held.Reference, want)
		}
	}
	verified, err := pivot.Provider{}.Verify(signed(t, body(t, "single-success"), "pivot-other-key"), testKeys())
	if err != nil {
		t.Fatal(err)
	}
	if _, held := verified.Event(); held == nil || held.ProviderID != "" || held.Reference != "" {
		t.Errorf("another merchant: held %+v", held)
	}
}

// FuzzAnswer checks that no answer keeps anything about the recipient's account.
func FuzzAnswer(f *testing.F) {
	providertest.FuzzAnswer(f, suite(), func(t *testing.T, response []byte, statement reconcile.Statement) {
		for _, canary := range canaries[:2] {
			if strings.Contains(string(statement.Body), canary) && !hasCanaryElsewhere(response, canary) {
				t.Errorf("the body has %q: %s", canary, statement.Body)
			}
		}
	})
}

// hasCanaryElsewhere reports whether a body has a canary outside of channelInformation
// and description, where the fuzzer has put it.
func hasCanaryElsewhere(body []byte, canary string) bool {
	const account = `"channelInformation": {`
	inAccounts := 0
	for _, part := range strings.Split(string(body), account)[1:] {
		inside, _, _ := strings.Cut(part, "}")
		inAccounts += strings.Count(inside, canary)
	}
	inAccounts += strings.Count(string(body), `"description": "test `+canary)
	return strings.Count(string(body), canary) != inAccounts
}
