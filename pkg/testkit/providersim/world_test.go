package providersim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providersim"
)

const (
	pid         = "1382528827416576"
	cregisKey   = "f502a9ac9ca54327986f29c03b271491" // of the documentation's samples
	merchantID  = "922e39ab-7565-49f6-b84f-fb56122821ae"
	callbackKey = "callback-key-0123456789"
	tronAddress = "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"
	subAddress  = "TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL"
)

// world is both simulators on a clock that the test moves, and what receives
// their callbacks.
type world struct {
	*testing.T

	now      time.Time
	cregis   *providersim.Cregis
	pivot    *providersim.Pivot
	token    string
	received []received
	answer   func(received) (code int, body string) // by default each provider's acknowledgement
}

type received struct {
	path   string
	header http.Header
	body   string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	w.cregis = providersim.NewCregis(w.options(), map[string]string{pid: cregisKey})
	w.pivot = providersim.NewPivot(w.options(), providersim.Merchant{ID: merchantID, Secret: "secret", CallbackKey: callbackKey})
	return w
}

func (w *world) options() providersim.Options {
	return providersim.Options{
		Now: func() time.Time { return w.now }, Rand: rand.New(rand.NewPCG(1, 2)), Client: &http.Client{Transport: w},
		CallbackURLs: map[string]string{"payout": "http://receiver/payout", "sub-address-payout": "http://receiver/sub-address-payout"},
	}
}

// RoundTrip receives a callback.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	header := http.Header{} // in the canonical spelling, as a server reads it
	for name, values := range r.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	callback := received{r.URL.Path, header, string(body)}
	w.received = append(w.received, callback)
	code, text := 200, "success"
	if w.answer != nil {
		code, text = w.answer(callback)
	}
	if code == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}, Request: r}, nil
}

// deliver sends what is due, and returns the callbacks that were received.
func (w *world) deliver() []received {
	w.Helper()
	w.received = nil
	for _, deliver := range []func(context.Context) (int, error){w.cregis.DeliverDue, w.pivot.DeliverDue} {
		before := len(w.received)
		if sent, err := deliver(w.Context()); err != nil || sent != len(w.received)-before {
			w.Fatalf("DeliverDue: %d sent, %d received, %v", sent, len(w.received)-before, err)
		}
	}
	return w.received
}

func (w *world) pass(duration time.Duration) []received {
	w.now = w.now.Add(duration)
	return w.deliver()
}

// request calls a handler.
func (w *world) request(handler http.Handler, method, target, body string, header http.Header) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, target, strings.NewReader(body))
	r.Header = header
	if header == nil {
		r.Header = http.Header{}
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}

type document = map[string]any

func (w *world) decode(recorder *httptest.ResponseRecorder) document {
	w.Helper()
	var body document
	decoder := json.NewDecoder(recorder.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		w.Fatalf("answer %d %s: %v", recorder.Code, recorder.Body, err)
	}
	return body
}

// askCregis sends a request that this module's provider signs.
func (w *world) askCregis(path, fields string) document {
	w.Helper()
	return w.decode(w.sendCregis(path, fields))
}

func (w *world) sendCregis(path, fields string) *httptest.ResponseRecorder {
	w.Helper()
	body := fmt.Sprintf(`{"pid":%s,"nonce":"abc123","timestamp":%d%s}`, pid, w.now.UnixMilli(), fields)
	signed, _, err := cregis.Provider{}.Sign([]byte(body), cregisKey, time.Time{})
	if err != nil {
		w.Fatal(err)
	}
	return w.request(w.cregis, "POST", path, string(signed), nil)
}

// queryCregis asks about a payout.
func (w *world) queryCregis(cid string) document {
	w.Helper()
	return w.askCregis("/api/v1/payout/query", `,"cid":`+cid)
}

func (w *world) orderCregis(kind, reference string, plan providersim.Plan) (cid string) {
	w.Helper()
	if err := w.cregis.PlanNext(plan); err != nil {
		w.Fatal(err)
	}
	cid, err := w.cregis.Order(pid, providersim.CregisOrder{
		Type: kind, Currency: "195@195", Amount: "1.1", From: subAddress, To: tronAddress, Reference: reference, Remark: "payout",
	})
	if err != nil {
		w.Fatal(err)
	}
	return cid
}

// pivotHeader returns the header with an access token, requested when it is needed.
func (w *world) pivotHeader() http.Header {
	w.Helper()
	if w.token == "" {
		answer := w.decode(w.request(w.pivot, "POST", "/v1/access-token", `{"grantType":"client_credentials"}`,
			http.Header{"X-Merchant-Id": {merchantID}, "X-Merchant-Secret": {"secret"}}))
		w.token, _ = answer["data"].(document)["accessToken"].(string)
	}
	return http.Header{"Authorization": {"Bearer " + w.token}}
}

// createPivot orders over HTTP.
func (w *world) createPivot(requestID, body string) *httptest.ResponseRecorder {
	w.Helper()
	header := w.pivotHeader()
	header.Set("X-REQUEST-ID", requestID)
	return w.request(w.pivot, "POST", "/v1/payouts", body, header)
}

func (w *world) askPivot(target string) document {
	w.Helper()
	return w.decode(w.request(w.pivot, "GET", target, "", w.pivotHeader()))
}

func items(references ...string) []providersim.PivotItem {
	var items []providersim.PivotItem
	for _, reference := range references {
		items = append(items, providersim.PivotItem{
			Reference: reference, Channel: "BRI", Recipient: providersim.PivotAccount{Name: "Reforza Pivot", Number: "888801000157508"},
			Amount: providersim.PivotAmount{Currency: "IDR", Value: "100000"}, Description: "test",
		})
	}
	return items
}

func (w *world) orderPivot(plan providersim.Plan, references ...string) (uuid string) {
	w.Helper()
	if err := w.pivot.PlanNext(plan); err != nil {
		w.Fatal(err)
	}
	uuid, err := w.pivot.Order(merchantID, items(references...)...)
	if err != nil {
		w.Fatal(err)
	}
	return uuid
}

// parse verifies a callback with this module's provider, and returns its event.
func (w *world) parse(provider callback.Provider, r received) (payout.Event, *callback.Held, error) {
	key, account := callback.Key(cregisKey), pid
	if provider.Name() == "pivot" {
		key, account = callbackKey, merchantID
	}
	request := callback.NewRequest(payout.Type(strings.TrimPrefix(r.path, "/")), r.header, []byte(r.body))
	verified, err := provider.Verify(request, callback.Keys{account: {Current: key}})
	if err != nil {
		return payout.Event{}, nil, err
	}
	event, held := verified.Event()
	return event, held, nil
}

var (
	cregisProvider callback.Provider = cregis.Provider{}
	pivotProvider  callback.Provider = pivot.Provider{}
)

func recorded(body string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	_, _ = recorder.WriteString(body)
	return recorder
}
