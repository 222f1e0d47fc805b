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

// respond returns the API that answers about the payout of a callback: with its fields
// without those of the delivery, and without the cid.
func respond(body []byte) http.Handler {
	text, err := callback.Unpack(body)
	if err != nil {
		return nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return nil
	}
	for _, name := range []string{"cid", "nonce", "timestamp", "sign"} {
		delete(fields, name)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"code": "00000", "msg": "ok", "data": fields})
	})
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

func FuzzAnswer(f *testing.F) { providertest.FuzzAnswer(f, suite(), nil) }

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
