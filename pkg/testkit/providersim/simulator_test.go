package providersim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/testkit/providersim"
)

// An end that is to come is replaced; one in the past stays.
func TestSimulator_Finish(t *testing.T) {
	w := newWorld(t)
	cid := w.orderCregis(providersim.CregisPayout, "R", providersim.Plan{Status: providersim.Pending})
	status := func() string { return w.cregis.Payouts()[0].Status }
	for _, step := range []struct {
		plan providersim.Plan
		pass time.Duration
		want string // the status, and the statuses of the callbacks
	}{
		{providersim.Plan{Status: providersim.Failed, After: time.Hour}, time.Minute, "0 []"},
		{providersim.Plan{Status: providersim.Pending}, 2 * time.Hour, "0 []"},
		{providersim.Plan{Status: providersim.Processing}, time.Minute, "5 []"},
		{providersim.Plan{Status: providersim.Succeeded}, 2 * time.Hour, "6 [6]"},
		{providersim.Plan{Status: providersim.Failed}, 0, "7 [7]"},
	} {
		if err := w.cregis.Finish(cid, step.plan); err != nil {
			t.Fatal(err)
		}
		var sent []any
		for _, callback := range w.pass(step.pass) {
			sent = append(sent, w.decode(recorded(callback.body))["status"])
		}
		if got := fmt.Sprint(status(), " ", sent); got != step.want {
			t.Errorf("after %v: %s, want %s", step.plan, got, step.want)
		}
	}
	if err := w.cregis.Finish("1", providersim.Plan{}); err == nil {
		t.Error("an unknown payout is finished")
	}
}

func TestSimulator_PlanFor(t *testing.T) {
	w := newWorld(t)
	for _, err := range []error{
		w.cregis.PlanFor("B", providersim.Plan{Status: providersim.Failed}),
		w.cregis.PlanNext(providersim.Plan{Status: providersim.Rejected}),
		w.cregis.PlanNext(providersim.Plan{Status: providersim.Cancelled}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, reference := range []string{"A", "B", "C", "D"} {
		if _, err := w.cregis.Order(pid, providersim.CregisOrder{Currency: "195@195", Amount: "1", To: tronAddress, Reference: reference}); err != nil {
			t.Fatal(err)
		}
		got = append(got, w.cregis.Payouts()[len(got)].Status)
	}
	if want := "[4 7 3 6]"; fmt.Sprint(got) != want {
		t.Errorf("statuses %v, want %s", got, want)
	}
}

// Without a URL there is nothing to call.
func TestSimulator_NoCallbackURL(t *testing.T) {
	c := providersim.NewCregis(providersim.Options{}, map[string]string{pid: cregisKey})
	if _, err := c.Order(pid, providersim.CregisOrder{Currency: "195@195", Amount: "1", To: tronAddress, Reference: "R"}); err != nil {
		t.Fatal(err)
	}
	if due, ok := c.NextDue(); ok {
		t.Errorf("a callback is due at %s", due)
	}
}

// The same clock and random source give the same ids, callbacks and answers.
func TestSimulator_IsDeterministic(t *testing.T) {
	run := func() []providersim.Payout {
		w := newWorld(t)
		w.orderCregis(providersim.CregisPayout, "R", providersim.Plan{Forged: true})
		w.orderPivot(providersim.Plan{Forged: true}, "a", "b")
		w.deliver()
		return append(w.cregis.Payouts(), w.pivot.Payouts()...)
	}
	if first, second := run(), run(); !reflect.DeepEqual(first, second) {
		t.Error(cmp.Diff(first, second))
	}
}

// Each callback is sent once, whoever orders, queries and delivers at the same time.
func TestSimulator_ConcurrentUse(t *testing.T) {
	var received atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		received.Add(1)
		_, _ = fmt.Fprint(w, "success")
	}))
	defer server.Close()
	p := providersim.NewPivot(providersim.Options{CallbackURLs: map[string]string{"payout": server.URL}}, providersim.Merchant{ID: merchantID})
	var work sync.WaitGroup
	for worker := range 4 {
		work.Go(func() {
			for n := range 10 {
				uuid, err := p.Order(merchantID, items(fmt.Sprint(worker, "-", n))...)
				if err != nil {
					t.Error(err)
				}
				if err := p.Finish(uuid, providersim.Plan{Status: providersim.Failed}); err != nil { // a second callback
					t.Error(err)
				}
				if _, err := p.DeliverDue(t.Context()); err != nil {
					t.Error(err)
				}
				p.Payouts()
			}
		})
	}
	work.Wait()
	if got := received.Load(); got != 80 {
		t.Errorf("%d callbacks, want 80", got)
	}
}

// What could not be sent because the context ended is sent later.
func TestSimulator_InterruptedDelivery(t *testing.T) {
	w := newWorld(t)
	w.orderPivot(providersim.Plan{}, "R")
	ctx, cancel := context.WithCancel(t.Context())
	w.answer = func(received) (int, string) { cancel(); return 200, "" }
	if sent, err := w.pivot.DeliverDue(ctx); sent != 0 || err == nil {
		t.Errorf("%d sent, %v", sent, err)
	}
	w.answer = nil
	if callbacks := w.deliver(); len(callbacks) != 1 {
		t.Errorf("%d callbacks", len(callbacks))
	}
}

// Run sends at the time that is planned, divides the waits by the speed, ends
// with its context, and sends nothing by itself.
func TestSimulator_Run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		start := time.Now()
		var sent []time.Duration
		w.answer = func(received) (int, string) {
			sent = append(sent, time.Since(start))
			return 503, ""
		}
		options := w.options()
		options.Now = time.Now
		w.pivot = providersim.NewPivot(options, providersim.Merchant{ID: merchantID, Secret: "secret", CallbackKey: callbackKey})
		ctx, cancel := context.WithCancel(t.Context())
		go w.pivot.Run(ctx, 60)
		synctest.Wait()
		w.orderPivot(providersim.Plan{After: time.Minute}, "R")
		time.Sleep(10 * time.Hour)
		cancel()
		synctest.Wait()
		at := time.Minute
		want := []time.Duration{at}
		for _, seconds := range []int{5, 15, 60, 180, 360, 720} {
			at += time.Duration(seconds) * time.Second
			want = append(want, at)
		}
		if difference := cmp.Diff(want, sent); difference != "" {
			t.Error(difference)
		}
	})
}

// The default client on a network: a redirect is an answer, and is not followed.
func TestSimulator_DefaultClient(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	p := providersim.NewPivot(providersim.Options{CallbackURLs: map[string]string{"payout": server.URL}}, providersim.Merchant{ID: merchantID})
	if _, err := p.Order(merchantID, items("R")...); err != nil {
		t.Fatal(err)
	}
	if sent, err := p.DeliverDue(t.Context()); sent != 1 || err != nil || requests != 1 {
		t.Errorf("%d sent, %d received, %v", sent, requests, err)
	}
	if callback := p.Payouts()[0].Callbacks[0]; callback.State != "failed" || callback.Attempts[0].Code != 307 {
		t.Errorf("callback %+v", callback)
	}
}

func TestPlan_JSON(t *testing.T) {
	plan := providersim.Plan{
		Status: providersim.Failed, Items: map[string]providersim.Status{"R": providersim.Pending}, After: 90 * time.Second, Delay: time.Hour,
		Stale: time.Minute, Unknown: time.Second, Fault: providersim.Limited, FaultCount: 2, RetryAfter: 30 * time.Second, Copies: 1, Lost: true,
	}
	raw, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var read providersim.Plan
	if err := json.Unmarshal(raw, &read); err != nil || !reflect.DeepEqual(plan, read) {
		t.Errorf("%s is read as %+v: %v", raw, read, err)
	}
	if raw, err := json.Marshal(providersim.Plan{}); string(raw) != "{}" || err != nil {
		t.Errorf("the zero plan is %s: %v", raw, err)
	}
}

func TestControl_Requests(t *testing.T) {
	w := newWorld(t)
	cid := w.orderCregis(providersim.CregisPayout, "R", providersim.Plan{Status: providersim.Pending})
	for _, test := range []struct {
		path, body string
		code       int
		text       string // in the answer
	}{
		{"plan", `{"plan":{"status":"failed","after":"90s"}}`, 204, ""},
		{"plan", `{"reference":"S","plan":{"lost":true}}`, 204, ""},
		{"plan", `{"id":"` + cid + `","plan":{"after":"1m"}}`, 204, ""},
		{"plan", `{"id":"1","plan":{}}`, 404, "no such payout"},
		{"plan", `{"id":"1","reference":"R","plan":{}}`, 400, "id and reference"},
		{"plan", `{}`, 400, "plan: is required"},
		{"plan", `{"references":"R","plan":{}}`, 400, `\"references\"`},
		{"plan", `{"plan":{"lots":true}}`, 400, "lots"},
		{"plan", `{"plan":{"after":"soon"}}`, 400, "after"},
		{"plan", `{"plan":{"after":"-1s"}}`, 400, "negative"},
		{"plan", `{"plan":{"status":"won"}}`, 400, "status"},
		{"plan", `{"plan":{"altered":"memo"}}`, 400, "altered"},
		{"plan", `{"plan":{"fault":"shifting"}}`, 400, "fault"},
		{"plan", `{"plan":{"copies":101}}`, 400, "copies"},
		{"plan", `{"plan":{"faultCount":-1}}`, 400, "faultCount"},
		{"plan", `{"plan":{"items":{"a":"failed"}}}`, 400, "items"},
		{"plan", `not JSON`, 400, "invalid"},
		{"push", `{"id":"` + cid + `"}`, 400, "no callback"},
		{"push", `{"id":"1"}`, 404, "no such payout"},
		{"push", `{"cid":"1"}`, 400, "cid"},
		{"fault", `{"fault":"limited","faultCount":1,"retryAfter":"30s"}`, 204, ""},
		{"fault", `{"fault":"other-account"}`, 400, "other-account"},
	} {
		recorder := w.request(w.cregis, "POST", "/simulator/"+test.path, test.body, nil)
		if recorder.Code != test.code || !strings.Contains(recorder.Body.String(), test.text) {
			t.Errorf("%s %s: %d %s, want %d %s", test.path, test.body, recorder.Code, recorder.Body, test.code, test.text)
		}
	}
}

func TestControl_SkipAndPayouts(t *testing.T) {
	w := newWorld(t)
	uuid := w.orderPivot(providersim.Plan{After: time.Hour}, "a", "b")
	var before, after []providersim.Payout
	read := func(payouts *[]providersim.Payout) {
		if err := json.NewDecoder(w.request(w.pivot, "GET", "/simulator/payouts", "", nil).Body).Decode(payouts); err != nil {
			t.Fatal(err)
		}
	}
	read(&before)
	if callbacks := w.deliver(); len(callbacks) != 0 {
		t.Fatalf("callbacks %v", callbacks)
	}
	skipped := w.decode(w.request(w.pivot, "POST", "/simulator/skip", "", nil))
	if want := w.now.Add(time.Hour).Format(time.RFC3339); skipped["now"] != want {
		t.Errorf("the clock shows %v, want %s", skipped["now"], want)
	}
	if callbacks := w.deliver(); len(callbacks) != 1 {
		t.Errorf("%d callbacks", len(callbacks))
	}
	read(&after)
	for _, test := range []struct {
		payouts []providersim.Payout
		want    string
	}{
		{before, uuid + " batch [a b] IN_PROGRESS waiting 0"},
		{after, uuid + " batch [a b] DONE acknowledged 1"},
	} {
		p := test.payouts[0]
		callback := p.Callbacks[0]
		if got := fmt.Sprint(p.ID, " ", p.Type, " ", p.References, " ", p.Status, " ", callback.State, " ", len(callback.Attempts)); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

// An order of a person has its plan, and a refused order leaves none for the next.
func TestControl_Order(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]struct {
		handler http.Handler
		account string
		payouts func() []providersim.Payout
		place   func() (string, error) // as a service does, with reference R-1
	}{
		"cregis": {w.cregis, pid, w.cregis.Payouts, func() (string, error) {
			return w.cregis.Order(pid, providersim.CregisOrder{Currency: "195@195", Amount: "20", To: tronAddress, Reference: "R-1"})
		}},
		"pivot": {w.pivot, merchantID, w.pivot.Payouts, func() (string, error) {
			return w.pivot.Order(merchantID, providersim.PivotItem{
				Reference: "R-1", Channel: "BRI", Recipient: providersim.PivotAccount{Name: "Budi", Number: "1"},
				Amount: providersim.PivotAmount{Currency: "IDR", Value: "20"},
			})
		}},
	} {
		order := func(reference, amount, plan string, want int) {
			t.Helper()
			body := fmt.Sprintf(`{"account":%q,"reference":%q,"amount":%q,"plan":%s}`, test.account, reference, amount, plan)
			if got := w.request(test.handler, "POST", "/simulator/order", body, nil); got.Code != want {
				t.Errorf("%s: %s: got %d %s, want %d", name, body, got.Code, got.Body, want)
			}
		}
		order("", "1", `{}`, 400)
		order("R-1", "1", `{"status":"exploded"}`, 400)
		order("R-1", "0", `{"status":"failed"}`, 400)
		if _, err := test.place(); err != nil {
			t.Error(err)
		}
		order("R-2", "30", `{"status":"failed","lost":true}`, 204)
		payouts := test.payouts()
		if len(payouts) != 2 || payouts[0].Plan.Status != "" || payouts[0].Amount != "20" || !payouts[1].Plan.Lost || payouts[1].Plan.Status != providersim.Failed {
			t.Errorf("%s: ordered %+v", name, payouts)
		}
	}
}
