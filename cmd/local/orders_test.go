package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
)

const testRecipient = "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"

func newOrderService(t *testing.T) orderService {
	t.Helper()
	d := newDeployed(t)
	return orderService{stage: d.stage, workspace: d.workspace}
}

// control sends a request to the control API of a simulated provider, also in a cleanup, when the
// context of the test has ended.
func (o orderService) control(t *testing.T, provider, path, body string) {
	t.Helper()
	address := o.stack().Providers[provider].BaseURL + "/simulator/" + path
	if err := localstack.Control(context.WithoutCancel(t.Context()), o.http, address, json.RawMessage(body), nil); err != nil {
		t.Fatalf("simulator/%s: %v", path, err)
	}
}

func (o orderService) stack() stack { return o.stage.stack }

// order orders a payout at the simulated Cregis, as its page says, and returns its id.
func (o orderService) order(t *testing.T, reference string) string {
	t.Helper()
	body := fmt.Sprintf(`{"pid":%s,"currency":"195@195","address":"%s","amount":"1.1","third_party_id":"%s","nonce":"abc123","timestamp":%d}`,
		demoProject, testRecipient, reference, time.Now().UnixMilli())
	signed, header, err := cregis.Provider{}.Sign([]byte(body), o.stack().DemoKeys["cregis"][demoProject], time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.stack().Providers["cregis"].BaseURL+"/api/v1/payout", strings.NewReader(string(signed)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := o.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Code string
		Data struct{ CID json.Number }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Code != "00000" {
		t.Fatalf("order: %+v, %v", answer, err)
	}
	return answer.Data.CID.String()
}

func (o orderService) mustExpect(t *testing.T, reference, id, due string) payout.ID {
	t.Helper()
	expected, err := o.expect(t.Context(), reconcile.Expectation{
		Provider: "cregis", Type: "payout", Account: demoProject, ID: id, Reference: reference, Amount: "1.1", Currency: "TRX", To: testRecipient, Due: due,
	})
	if err != nil {
		t.Fatal(err)
	}
	return expected
}

// awaitRecord waits until a payout has a status, and runs the reconciler meanwhile if run is set.
func (o orderService) awaitRecord(t *testing.T, id payout.ID, run bool, isDone func(payout.Record) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	for {
		stored, _, err := o.reader.Record(ctx, id)
		if err == nil && isDone(stored.Record) {
			return
		}
		if run {
			call := apiCall{method: http.MethodPost, path: "/2015-03-31/functions/" + o.stack().function("reconciler") + "/invocations", body: "{}"}
			var result reconcile.RunResult
			if err := callLambda(ctx, o.workspace, call, &result); err != nil && ctx.Err() == nil {
				t.Logf("run: %v", err)
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("payout %s is %q, expected %v, confirmed %v, overdue %v", id, stored.Status(), stored.IsExpected(), stored.IsConfirmed(), stored.Overdue)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func isSucceededAndConfirmed(r payout.Record) bool {
	return r.Status() == payout.Succeeded && r.IsConfirmed() && r.IsExpected()
}

// The schedule alone finds the end of a payout whose callback is lost, soon after its deadline.
func TestReconcile_LostCallback(t *testing.T) {
	o := newOrderService(t)
	t.Parallel()
	o.control(t, "cregis", "plan", `{"reference":"LOST-1","plan":{"lost":true}}`)
	id := o.mustExpect(t, "LOST-1", o.order(t, "LOST-1"), "5s")
	o.awaitRecord(t, id, false, isSucceededAndConfirmed)
}

// A callback with a currency that nobody knows is held; the answer to a query says how the payout ended and closes it.
func TestReconcile_HeldCallback(t *testing.T) {
	o := newOrderService(t)
	t.Parallel()
	o.control(t, "cregis", "plan", `{"reference":"CURRENCY-1","plan":{"altered":"currency"}}`)
	id := o.mustExpect(t, "CURRENCY-1", o.order(t, "CURRENCY-1"), "1h")
	o.awaitRecord(t, id, true, isSucceededAndConfirmed)
	for receipt, err := range o.reader.Unapplied(t.Context(), inbox.Held) {
		if err == nil && receipt.ProviderID == id.PayoutID() {
			t.Errorf("held callback %s is not closed", receipt.Key.Payout)
		}
	}
}

// A payout of which no answer comes becomes overdue, and ends when the provider states its end.
func TestReconcile_Overdue(t *testing.T) {
	o := newOrderService(t)
	t.Parallel()
	o.control(t, "cregis", "plan", `{"reference":"OVERDUE-1","plan":{"status":"pending"}}`)
	cid := o.order(t, "OVERDUE-1")
	id := o.mustExpect(t, "OVERDUE-1", cid, "1s")
	o.awaitRecord(t, id, true, payout.Record.IsOverdue)
	o.control(t, "cregis", "plan", `{"id":"`+cid+`","plan":{"status":"failed"}}`)
	o.awaitRecord(t, id, false, func(r payout.Record) bool { return r.Status() == payout.Failed && !r.IsOverdue() })
}

// An API that somebody else wrote, with the documentation's sample as its answer, is asked as well.
func TestReconcile_AnotherServer(t *testing.T) {
	o := newOrderService(t)
	const account, cid = "1382528827416999", "1382626461605888"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"code":"00000","msg":"ok","data":{"pid":`+account+`,"from_address":"TRsYqtgNY4XGfVuyt4hXBBZuhoGGKKYxrA",
			"address":"`+testRecipient+`","chain_id":"195","token_id":"195","currency":"TRX","amount":"1.1","third_party_id":"OTHER-1","remark":"payout",
			"status":6,"txid":"6dd0f23cc2d93f0d4d1e3a1c6ab7ae6fa1ad64fb0b2c1c2fbd1e6b9b1a0c0b7e","block_height":"34527604","block_time":1686814482000}}`)
	}))
	t.Cleanup(server.Close)
	o.putCredentials(t, account, server.URL)
	expected, err := o.expect(t.Context(), reconcile.Expectation{
		Provider: "cregis", Type: "payout", Account: account, ID: cid, Reference: "OTHER-1", Amount: "1.1", Currency: "TRX", Due: "1s",
	})
	if err != nil {
		t.Fatal(err)
	}
	o.awaitRecord(t, expected, true, isSucceededAndConfirmed)
}

// putCredentials adds an account to the API credentials of Cregis.
func (o orderService) putCredentials(t *testing.T, account, baseURL string) {
	t.Helper()
	client := secretsmanager.NewFromConfig(emulatorConfig(o.stack().EndpointURL))
	provider := o.stack().Providers["cregis"]
	text, err := json.Marshal(map[string]map[string]string{
		provider.Account: {"baseUrl": provider.BaseURL, "key": string(provider.Key)},
		account:          {"baseUrl": baseURL, "key": "their-key"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(provider.APISecret), SecretString: aws.String(string(text))}); err != nil {
		t.Fatal(err)
	}
}
