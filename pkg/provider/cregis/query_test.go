package cregis_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/providertest"
)

const answers = "testdata/answers"

func now() time.Time { return time.UnixMilli(1687853722065) }

func connect(t *testing.T, url string) reconcile.Querier {
	t.Helper()
	credentials := fmt.Sprintf(`{"baseUrl":%q,"key":%q}`, url, string(sampleKey))
	querier, err := cregis.Provider{}.Connect(project, json.RawMessage(credentials), reconcile.NewClient(true), now)
	if err != nil {
		t.Fatal(err)
	}
	return querier
}

// The request is the documented one, with a nonce of six characters and a signature that
// the callbacks' own verification accepts.
func TestAsk_Request(t *testing.T) {
	for _, payoutType := range []payout.Type{payout.TypePayout, payout.TypeSubAddressPayout} {
		var body []byte
		var request *http.Request
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			request = r
			body, _ = io.ReadAll(r.Body)
		}))
		querier := connect(t, server.URL+"/base/")
		querier.Ask(t.Context(), []reconcile.Asked{{ID: payout.NewID("cregis", payoutType, project, "1382626461605888", "")}})
		server.Close()
		want := map[payout.Type]string{payout.TypePayout: "/base/api/v1/payout/query", payout.TypeSubAddressPayout: "/base/api/v1/sub_address_withdrawal/info"}
		if request.Method != http.MethodPost || request.URL.Path != want[payoutType] || request.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", request.Method, request.URL, request.Header)
		}
		var fields struct {
			PID, CID  json.Number
			Nonce     string
			Timestamp int64
			Sign      string
		}
		decoder := json.NewDecoder(strings.NewReader(string(body)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&fields); err != nil {
			t.Fatal(err)
		}
		if fields.PID != project || fields.CID != "1382626461605888" || len(fields.Nonce) != 6 || fields.Timestamp != now().UnixMilli() {
			t.Errorf("body %s", body)
		}
		if _, err := (cregis.Provider{}).Verify(callback.NewRequest(payout.TypePayout, nil, body), testKeys()); err != nil {
			t.Errorf("Verify: %v", err)
		}
	}
}

func TestProvider_Queries(t *testing.T) {
	p := cregis.Provider{}
	id := payout.NewID("cregis", payout.TypePayout, project, "7", "")
	if p.RequestKey(id) != string(id) {
		t.Errorf("RequestKey is %s", p.RequestKey(id))
	}
	if probe := p.ProbeID(project); probe.Account() != project || probe.PayoutID() == "" {
		t.Errorf("ProbeID is %s", probe)
	}
	if got, want := connect(t, "https://api.example.com").KeyID(), sampleKey.ID(); got != want {
		t.Errorf("KeyID is %s, want %s", got, want)
	}
	for name, want := range map[string]payout.Status{
		"payout-status-6": payout.Succeeded, "payout-status-2": payout.Rejected, "payout-example": "", "malformed-array": "", "payout-gzip": payout.Succeeded,
	} {
		held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: project}, vectorRequest(t, name).Body, "", now())
		if got := p.StatedStatus(held); got != want {
			t.Errorf("%s states %q, want %q", name, got, want)
		}
	}
}

// What a callback and the answer about the same payout state is in no conflict, and the
// answer confirms the callback.
func TestAsk_ConfirmsEachCallback(t *testing.T) {
	confirmed := 0
	for _, vector := range providertest.Vectors(t, "testdata") {
		if vector.Expect != providertest.Accepted {
			continue
		}
		request, err := vector.Request(cregis.Provider{}, testKeys())
		if err != nil {
			t.Fatal(err)
		}
		verified, err := cregis.Provider{}.Verify(request, testKeys())
		if err != nil {
			t.Fatal(err)
		}
		event, held := verified.Event()
		if held != nil {
			t.Fatal(held.Note)
		}
		answer := cregis.ReadAnswer(http.StatusOK, answerTo(t, request.Body), reconcile.Asked{ID: event.ID, Reference: event.Reference})
		if answer.Outcome != reconcile.Answered || answer.Statements[0].Held != nil {
			t.Errorf("%s: %s", vector.Name, providertest.AnswerText(t, answer))
			continue
		}
		statement := answer.Statements[0].Event
		checkAgreement(t, vector.Name, event, statement)
		record, _ := payout.Record{}.Apply(event)
		record, _ = record.Apply(statement)
		if !record.IsConfirmed() {
			t.Errorf("%s: not confirmed: %+v", vector.Name, record)
		}
		statement.Source = ""
		if statement.Fingerprint() != event.Fingerprint() {
			t.Errorf("%s: the answer states %+v, the callback %+v", vector.Name, statement, event)
		}
		confirmed++
	}
	if confirmed < 20 {
		t.Errorf("%d callbacks", confirmed)
	}
}

// answerTo returns the answer about the payout of a callback: its fields without those of
// the delivery, and without the cid.
func answerTo(t *testing.T, body []byte) []byte {
	t.Helper()
	text, err := callback.Unpack(body)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cid", "nonce", "timestamp", "sign"} {
		delete(fields, name)
	}
	answer, err := json.Marshal(map[string]any{"code": "00000", "msg": "ok", "data": fields})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// The same statement is held once, whatever order its fields have; another one is held
// besides it.
func TestAsk_HeldSubject(t *testing.T) {
	subject := func(body string) string {
		answer := cregis.ReadAnswer(http.StatusOK, []byte(`{"code":"00000","data":`+body+`}`), reconcile.Asked{ID: "cregis/payout/1/7"})
		if len(answer.Statements) != 1 || answer.Statements[0].Held == nil {
			t.Fatalf("%+v", answer)
		}
		return string(answer.Statements[0].Held.Subject)
	}
	first := subject(`{"pid":1,"status":8,"amount":"1"}`)
	if again := subject(`{"amount":"1.0", "status":"8","pid":1}`); again != first {
		t.Errorf("%q and %q", first, again)
	}
	if other := subject(`{"pid":1,"status":9,"amount":"1"}`); other == first {
		t.Errorf("two statuses have the subject %q", first)
	}
}

// FuzzAnswer checks that no answer states anything about another payout, and that what it
// states can be applied.
func FuzzAnswer(f *testing.F) {
	for _, vector := range providertest.Answers(f, answers) {
		for _, response := range vector.Responses {
			f.Add(response.Status, response.Body)
		}
	}
	asked := reconcile.Asked{ID: payout.NewID("cregis", payout.TypePayout, project, "1382626461605888", ""), Reference: "1e0fb3a0a9454ad8928d26b592e8b3c7"}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		answer := cregis.ReadAnswer(status, body, asked)
		if (answer.Outcome == reconcile.Answered) != (len(answer.Statements) == 1) || len(answer.Detail) > 200 {
			t.Fatalf("%+v", answer)
		}
		for _, statement := range answer.Statements {
			event, held := statement.Event, statement.Held
			switch {
			case held != nil && (held.Source != payout.SourceQuery || held.ProviderID != asked.ID.PayoutID() || held.Account != project || len(held.Note) > 4096):
				t.Errorf("held %+v", held)
			case held == nil && (event.ID != asked.ID || event.Source != payout.SourceQuery || event.Reference != asked.Reference || event.Status == "" || !event.Amount.IsValid()):
				t.Errorf("event %+v", event)
			}
			if status != http.StatusOK || !json.Valid(statement.Body) || len(statement.Body) > callback.MaxBody {
				t.Errorf("HTTP %d, a body of %d bytes", status, len(statement.Body))
			}
		}
	})
}

// A held callback names its payout for a query, and our reference unless another body
// with the same signed text may have another one.
func TestParse_HeldHints(t *testing.T) {
	const reference = "1e0fb3a0a9454ad8928d26b592e8b3c7"
	for name, test := range map[string]struct {
		fields                map[string]any
		providerID, reference string
	}{
		"unknown status":    {map[string]any{"status": 9}, "1391751691788288", reference},
		"unknown field":     {map[string]any{"new": "1"}, "1391751691788288", ""},
		"ambiguous":         {map[string]any{"remark": "status6"}, "1391751691788288", ""},
		"an unknown coin":   {map[string]any{"currency": "Unknown Coin"}, "1391751691788288", reference},
		"a bad cid":         {map[string]any{"cid": "x"}, "", reference},
		"a bad reference":   {map[string]any{"third_party_id": "a\tb"}, "1391751691788288", ""},
		"a longer one":      {map[string]any{"third_party_id": strings.Repeat("é", 128)}, "1391751691788288", strings.Repeat("é", 128)},
		"one that is long":  {map[string]any{"third_party_id": strings.Repeat("a", 129)}, "1391751691788288", ""},
		"one that is false": {map[string]any{"third_party_id": false}, "1391751691788288", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, held := parseFields(t, test.fields); held == nil || held.ProviderID != test.providerID || held.Reference != test.reference {
				t.Errorf("held %+v, want %q, %q", held, test.providerID, test.reference)
			}
		})
	}
}
