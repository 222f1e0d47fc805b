package functions_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/memory"
)

const (
	project = "1382528827416576"
	caller  = "arn:aws:sts::123456789012:assumed-role/orders/session"
)

var ordered = payout.NewID("cregis", payout.TypePayout, project, "9001", "")

// world is a stack on stores in memory, with a provider whose answer a test decides.
type world struct {
	functions.Stack

	store    *memory.Store
	accounts *memory.Accounts
	log      *bytes.Buffer
	now      time.Time
	down     error // what the tables answer
	answer   reconcile.Answer
}

func newWorld() *world {
	w := &world{store: &memory.Store{}, accounts: &memory.Accounts{}, log: &bytes.Buffer{}, now: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	store := worldStore{w.store, w}
	box := &inbox.Inbox{
		Store: store, Queue: &memory.Queue{Now: clock}, Now: clock,
		Queries: map[string]inbox.QueryMode{"cregis": inbox.QueriesAll},
	}
	provider := worldProvider{w: w}
	w.Stack = functions.Stack{
		Inbox: box, Now: clock, Recorder: telemetry.NewRecorder(w.log, "n", clock),
		Expecter: &reconcile.Expecter{Inbox: box, Store: store, Providers: []reconcile.Expectations{provider}, Now: clock},
		Reconciler: &reconcile.Reconciler{
			Inbox: box, Store: store, Accounts: w.accounts, Providers: []reconcile.Provider{provider}, Credentials: w, Limit: 10, Owner: "a run", Now: clock,
		},
	}
	return w
}

// Credentials implements reconcile.Credentials.
func (*world) Credentials(context.Context, string) (map[string]json.RawMessage, error) {
	return map[string]json.RawMessage{project: json.RawMessage(`{}`)}, nil
}

// worldStore fails while the tables are down.
type worldStore struct {
	*memory.Store

	w *world
}

func (s worldStore) Payout(ctx context.Context, id payout.ID) (inbox.PayoutItem, error) {
	if s.w.down != nil {
		return inbox.PayoutItem{}, s.w.down
	}
	return s.Store.Payout(ctx, id)
}

func (s worldStore) DueQueries(ctx context.Context, now time.Time, limit int) ([]reconcile.DueQuery, error) {
	if s.w.down != nil {
		return nil, s.w.down
	}
	return s.Store.DueQueries(ctx, now, limit)
}

// worldProvider expects as Cregis does, and answers what the test decides.
type worldProvider struct {
	reconcile.Provider

	w *world
}

func (worldProvider) Name() string { return "cregis" }

func (worldProvider) Expect(expectation reconcile.Expectation) (payout.Event, error) {
	return cregis.Provider{}.Expect(expectation)
}
func (worldProvider) RequestKey(id payout.ID) string { return string(id) }
func (worldProvider) ProbeID(account string) payout.ID {
	return payout.NewID("cregis", payout.TypePayout, account, "1", "")
}
func (p worldProvider) Connect(string, json.RawMessage, *http.Client, func() time.Time) (reconcile.Querier, error) {
	return p, nil
}
func (p worldProvider) Ask(context.Context, []reconcile.Asked) reconcile.Answer { return p.w.answer }
func (worldProvider) KeyID() string                                             { return "0a1b2c3d" }

func (w *world) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for text := range strings.Lines(w.log.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	w.log.Reset()
	return lines
}

func expectationOf(amount string) string {
	return fmt.Sprintf(`{"provider":"cregis","type":"payout","account":%q,"id":"9001","reference":"REF-1","amount":%q,"currency":"TRX"}`, project, amount)
}

// expect sends an expectation, and returns the answer's code and body.
func (w *world) expect(t *testing.T, edit func(*events.APIGatewayV2HTTPRequest), body string) (int, map[string]any) {
	t.Helper()
	event := events.APIGatewayV2HTTPRequest{RouteKey: "POST /expected-payouts", Body: body}
	event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: caller},
	}
	if edit != nil {
		edit(&event)
	}
	got, err := w.HandleExpected(t.Context(), event)
	if err != nil || got.Headers["Content-Type"] != "application/json" {
		t.Fatalf("%v, %v", got, err)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, answer
}

func TestHandleExpected_Answers(t *testing.T) {
	w := newWorld()
	encode := func(event *events.APIGatewayV2HTTPRequest) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(event.Body)), true
	}
	for _, test := range []struct {
		name, body string
		edit       func(*events.APIGatewayV2HTTPRequest)
		code       int
		want       map[string]any
	}{
		{"new", expectationOf("1.1"), nil, 200, map[string]any{"payout": string(ordered), "result": "new", "status": "expected"}},
		{"the same again", expectationOf("1.10"), nil, 200, map[string]any{"result": "duplicate"}},
		{"in base64", expectationOf("1.1"), encode, 200, map[string]any{"result": "duplicate"}},
		{"another amount", expectationOf("2"), nil, 409, map[string]any{"result": "conflict", "status": "conflicted"}},
		{"a malformed amount", expectationOf("1,1"), nil, 400, map[string]any{"field": "amount"}},
		{"another provider", strings.Replace(expectationOf("1"), "cregis", "other", 1), nil, 400, map[string]any{"field": "provider"}},
		{"no JSON", "{", nil, 400, map[string]any{"error": "the body is not a JSON object of the documented fields"}},
		{"too long", strings.Repeat(" ", 64<<10) + "{}", nil, 400, map[string]any{"error": "the body has more than 65536 bytes"}},
	} {
		code, answer := w.expect(t, test.edit, test.body)
		if code != test.code {
			t.Errorf("%s: got %d %v, want %d", test.name, code, answer, test.code)
		}
		for name, value := range test.want {
			if answer[name] != value {
				t.Errorf("%s: %s is %v, want %v", test.name, name, answer[name], value)
			}
		}
	}
	receipts := w.store.Receipts()
	if len(receipts) != 2 {
		t.Errorf("%d receipts, want those of two amounts", len(receipts))
	}
	for _, receipt := range receipts {
		if receipt.Note != caller {
			t.Errorf("the note is %q, want the caller", receipt.Note)
		}
	}
}

// A route that lost its authorization lets nobody state what was ordered.
func TestHandleExpected_WithoutCaller(t *testing.T) {
	w := newWorld()
	for name, authorizer := range map[string]*events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		"no authorizer": nil,
		"another one":   {Lambda: map[string]any{"user": caller}},
		"no ARN":        {IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{AccountID: "123456789012"}},
	} {
		code, answer := w.expect(t, func(event *events.APIGatewayV2HTTPRequest) {
			event.RequestContext.Authorizer = authorizer
			event.Headers = map[string]string{"authorization": "AWS4-HMAC-SHA256 Credential=a"}
		}, expectationOf("1.1"))
		if code != http.StatusForbidden || answer["error"] == "" {
			t.Errorf("%s: got %d %v, want 403", name, code, answer)
		}
	}
	if receipts := w.store.Receipts(); len(receipts) > 0 {
		t.Errorf("%d receipts, want none", len(receipts))
	}
}

// Our own fault is 503, and the same expectation can be sent again.
func TestHandleExpected_TablesDown(t *testing.T) {
	w := newWorld()
	w.down = errors.New("down at 10.0.0.1")
	code, answer := w.expect(t, nil, expectationOf("1.1"))
	if code != http.StatusServiceUnavailable || strings.Contains(fmt.Sprint(answer), "10.0.0.1") {
		t.Errorf("got %d %v, want 503 without the cause", code, answer)
	}
	if line := w.lines(t)[0]; line["level"] != "ERROR" || line["outcome"] != "unavailable" || line["Expectations"] != 0.0 {
		t.Errorf("the line is %v", line)
	}
	w.down = nil
	if code, answer := w.expect(t, nil, expectationOf("1.1")); code != http.StatusOK {
		t.Errorf("afterwards: got %d %v, want 200", code, answer)
	}
}

// I9: no line of an expectation holds a part of it, except the payout's id.
func TestHandleExpected_Lines(t *testing.T) {
	w := newWorld()
	w.expect(t, nil, strings.Replace(expectationOf("31337.5"), "{", `{"to":"canary","memo":"canary",`, 1))
	w.expect(t, nil, `{"canary":1}`)
	w.expect(t, nil, strings.Replace(expectationOf("1"), `"TRX"`, `"canary canary"`, 1))
	text := w.log.String()
	if strings.Contains(text, "canary") || strings.Contains(text, "31337") || strings.Contains(text, "REF-1") {
		t.Errorf("the lines hold a part of an expectation:\n%s", text)
	}
	lines := w.lines(t)
	if len(lines) != 3 || lines[0]["payout"] != string(ordered) || lines[0]["provider"] != "cregis" ||
		lines[1]["field"] != "unknown" || lines[2]["field"] != "currency" || lines[2]["outcome"] != "refused" {
		t.Errorf("got %v", lines)
	}
}

// expectDue expects a payout and moves the clock to its deadline.
func (w *world) expectDue(t *testing.T) {
	t.Helper()
	if code, answer := w.expect(t, nil, expectationOf("1.1")); code != http.StatusOK {
		t.Fatal(answer)
	}
	w.now = w.now.Add(30 * time.Minute)
	w.log.Reset()
}

func (w *world) reconcile(t *testing.T, event string) (answer any, err error) {
	t.Helper()
	var request reconcile.AskRequest
	if err := json.Unmarshal([]byte(event), &request); err != nil {
		t.Fatal(err)
	}
	return w.HandleReconcile(t.Context(), request)
}

// A provider that cannot be reached or refuses us is an outcome: neither the schedule nor
// an operator gets an error, and no payout fails.
func TestHandleReconcile_ProviderDoesNotAnswer(t *testing.T) {
	for outcome, failing := range map[reconcile.Outcome]float64{
		reconcile.Unavailable: 0, reconcile.RateLimited: 1, reconcile.KeyRefused: 1, reconcile.AddressRefused: 1,
	} {
		w := newWorld()
		w.expectDue(t)
		w.answer = reconcile.Answer{Outcome: outcome, Detail: "HTTP 403"}
		answer, err := w.reconcile(t, "{}")
		result, ok := answer.(reconcile.RunResult)
		if err != nil || !ok || result.Due != 1 || result.Outcomes[outcome] != 1 || result.Overdue != 0 {
			t.Errorf("%s: got %+v, %v", outcome, answer, err)
		}
		lines := w.lines(t)
		line := lines[len(lines)-1]
		if line["message"] != "reconcile" || line["QueriesFailed"] != 1.0 || line["QueriesAnswered"] != 0.0 || line["AccountsFailing"] != failing {
			t.Errorf("%s: the line is %v", outcome, line)
		}
		if failing == 1 && (len(lines) != 2 || lines[0]["message"] != "account" || lines[0]["account"] != project || lines[0]["outcome"] != string(outcome)) {
			t.Errorf("%s: the lines are %v", outcome, lines)
		}
		answer, err = w.reconcile(t, fmt.Sprintf(`{"payouts":[%q],"accounts":true}`, ordered))
		response, ok := answer.(reconcile.AskResponse)
		if err != nil || !ok || response.Payouts[0].Outcome != outcome || response.Accounts[0].Outcome != outcome {
			t.Errorf("%s, asked: got %+v, %v", outcome, answer, err)
		}
		if line := w.lines(t)[0]; line["message"] != "ask" || line["level"] != "INFO" {
			t.Errorf("%s, asked: the line is %v", outcome, line)
		}
		if status := w.store.Record(ordered).Status(); status != payout.Expected {
			t.Errorf("%s: the payout is %s", outcome, status)
		}
	}
}

func TestHandleReconcile_Overdue(t *testing.T) {
	w := newWorld()
	w.expectDue(t)
	w.answer = reconcile.Answer{Outcome: reconcile.NotFound}
	if _, err := w.reconcile(t, "{}"); err != nil {
		t.Fatal(err)
	}
	if line := w.lines(t)[0]; line["Overdue"] != 1.0 || line["QueriesAnswered"] != 1.0 || line["AccountsFailing"] != 0.0 || line["level"] != "INFO" {
		t.Errorf("the line is %v", line)
	}
}

// An answer that is not understood is held, and counted like a held callback, once.
func TestHandleReconcile_HeldAnswer(t *testing.T) {
	w := newWorld()
	w.expectDue(t)
	w.answer = reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{{Held: &inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: project, Source: payout.SourceQuery, ProviderID: "9001", Subject: []byte("9"), Reason: "unknown-status",
	}}}}
	for n, want := range []any{1.0, nil} {
		if _, err := w.reconcile(t, "{}"); err != nil {
			t.Fatal(err)
		}
		if line := w.lines(t)[0]; line["Held"] != want || want != nil && line["provider"] != "cregis" {
			t.Errorf("run %d: the line is %v", n+1, line)
		}
		w.now = w.now.Add(time.Hour)
	}
}

// A run that cannot read the tables is an error, and reports no accounts.
func TestHandleReconcile_TablesDown(t *testing.T) {
	w := newWorld()
	w.down = errors.New("down")
	if _, err := w.reconcile(t, "{}"); !errors.Is(err, w.down) {
		t.Errorf("got %v", err)
	}
	if line := w.lines(t)[0]; line["level"] != "ERROR" || line["QueriesAnswered"] != nil {
		t.Errorf("the line is %v", line)
	}
	if _, err := w.reconcile(t, fmt.Sprintf(`{"payouts":[%q]}`, ordered)); !errors.Is(err, w.down) {
		t.Errorf("asked: got %v", err)
	}
}
