package providersim_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/providersim"
)

// The samples of docs/api-references/api-lists/payout-local, shortened to their
// fields.
const (
	totalsSample = `{"totalFailedAmount":0,"totalFailedCount":0,"totalPendingAmount":0,"totalPendingCount":0,"totalSuccessAmount":100000,` +
		`"totalSuccessCount":1,"totalCancelledCount":0,"totalCancelledAmount":0}`
	itemSample = `{"amount":{"currency":"IDR","value":"100000"},"channelCode":"BRI","channelInformation":{"accountName":"Reforza Pivot",` +
		`"accountNumber":"888801000157508"},"created":"2026-11-21T12:00:00Z","inquiryId":"","description":"test","referenceId":"999",` +
		`"status":"SUCCESS","reason":"","updated":"2026-11-21T12:00:01Z"}`
	createdSample = `{"code":"00","message":"Success","data":{"created":"2026-11-21T12:00:00Z","merchantId":"922e39ab-7565-49f6-b84f-fb56122821ae",` +
		`"payouts":[{"amount":{"currency":"IDR","value":"100000"},"inquiryId":"","channelCode":"BRI","channelInformation":` +
		`{"accountName":"Reforza Pivot","accountNumber":"888801000157508"},"description":"test","referenceId":"999"}],` +
		`"status":"IN_PROGRESS","updated":"2026-11-21T12:00:00Z","uuid":"UUID"}}`
	byUUIDSample = `{"code":"00","message":"Success","data":{"created":"2026-11-21T12:00:00Z","merchantId":"922e39ab-7565-49f6-b84f-fb56122821ae",` +
		`"payoutResults":` + totalsSample + `,"payouts":[` + itemSample + `],"status":"DONE","updated":"2026-11-21T12:00:01Z","uuid":"UUID"},` +
		`"pagination":{"page":1,"perPage":20,"totalItems":1,"totalPages":1}}`
	byBothSample = `{"code":"00","message":"Success","data":{"merchantId":"922e39ab-7565-49f6-b84f-fb56122821ae","payoutResults":` + totalsSample +
		`,"payouts":` + itemSample + `,"uuid":"UUID"}}`
	byReferenceSample = `{"code":"00","message":"Success","data":[` + itemSample + `]}`
	singleSample      = `{"event":"PAYOUT.SUCCESS","data":{"uuid":"UUID","merchantId":"922e39ab-7565-49f6-b84f-fb56122821ae","payouts":` +
		`{"referenceId":"999","amount":{"currency":"IDR","value":"100000"},"status":"SUCCESS","reason":null}}}`
	bulkSample = `{"event":"PAYOUT.DONE","data":{"uuid":"UUID","merchantId":"922e39ab-7565-49f6-b84f-fb56122821ae","payoutResults":` +
		`{"totalPendingCount":0,"totalPendingAmount":0,"totalSuccessCount":2,"totalSuccessAmount":200000,"totalFailedCount":0,` +
		`"totalFailedAmount":0,"totalCancelledCount":0,"totalCancelledAmount":0},"status":"DONE"}}`
)

// The answers and callbacks are the documented samples, field for field.
func TestPivot_DocumentedSamples(t *testing.T) {
	w := newWorld(t)
	if err := w.pivot.PlanFor("999", providersim.Plan{After: time.Second}); err != nil {
		t.Fatal(err)
	}
	created := w.decode(w.createPivot("abcdefghij0123456789", `{"payouts":[{"referenceId":"999","channelCode":"BRI","channelInformation":`+
		`{"accountNumber":"888801000157508","accountName":"Reforza Pivot"},"amount":{"value":"100000","currency":"IDR"},"description":"test"}]}`))
	uuid, _ := created["data"].(document)["uuid"].(string)
	bulk := w.orderPivot(providersim.Plan{After: 2 * time.Second}, "1", "2")
	single := w.pass(time.Second)
	ended := w.pass(time.Second)
	if len(single) != 1 || len(ended) != 1 {
		t.Fatalf("callbacks %v and %v", single, ended)
	}
	for _, test := range []struct {
		name, uuid, want string
		got              document
	}{
		{"create", uuid, createdSample, created},
		{"by uuid", uuid, byUUIDSample, w.askPivot("/v1/payouts/" + uuid)},
		{"by uuid and reference", uuid, byBothSample, w.askPivot("/v1/payouts/" + uuid + "?referenceId=999")},
		{"by reference", uuid, byReferenceSample, w.askPivot("/v1/payouts/999?type=single")},
		{"single callback", uuid, singleSample, w.decode(recorded(single[0].body))},
		{"bulk callback", bulk, bulkSample, w.decode(recorded(ended[0].body))},
	} {
		want := w.decode(recorded(strings.ReplaceAll(test.want, "UUID", test.uuid)))
		if difference := cmp.Diff(want, test.got); difference != "" {
			t.Errorf("%s: %s", test.name, difference)
		}
	}
}

func TestPivot_Callbacks(t *testing.T) {
	tally := func(count, amount int64) payout.Tally {
		return payout.Tally{Count: count, Amount: payout.Amount(fmt.Sprint(amount))}
	}
	w := newWorld(t)
	single := w.orderPivot(providersim.Plan{}, "ok")
	failed := w.orderPivot(providersim.Plan{Status: providersim.Failed, Reason: "Dormant account"}, "failed")
	for _, status := range []providersim.Status{providersim.Rejected, providersim.Cancelled, providersim.Unfunded, providersim.Pending} {
		w.orderPivot(providersim.Plan{Status: status}, "single "+string(status)) // no callback is documented
	}
	done := w.orderPivot(providersim.Plan{Items: map[string]providersim.Status{"b": providersim.Failed, "c": providersim.Pending}}, "a", "b", "c")
	cancelled := w.orderPivot(providersim.Plan{Status: providersim.Cancelled}, "d", "e")
	unfunded := w.orderPivot(providersim.Plan{Status: providersim.Unfunded}, "f", "g")
	want := []payout.Event{
		{ID: payout.NewID("pivot", payout.TypePayout, merchantID, single, "ok"), Reference: "ok", Status: payout.Succeeded, Amount: "100000", Currency: "IDR"},
		{
			ID: payout.NewID("pivot", payout.TypePayout, merchantID, failed, "failed"), Reference: "failed", Status: payout.Failed,
			Reason: "Dormant account", Amount: "100000", Currency: "IDR",
		},
		{ID: payout.NewID("pivot", payout.TypeBatch, merchantID, done, ""), Status: payout.Done, Totals: payout.Totals{
			Pending: tally(1, 100000), Succeeded: tally(1, 100000), Failed: tally(1, 100000), Cancelled: tally(0, 0),
		}},
		{ID: payout.NewID("pivot", payout.TypeBatch, merchantID, cancelled, ""), Status: payout.Cancelled, Totals: payout.Totals{
			Pending: tally(0, 0), Succeeded: tally(0, 0), Failed: tally(0, 0), Cancelled: tally(2, 200000),
		}},
		{ID: payout.NewID("pivot", payout.TypeBatch, merchantID, unfunded, ""), Status: payout.Pending, Totals: payout.Totals{
			Pending: tally(2, 200000), Succeeded: tally(0, 0), Failed: tally(0, 0), Cancelled: tally(0, 0),
		}},
	}
	var got []payout.Event
	for _, r := range w.deliver() {
		event, held, err := w.parse(pivotProvider, r)
		if held != nil || err != nil {
			t.Errorf("held %v, %v: %s", held, err, r.body)
		}
		got = append(got, event)
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}

// docs/api-references/api-information/callback: 5xx, 408 and 429 are repeated
// after 5 min, 15 min, 1 h, 3 h, 6 h and 12 h, then by a person only.
func TestPivot_Retries(t *testing.T) {
	waits := []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour}
	for code, isRetried := range map[int]bool{500: true, 503: true, 408: true, 429: true, 0: true, 201: false, 302: false, 400: false, 401: false} {
		w := newWorld(t)
		w.answer = func(received) (int, string) { return code, "" }
		uuid := w.orderPivot(providersim.Plan{}, "R")
		if first := w.deliver(); len(first) != 1 {
			t.Fatalf("%d callbacks", len(first))
		}
		for _, wait := range waits {
			if early := w.pass(wait - 1); len(early) != 0 {
				t.Errorf("code %d: sent before %s", code, wait)
			}
			if due := w.pass(1); len(due) == 1 != isRetried {
				t.Errorf("code %d: after %s, %d callbacks", code, wait, len(due))
			}
		}
		if late := w.pass(1000 * time.Hour); len(late) != 0 {
			t.Errorf("code %d: sent an eighth time", code)
		}
		if _, ok := w.pivot.NextDue(); ok {
			t.Errorf("code %d: a callback still waits", code)
		}
		if err := w.pivot.Push(uuid); err != nil {
			t.Fatal(err)
		}
		if pushed, later := w.deliver(), w.pass(1000*time.Hour); len(pushed) != 1 || len(later) != 0 {
			t.Errorf("code %d: pushed %d times, then %d", code, len(pushed), len(later))
		}
	}
}

func TestPivot_Tokens(t *testing.T) {
	w := newWorld(t)
	ask := func(id, secret, body string) (int, document) {
		recorder := w.request(w.pivot, "POST", "/v1/access-token", body, http.Header{"X-Merchant-Id": {id}, "X-Merchant-Secret": {secret}})
		return recorder.Code, w.decode(recorder)
	}
	const body = `{"grantType":"client_credentials"}`
	for _, test := range []struct {
		name, id, secret, body string
		code                   int
		word                   string
	}{
		{"right", merchantID, "secret", body, 200, "00"},
		{"wrong secret", merchantID, "other", body, 401, "credentials_invalid"},
		{"no secret", merchantID, "", body, 401, "credentials_invalid"},
		{"unknown merchant", "other", "", body, 401, "credentials_invalid"},
		{"another grant", merchantID, "secret", `{"grantType":"password"}`, 400, "field_format_invalid"},
	} {
		if code, answer := ask(test.id, test.secret, test.body); code != test.code || answer["code"] != test.word {
			t.Errorf("%s: %d %v", test.name, code, answer)
		}
	}
	_, answer := ask(merchantID, "secret", body)
	if got := answer["data"].(document)["expiresIn"]; got != "900" {
		t.Errorf("expiresIn is %v, want the string 900", got)
	}
	uuid := w.orderPivot(providersim.Plan{}, "R")
	w.pivotHeader()
	w.now = w.now.Add(900*time.Second - 1)
	if answer := w.askPivot("/v1/payouts/" + uuid); answer["code"] != "00" {
		t.Errorf("before its end the token gets %v", answer)
	}
	w.now = w.now.Add(1)
	if recorder := w.request(w.pivot, "GET", "/v1/payouts/"+uuid, "", w.pivotHeader()); recorder.Code != 401 {
		t.Errorf("after its end the token gets %d", recorder.Code)
	}
}

func TestPivot_RefusedOrders(t *testing.T) {
	const order = `{"payouts":[{"referenceId":"R","channelCode":"BRI","channelInformation":{"accountNumber":"8","accountName":"N"},` +
		`"amount":{"value":"100000","currency":"IDR"},"description":"test"}]}`
	for _, test := range []struct{ name, old, replacement, code, field string }{
		{"numeric value", `"100000"`, `100000`, "field_format_invalid", "payouts.amount.value"},
		{"malformed value", `"100000"`, `"1e5"`, "field_format_invalid", "amount.value"},
		{"value of zero", `"100000"`, `"0.00"`, "amount_below_limit", "amount.value"},
		{"no currency", `"IDR"`, `""`, "field_required", "amount"},
		{"no reference", `"R"`, `""`, "field_required", "referenceId"},
		{"long reference", `"R"`, `"` + strings.Repeat("r", 101) + `"`, "field_format_invalid", "referenceId"},
		{"reference used before", `"R"`, `"used"`, "resource_already_exists", "referenceId"},
		{"no recipient", `"accountName":"N"`, `"accountName":""`, "field_required", "channelInformation"},
		{"no items", order, `{"payouts":[]}`, "format_invalid", ""},
		{"1,001 items", order, `{"payouts":[` + strings.Repeat(`{},`, 1000) + `{}]}`, "format_invalid", ""},
		{"not JSON", order, `{`, "format_invalid", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.orderPivot(providersim.Plan{}, "used")
			answer := w.decode(w.createPivot("abcdefghij0123456789", strings.Replace(order, test.old, test.replacement, 1)))
			failure, _ := answer["error"].(document)
			details, _ := failure["details"].([]any)
			if answer["code"] != test.code || len(details) != 1 || details[0].(document)["field"] != test.field {
				t.Errorf("answer %v", answer)
			}
			if ordered := len(w.pivot.Payouts()); ordered != 1 {
				t.Errorf("%d payouts were ordered", ordered)
			}
		})
	}
}

func TestPivot_RequestIDs(t *testing.T) {
	w := newWorld(t)
	order := func(id, reference string) (int, string) {
		recorder := w.createPivot(id, fmt.Sprintf(`{"payouts":[{"referenceId":%q,"inquiryId":"i","amount":{"value":"1","currency":"IDR"}}]}`, reference))
		return recorder.Code, recorder.Body.String()
	}
	const id = "abcdefghij0123456789"
	_, first := order(id, "R")
	w.now = w.now.Add(10 * time.Minute)
	if code, again := order(id, "R"); code != 200 || again != first {
		t.Errorf("the same request gets %d %s, want %s", code, again, first)
	}
	if code, _ := order(id, "S"); code != 409 {
		t.Errorf("another request with the id gets %d", code)
	}
	for _, id := range []string{"", "short", "with-hyphens-0123456789", strings.Repeat("x", 37)} {
		if code, _ := order(id, "S"); code != 400 {
			t.Errorf("the id %q gets %d", id, code)
		}
	}
	w.now, w.token = w.now.Add(24*time.Hour), ""
	if code, _ := order(id, "S"); code != 200 {
		t.Errorf("after 24 h the id gets %d", code)
	}
	if code, _ := order(id+"x", "R"); code != 409 {
		t.Errorf("a reference that was used gets %d", code)
	}
}

// references reads all pages of a bulk.
func (w *world) references(uuid string, perPage int) []string {
	w.Helper()
	var references []string
	for number := 1; ; number++ {
		answer := w.askPivot(fmt.Sprintf("/v1/payouts/%s?page=%d&perPage=%d", uuid, number, perPage))
		for _, item := range answer["data"].(document)["payouts"].([]any) {
			references = append(references, item.(document)["referenceId"].(string))
		}
		if fmt.Sprint(number) == fmt.Sprint(answer["pagination"].(document)["totalPages"]) || number > 20 {
			return references
		}
	}
}

func TestPivot_Pages(t *testing.T) {
	w := newWorld(t)
	var ordered []string
	for n := range 45 {
		ordered = append(ordered, fmt.Sprintf("R-%02d", n))
	}
	uuid := w.orderPivot(providersim.Plan{}, ordered...)
	for _, perPage := range []int{1000, 100, 45, 20, 7} {
		if perPage > 100 {
			if answer := w.askPivot("/v1/payouts/" + uuid + "?perPage=1000"); answer["code"] != "field_format_invalid" {
				t.Errorf("perPage=1000: answer %v", answer["code"])
			}
			continue
		}
		if got := w.references(uuid, perPage); !slices.Equal(got, ordered) {
			t.Errorf("perPage=%d: items %v", perPage, got)
		}
	}
	if got := len(w.askPivot("/v1/payouts/" + uuid)["data"].(document)["payouts"].([]any)); got != 20 {
		t.Errorf("a page has %d items by default, want 20", got)
	}
	if got := len(w.askPivot("/v1/payouts/" + uuid + "?page=9")["data"].(document)["payouts"].([]any)); got != 0 {
		t.Errorf("a page after the last has %d items", got)
	}
}

func TestPivot_MissingPayouts(t *testing.T) {
	w := newWorld(t)
	uuid := w.orderPivot(providersim.Plan{}, "R", "S")
	for _, target := range []string{"other", uuid + "?referenceId=other", "other?type=single", "R", uuid + "?type=single"} {
		recorder := w.request(w.pivot, "GET", "/v1/payouts/"+target, "", w.pivotHeader())
		answer := w.decode(recorder)
		if recorder.Code != 404 || answer["code"] != "resource_missing" || !slices.Equal(slices.Sorted(maps.Keys(answer)), []string{"code", "error", "message"}) {
			t.Errorf("%s: %d %v", target, recorder.Code, answer)
		}
	}
}
