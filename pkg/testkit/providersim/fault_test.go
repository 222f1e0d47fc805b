package providersim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/testkit/providersim"
)

func TestPlan_CallbackTimes(t *testing.T) {
	for _, test := range []struct {
		name string
		plan providersim.Plan
		want []int // callbacks received in each of five minutes
	}{
		{"at once", providersim.Plan{}, []int{1, 0, 0, 0, 0}},
		{"later", providersim.Plan{After: time.Minute}, []int{0, 1, 0, 0, 0}},
		{"delayed", providersim.Plan{After: time.Minute, Delay: 2 * time.Minute}, []int{0, 0, 0, 1, 0}},
		{"doubled", providersim.Plan{After: time.Minute, Copies: 2}, []int{0, 3, 0, 0, 0}},
		{"lost", providersim.Plan{Lost: true}, []int{0, 0, 0, 0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			cid, uuid := w.orderCregis(providersim.CregisPayout, "R", test.plan), w.orderPivot(test.plan, "R")
			var got []int
			bodies := map[string]bool{}
			for range test.want {
				callbacks := w.deliver()
				got = append(got, len(callbacks)/2)
				for _, callback := range callbacks {
					bodies[callback.body] = true
				}
				w.now = w.now.Add(time.Minute)
			}
			if !slices.Equal(got, test.want) || !test.plan.Lost && len(bodies) != 2 {
				t.Errorf("callbacks per minute %v with %d bodies, want %v with 2", got, len(bodies), test.want)
			}
			if answer := w.queryCregis(cid)["data"].(document); fmt.Sprint(answer["status"]) != "6" {
				t.Errorf("the payout ended as %v", answer)
			}
			if err := w.cregis.Push(cid); err != nil {
				t.Error(err)
			}
			if err := w.pivot.Push(uuid); err != nil {
				t.Error(err)
			}
			if pushed := w.deliver(); len(pushed) != 2 {
				t.Errorf("%d callbacks were pushed", len(pushed))
			}
		})
	}
}

func TestPlan_Overtake(t *testing.T) {
	w := newWorld(t)
	uuid := w.orderPivot(providersim.Plan{Status: providersim.Unfunded, Delay: time.Minute}, "a", "b")
	if callbacks := w.pass(30 * time.Second); len(callbacks) != 0 {
		t.Fatalf("callbacks %v", callbacks)
	}
	if err := w.pivot.Finish(uuid, providersim.Plan{Delay: time.Hour, Overtake: true}); err != nil {
		t.Fatal(err)
	}
	if early := w.pass(time.Hour - 1); len(early) != 0 {
		t.Errorf("the first callback was not overtaken: %v", early)
	}
	var events []any
	for _, callback := range w.pass(1) {
		events = append(events, w.decode(recorded(callback.body))["event"])
	}
	if got := fmt.Sprint(events); got != "[PAYOUT.DONE PAYOUT.PENDING]" {
		t.Errorf("events %s", got)
	}
}

// A forged callback is refused, an altered one is authentic, and a push sends the
// genuine one.
func TestPlan_ForgedAndAltered(t *testing.T) {
	for _, test := range []struct {
		name          string
		plan          providersim.Plan
		cregis, pivot string
	}{
		{"genuine", providersim.Plan{}, "1.1 TRX " + tronAddress, "100000 IDR "},
		{"forged", providersim.Plan{Forged: true}, "not authentic", "not authentic"},
		{"amount", providersim.Plan{Altered: providersim.AlteredAmount}, "91.1 TRX " + tronAddress, "9100000 IDR "},
		{"recipient", providersim.Plan{Altered: providersim.AlteredRecipient}, "1.1 TRX " + subAddress, ""},
		{"currency", providersim.Plan{Altered: providersim.AlteredCurrency}, "held: field", "held: field"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			meaning := func(callbacks []received) (got []string) {
				for i, r := range callbacks {
					event, held, err := w.parse([]callback.Provider{cregisProvider, pivotProvider}[i], r)
					switch {
					case err != nil:
						got = append(got, err.Error())
					case held != nil:
						got = append(got, "held: "+string(held.Reason))
					default:
						got = append(got, fmt.Sprintf("%s %s %s", event.Amount, event.Currency, event.To))
					}
				}
				return got
			}
			want, genuine := []string{test.cregis}, []string{"1.1 TRX " + tronAddress}
			cid, uuid := w.orderCregis(providersim.CregisPayout, "R", test.plan), ""
			if test.pivot == "" {
				if err := w.pivot.PlanNext(test.plan); err == nil {
					t.Error("Pivot accepts a plan that it cannot follow")
				}
			} else {
				want, genuine = append(want, test.pivot), append(genuine, "100000 IDR ")
				uuid = w.orderPivot(test.plan, "R")
			}
			if got := meaning(w.deliver()); !slices.Equal(got, want) {
				t.Errorf("callbacks %q, want %q", got, want)
			}
			if err := w.cregis.Push(cid); err != nil {
				t.Fatal(err)
			}
			if uuid != "" {
				if err := w.pivot.Push(uuid); err != nil {
					t.Fatal(err)
				}
			}
			if got := meaning(w.deliver()); !slices.Equal(got, genuine) {
				t.Errorf("pushed callbacks %q, want %q", got, genuine)
			}
		})
	}
}

func TestPlan_StaleAndUnknownQueries(t *testing.T) {
	w := newWorld(t)
	plan := providersim.Plan{After: time.Minute, Stale: 2 * time.Minute, Unknown: 30 * time.Second}
	cid, uuid := w.orderCregis(providersim.CregisPayout, "R", plan), w.orderPivot(plan, "R")
	ask := func() string {
		c, p := w.queryCregis(cid), w.askPivot("/v1/payouts/"+uuid)
		if c["data"] == nil || p["data"] == nil {
			return fmt.Sprintf("%v %v", c["code"], p["code"])
		}
		return fmt.Sprintf("%v %v", c["data"].(document)["status"], p["data"].(document)["status"])
	}
	for _, step := range []struct {
		until time.Duration
		want  string
	}{
		{0, "E0014 resource_missing"}, {30*time.Second - 1, "E0014 resource_missing"}, {30 * time.Second, "0 IN_PROGRESS"},
		{3*time.Minute - 1, "0 IN_PROGRESS"}, {3 * time.Minute, "6 DONE"},
	} {
		w.now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).Add(step.until)
		if got := ask(); got != step.want {
			t.Errorf("after %s: %s, want %s", step.until, got, step.want)
		}
	}
}

// answers of queries with a fault, by what a client sees of it.
func TestPlan_QueryFaults(t *testing.T) {
	for fault, want := range map[providersim.Fault][2]string{
		providersim.Limited:            {"429 Retry-After 7", "429 Retry-After 7"},
		providersim.Unavailable:        {"502 not JSON", "503 service_unavailable"},
		providersim.NotJSON:            {"200 not JSON", "200 not JSON"},
		providersim.Huge:               {"200 over 1 MiB", "200 over 1 MiB"},
		providersim.CredentialsRefused: {"200 B0001", "401 credentials_invalid"},
		providersim.AddressRefused:     {"200 E0001", ""},
		providersim.InProcess:          {"", "400 payouts_in_process"},
		providersim.OtherAccount:       {`200 "pid":1382528827416577`, `200 "merchantId":"` + merchantID + `-other"`},
		providersim.OtherReference:     {`200 "third_party_id":"R-other"`, `200 "referenceId":"R-other"`},
		providersim.UnknownStatus:      {`200 "status":8`, `200 "status":"RETURNED"`},
		providersim.AmountForm:         {`200 "amount":1.1,`, `200 "value":100000}`},
		providersim.CurrencyForm:       {`200 "currency":"195@195"`, ""},
		providersim.Endless:            {"", `200 "totalPages":11}`},
		providersim.Totals:             {"", `200 "totalSuccessCount":2,`},
	} {
		t.Run(string(fault), func(t *testing.T) {
			w := newWorld(t)
			plan := providersim.Plan{Fault: fault, FaultCount: 2, RetryAfter: 7 * time.Second}
			if want[0] == "" || want[1] == "" {
				refusing := w.cregis.PlanNext
				if want[1] == "" {
					refusing = w.pivot.PlanNext
				}
				if err := refusing(plan); err == nil {
					t.Error("a provider accepts a fault that it cannot have")
				}
			}
			if want[0] != "" {
				cid := w.orderCregis(providersim.CregisPayout, "R", plan)
				checkFault(t, want[0], func() *httptest.ResponseRecorder { return w.sendCregis("/api/v1/payout/query", `,"cid":`+cid) })
			}
			if want[1] != "" {
				uuid := w.orderPivot(plan, "R")
				checkFault(t, want[1], func() *httptest.ResponseRecorder {
					return w.request(w.pivot, "GET", "/v1/payouts/"+uuid, "", w.pivotHeader())
				})
			}
		})
	}
}

// checkFault asks three times: the third answer has no fault. A fault is the code
// and a part of what is seen.
func checkFault(t *testing.T, fault string, ask func() *httptest.ResponseRecorder) {
	t.Helper()
	code, part, _ := strings.Cut(fault, " ")
	for n := range 3 {
		got := seen(ask())
		if hasFault := strings.HasPrefix(got, code) && strings.Contains(got, part); hasFault != (n < 2) {
			t.Errorf("answer %d is %.600s, the fault is %s", n+1, got, fault)
		}
	}
}

func seen(recorder *httptest.ResponseRecorder) string {
	text := fmt.Sprint(recorder.Code, " ")
	var body document
	switch {
	case recorder.Code == http.StatusTooManyRequests:
		return text + "Retry-After " + recorder.Header().Get("Retry-After")
	case json.Unmarshal(recorder.Body.Bytes(), &body) != nil:
		return text + "not JSON"
	case recorder.Body.Len() > 1<<20:
		return text + "over 1 MiB"
	case body["data"] == nil:
		return text + fmt.Sprint(body["code"])
	}
	return text + recorder.Body.String()
}

// A query that hangs ends when its client leaves, and lets others pass.
func TestPlan_HangingQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		uuid := w.orderPivot(providersim.Plan{Fault: providersim.Hanging, FaultCount: 1}, "R")
		header := w.pivotHeader()
		ctx, cancel := context.WithCancel(t.Context())
		hasEnded, recorder := false, httptest.NewRecorder()
		go func() {
			r := httptest.NewRequestWithContext(ctx, "GET", "/v1/payouts/"+uuid, nil)
			r.Header = header
			w.pivot.ServeHTTP(recorder, r)
			hasEnded = true
		}()
		synctest.Wait()
		if hasEnded {
			t.Errorf("the query did not hang: %s", recorder.Body)
		}
		if answer := w.askPivot("/v1/payouts/" + uuid); answer["code"] != "00" {
			t.Errorf("the next query gets %v", answer)
		}
		cancel()
		synctest.Wait()
		if !hasEnded || recorder.Body.Len() != 0 {
			t.Errorf("ended %t, answer %s", hasEnded, recorder.Body)
		}
	})
}

// Who reads page 1 before the items move misses an item and sees another twice.
func TestPivot_ShiftingPages(t *testing.T) {
	w := newWorld(t)
	uuid := w.orderPivot(providersim.Plan{Fault: providersim.Shifting}, "a", "b", "c", "d", "e")
	if got := fmt.Sprint(w.references(uuid, 2)); got != "[a b d e a]" {
		t.Errorf("items %s, want [a b d e a]", got)
	}
}

func TestPivot_EndlessPages(t *testing.T) {
	w := newWorld(t)
	uuid := w.orderPivot(providersim.Plan{Fault: providersim.Endless}, "a", "b")
	references := w.references(uuid, 10)
	slices.Sort(references)
	if distinct := len(slices.Compact(references)); distinct < 200 {
		t.Errorf("21 pages have %d references", distinct)
	}
}

func TestSimulator_SetFault(t *testing.T) {
	w := newWorld(t)
	cid := w.orderCregis(providersim.CregisPayout, "R", providersim.Plan{})
	if err := w.cregis.SetFault(providersim.AddressRefused, 2, 0); err != nil {
		t.Fatal(err)
	}
	var codes []any
	for range 3 {
		codes = append(codes, w.queryCregis(cid)["code"])
	}
	if got := fmt.Sprint(codes); got != "[E0001 E0001 00000]" {
		t.Errorf("codes %s", got)
	}
	if err := w.pivot.SetFault(providersim.CredentialsRefused, 0, 0); err != nil {
		t.Fatal(err)
	}
	if recorder := w.request(w.pivot, "POST", "/v1/access-token", "", nil); recorder.Code != 401 {
		t.Errorf("code %d", recorder.Code)
	}
	for _, fault := range []providersim.Fault{providersim.Shifting, providersim.OtherAccount, providersim.AddressRefused, "other"} {
		if err := w.pivot.SetFault(fault, 0, 0); err == nil {
			t.Errorf("Pivot accepts %s for all requests", fault)
		}
	}
	if err := w.pivot.SetFault("", 0, 0); err != nil {
		t.Fatal(err)
	}
	w.pivotHeader()
}
