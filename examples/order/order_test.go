package main

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"payout-callbacks/pkg/testkit/providersim"
)

const (
	account = "1382528827416576"
	key     = "f502a9ac9ca54327986f29c03b271491"
)

// world is a provider that behaves as its documentation says, and a stack that records
// expectations.
type world struct {
	*testing.T
	expected []payout
	refuse   int // the expectation with this number is answered 503
	provider *cregis
	expecter *expectations
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, refuse: -1}
	options := providersim.Options{Now: time.Now, Rand: rand.New(rand.NewPCG(1, 2)), Client: http.DefaultClient}
	provider := httptest.NewServer(providersim.NewCregis(options, map[string]string{account: key}))
	t.Cleanup(provider.Close)
	stack := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(stack.Close)
	w.provider = &cregis{client: provider.Client(), baseURL: provider.URL, key: key}
	w.expecter = &expectations{
		client: stack.Client(), url: stack.URL, region: "eu-central-1", credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""),
	}
	return w
}

func (w *world) serve(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var p payout
	if err != nil || json.Unmarshal(body, &p) != nil || request.Header.Get("Authorization") == "" {
		w.Errorf("expectation %s: %v, %v", body, err, request.Header)
	}
	if len(w.expected) == w.refuse {
		http.Error(response, "", http.StatusServiceUnavailable)
		w.refuse = -1
		return
	}
	w.expected = append(w.expected, p)
	_, _ = io.WriteString(response, `{"payout":"cregis/payout/`+account+`/`+p.ID+`","result":"new","status":"expected"}`)
}

func (w *world) order() (string, error) {
	return order(w.Context(), w.expecter, w.provider, payout{
		Account: account, Reference: "R-1", Currency: "195@195", Amount: "1.1", To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", Due: "10m",
	})
}

func TestOrder_ExpectsBeforeAndAfter(t *testing.T) {
	w := newWorld(t)
	id, err := w.order()
	if err != nil {
		t.Fatal(err)
	}
	if len(w.expected) != 2 || w.expected[0].ID != "" || w.expected[1].ID == "" || id != "cregis/payout/"+account+"/"+w.expected[1].ID {
		t.Errorf("ordered %s, expected %+v; want an expectation without and one with the id", id, w.expected)
	}
}

// If the expectation cannot be stored, nothing is ordered.
func TestOrder_StackDown(t *testing.T) {
	w := newWorld(t)
	w.refuse = 0
	if _, err := w.order(); err == nil || errors.Is(err, errUnknown) {
		t.Errorf("got %v", err)
	}
	if id, err := w.order(); err != nil || id == "" {
		t.Errorf("again: %q, %v; the first attempt must not have ordered", id, err)
	}
}

// After a crash between the order and its id, the provider refuses the second order.
func TestOrder_RepeatedAfterCrash(t *testing.T) {
	w := newWorld(t)
	w.refuse = 1
	if _, err := w.order(); err == nil {
		t.Error("want the error of the second expectation")
	}
	if _, err := w.order(); !errors.Is(err, errUnknown) {
		t.Errorf("got %v, want errUnknown", err)
	}
}

func TestRun_Help(t *testing.T) {
	var help strings.Builder
	if err := run(t.Context(), []string{"--help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v, want flag.ErrHelp, which main does not report", err)
	}
	for _, name := range []string{"CREGIS_API_KEY", "-expectations", "-provider", "-account", "-reference", "-currency", "-amount", "-to", "-due"} {
		if !strings.Contains(help.String(), name) {
			t.Errorf("the help lacks %s:\n%s", name, help.String())
		}
	}
}

// An error names each missing flag at once.
func TestRun_MissingFlags(t *testing.T) {
	t.Setenv("CREGIS_API_KEY", "")
	err := run(t.Context(), []string{"--amount", "1"}, io.Discard)
	const want = "--account, --currency, --expectations, --provider, --reference, --to, CREGIS_API_KEY: required; see order --help"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestDecide(t *testing.T) {
	for _, test := range []struct {
		n    notification
		want decision
	}{
		{notification{Type: "PayoutOverdue", Expected: true}, askAPerson},
		{notification{Type: "PayoutSucceeded", Expected: true}, nothingToDo},
		{notification{Type: "PayoutSucceeded", Expected: true, Confirmed: true}, closeOrder},
		{notification{Type: "PayoutConfirmed", Expected: true, Confirmed: true}, closeOrder},
		{notification{Type: "PayoutSucceeded"}, reviewOrder},
	} {
		if got := decide(test.n); got != test.want {
			t.Errorf("%+v: %s, want %s", test.n, got, test.want)
		}
	}
	if err := react(t.Context(), events.EventBridgeEvent{Detail: []byte(`{"v":2}`)}); err == nil {
		t.Error("a later schema version is handled")
	}
}
