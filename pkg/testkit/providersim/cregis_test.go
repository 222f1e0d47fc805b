package providersim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/providersim"
)

// The callback samples of docs/api-reference/callback/payout and
// docs/api-reference/callback/withdrawal. The sign that they print is the same
// filler everywhere; the signatures were computed apart from this module.
const (
	payoutSample = `{"pid":1382528827416576,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195","token_id":"195",` +
		`"currency":"TRX","amount":"1.1","third_party_id":"1e0fb3a0a9454ad8928d26b592e8b3c7","remark":"payout","status":0,` +
		`"txid":"6dd05b0972075542219a3fcc116c58feaf9480f1f698cc46c4367ded83955cfd","block_height":"34527604","block_time":1686814482000,` +
		`"nonce":"ubqso3","timestamp":1687850657960,"sign":"f5be13fdd8c6f63951ca4427359457cb"}`
	subAddressSample = `{"pid":1382528827416576,"cid":1391751691788288,"from_address":"rhAZ673nG6fSXovPAkw3EcrhKyWwXducoi",` +
		`"to_address":"rn5Jyu5J6PG64543KdGvS25rQBYFQo7GLc","chain_id":"144","token_id":"144","currency":"XRP","amount":"1.1",` +
		`"third_party_id":"1e0fb3a0a9454ad8928d26b592e8b3c7","remark":"payout","memo":"123","status":6,` +
		`"txid":"6dd05b0972075542219a3fcc116c58feaf9480f1f698cc46c4367ded83955cfd","block_height":"34527604","block_time":1686814482000,` +
		`"nonce":"ubqso3","timestamp":1687850657960,"sign":"f5be13fdd8c6f63951ca4427359457cb"}`
)

func TestCregisSign_DocumentedSamples(t *testing.T) {
	for body, want := range map[string]string{
		payoutSample: "e3409fab45b12980dbf7d592e8aef649",
		strings.Replace(payoutSample, `"status":0`, `"status":6`, 1):                           "b97ca7e3d5e05d92e12274b28054f9a5",
		strings.Replace(payoutSample, `"status":0`, `"status":6,"memo":null`, 1):               "b97ca7e3d5e05d92e12274b28054f9a5",
		strings.Replace(strings.Replace(payoutSample, `:0`, `:6`, 1), `"payout"`, `"提币 ✓"`, 1): "fe6f4b155f351fbb415e73ea6ad03c9c",
		subAddressSample: "41c48f17b80b84412f37732533e95f70",
	} {
		if got, err := providersim.CregisSign(cregisKey, []byte(body)); got != want || err != nil {
			t.Errorf("sign is %s, want %s (%v): %s", got, want, err, body)
		}
	}
}

// The requests whose signatures docs/api-reference/signature and
// docs/api-reference/request-apis/payout/payout-query print.
func TestCregis_DocumentedRequests(t *testing.T) {
	const order = `{"pid":1382528827416576,"currency":"195@195","address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","amount":"1.1","remark":"payout",` +
		`"third_party_id":"%s","callback_url":"http://192.168.2.29:9099/callback","nonce":"%s","timestamp":%s,"sign":"%s"}`
	query := `{"pid":1382528827416576,"cid":1382626461605888,"nonce":"sw7kv5","timestamp":1687853722065,"sign":"af825ddb839e6796d62977caf18d3394"}`
	for _, test := range []struct{ name, path, body, code string }{
		{"order", "/api/v1/payout", fmt.Sprintf(order, "c9231e604da54469a735af3f449c880f", "hwlkk6", "1688004243314", "d6eef2de79e39f434a38efb910213ba6"), "00000"},
		{"older order", "/api/v1/payout", fmt.Sprintf(order, "19faf9d3c8f34caf926f332f3021e887", "mb8udu", "1688003966801", "c9bae061ae3f5f8d3bfde817f6966c36"), "00000"},
		{"wrong sign", "/api/v1/payout", fmt.Sprintf(order, "other", "mb8udu", "1688003966801", "c9bae061ae3f5f8d3bfde817f6966c36"), "B0001"},
		{"query", "/api/v1/payout/query", query, "E0014"},
		{"query with a wrong sign", "/api/v1/payout/query", strings.Replace(query, "sw7kv5", "sw7kv6", 1), "B0001"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			answer := w.decode(w.request(w.cregis, "POST", test.path, test.body, nil))
			if answer["code"] != test.code {
				t.Errorf("answer %v, want code %s", answer, test.code)
			}
		})
	}
}

func TestCregis_RefusedOrders(t *testing.T) {
	const order = `,"currency":"195@195","address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","amount":"1.1","third_party_id":"R"`
	for _, test := range []struct{ name, old, replacement, code string }{
		{"no amount", `,"amount":"1.1"`, "", "A0001"},
		{"no reference", `"R"`, `""`, "A0001"},
		{"unknown currency", "195@195", "999@999", "E0005"},
		{"amount of zero", "1.1", "0.00", "E0006"},
		{"negative amount", "1.1", "-1", "E0006"},
		{"amount with an exponent", "1.1", "1e3", "E0006"},
		{"seven decimals of TRX", "1.1", "1.1234567", "E0007"},
		{"address of another chain", "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", "rhAZ673nG6fSXovPAkw3EcrhKyWwXducoi", "E0008"},
		{"nested field", `"R"`, `"R","remark":[]`, "A0001"},
		{"reference used before", `"R"`, `"used"`, "E0009"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.orderCregis(providersim.CregisPayout, "used", providersim.Plan{})
			body := fmt.Sprintf(`{"pid":%s,"nonce":"abc123","timestamp":%d%s}`, pid, w.now.UnixMilli(), strings.Replace(order, test.old, test.replacement, 1))
			if signed, _, err := (cregis.Provider{}).Sign([]byte(body), cregisKey, time.Time{}); err == nil {
				body = string(signed)
			}
			if answer := w.decode(w.request(w.cregis, "POST", "/api/v1/payout", body, nil)); answer["code"] != test.code || answer["data"] != nil {
				t.Errorf("answer %v, want code %s", answer, test.code)
			}
			if ordered := len(w.cregis.Payouts()); ordered != 1 {
				t.Errorf("%d payouts were ordered", ordered)
			}
		})
	}
}

func TestCregis_RefusedRequests(t *testing.T) {
	const query = `{"pid":1382528827416576,"cid":1382626461605888,"nonce":"sw7kv5","timestamp":1687853722065,"sign":"af825ddb839e6796d62977caf18d3394"}`
	for _, test := range []struct{ name, old, replacement, code string }{
		{"unknown project", "1382528827416576", "1", "E0003"},
		{"nonce of 13 characters", "sw7kv5", "1687853722065", "A0001"},
		{"timestamp in seconds", "1687853722065", "1687853722", "A0001"},
		{"upper-case sign", "af825d", "AF825D", "B0001"},
		{"no sign", `"sign"`, `"sing"`, "B0001"},
		{"not JSON", "{", "", "A0001"},
	} {
		w := newWorld(t)
		recorder := w.request(w.cregis, "POST", "/api/v1/payout/query", strings.Replace(query, test.old, test.replacement, 1), nil)
		if answer := w.decode(recorder); recorder.Code != 200 || answer["code"] != test.code {
			t.Errorf("%s: %d %v, want code %s", test.name, recorder.Code, answer, test.code)
		}
	}
}

// What the simulator sends is what this module's provider understands, and its
// bodies have the fields of the samples.
func TestCregis_Callbacks(t *testing.T) {
	for status, want := range map[providersim.Status]payout.Event{
		providersim.Succeeded:     {Status: payout.Succeeded},
		providersim.Failed:        {Status: payout.Failed},
		providersim.Rejected:      {Status: payout.Rejected, Reason: "approval"},
		providersim.RejectedBySig: {Status: payout.Rejected, Reason: "signature"},
	} {
		for _, kind := range []string{providersim.CregisPayout, providersim.CregisSubAddressPayout} {
			t.Run(kind+" "+string(status), func(t *testing.T) {
				w := newWorld(t)
				cid := w.orderCregis(kind, "R-1", providersim.Plan{Status: status, After: time.Minute})
				if early := w.pass(time.Minute - 1); len(early) != 0 {
					t.Errorf("%d callbacks before the end", len(early))
				}
				callbacks := w.pass(1)
				if len(callbacks) != 1 || callbacks[0].path != "/"+kind {
					t.Fatalf("callbacks %v", callbacks)
				}
				event, held, err := w.parse(cregisProvider, callbacks[0])
				if held != nil || err != nil {
					t.Fatalf("held %v, %v: %s", held, err, callbacks[0].body)
				}
				want.ID, want.Reference = payout.NewID("cregis", payout.Type(kind), pid, cid, ""), "R-1"
				want.Amount, want.Currency, want.Chain, want.Token, want.To = "1.1", "TRX", "195", "195", tronAddress
				if kind == providersim.CregisSubAddressPayout {
					want.From = subAddress
				}
				if status == providersim.Succeeded || status == providersim.Failed {
					want.TxID, want.BlockHeight, want.BlockTime = event.TxID, event.BlockHeight, w.now.UnixMilli()
					if len(event.TxID) != 64 || event.BlockHeight == 0 {
						t.Errorf("transaction %q in block %d", event.TxID, event.BlockHeight)
					}
				}
				if difference := cmp.Diff(want, event); difference != "" {
					t.Error(difference)
				}
				sample := payoutSample
				if kind == providersim.CregisSubAddressPayout {
					sample = strings.Replace(subAddressSample, `"memo":"123",`, "", 1)
				}
				if difference := cmp.Diff(fieldNames(t, sample), fieldNames(t, callbacks[0].body)); difference != "" {
					t.Error(difference)
				}
			})
		}
	}
}

func TestCregis_StatusesWithoutCallback(t *testing.T) {
	for status, word := range map[providersim.Status]string{
		providersim.Pending: "0", providersim.Approved: "1", providersim.Cancelled: "3", providersim.Processing: "5",
	} {
		w := newWorld(t)
		cid := w.orderCregis(providersim.CregisPayout, "R", providersim.Plan{Status: status})
		if callbacks := w.pass(1000 * time.Hour); len(callbacks) != 0 {
			t.Errorf("%s: callback %s", status, callbacks[0].body)
		}
		if got := fmt.Sprint(w.queryCregis(cid)["data"].(document)["status"]); got != word {
			t.Errorf("%s: status %s, want %s", status, got, word)
		}
		if err := w.cregis.Push(cid); err == nil {
			t.Errorf("%s: a callback that was never sent is pushed", status)
		}
	}
}

func TestCregis_Queries(t *testing.T) {
	const payoutAnswer = `{"pid":1,"from_address":"","address":"","chain_id":"195","token_id":"195","currency":"TRX","amount":"1.1",` +
		`"third_party_id":"1e0f","remark":"payout","status":0,"txid":"","block_height":"34527604","block_time":1686814482000}`
	w := newWorld(t)
	cid := w.orderCregis(providersim.CregisPayout, "R", providersim.Plan{After: time.Minute})
	sub := w.orderCregis(providersim.CregisSubAddressPayout, "S", providersim.Plan{After: time.Minute})
	ask := func(path, cid string) document {
		answer := w.askCregis(path, `,"cid":`+cid)
		data, _ := answer["data"].(document)
		if data == nil {
			t.Fatalf("answer %v", answer)
		}
		return data
	}
	pending := ask("/api/v1/payout/query", cid)
	if got := fmt.Sprintln(pending["status"], pending["from_address"], pending["txid"], pending["block_height"], pending["block_time"]); got != "0 <nil> <nil> <nil> <nil>\n" {
		t.Errorf("pending: %s", got)
	}
	if difference := cmp.Diff(fieldNames(t, payoutAnswer), slices.Sorted(maps.Keys(pending))); difference != "" {
		t.Error(difference)
	}
	w.now = w.now.Add(time.Minute)
	ended := ask("/api/v1/payout/query", cid)
	if got := fmt.Sprintf("%v %v %v %T %T", ended["status"], ended["pid"], ended["third_party_id"], ended["block_height"], ended["block_time"]); got != "6 "+pid+" R string json.Number" {
		t.Errorf("ended: %s", got)
	}
	other := ask("/api/v1/sub_address_withdrawal/info", sub)
	if got := fmt.Sprintf("%v %v %v %T", other["status"], other["from_address"], other["to_address"], other["block_time"]); got != "6 "+subAddress+" "+tronAddress+" string" {
		t.Errorf("sub-address payout: %s", got)
	}
	for _, question := range [][2]string{{"/api/v1/payout/query", "1"}, {"/api/v1/payout/query", sub}, {"/api/v1/sub_address_withdrawal/info", cid}} {
		if answer := w.askCregis(question[0], `,"cid":`+question[1]); answer["code"] != "E0014" {
			t.Errorf("%v: answer %v", question, answer)
		}
	}
}

// Cregis calls once; only 200 with the body "success" counts.
func TestCregis_FailedCallback(t *testing.T) {
	for _, answer := range []struct {
		code int
		body string
	}{{200, "success\n"}, {200, `"success"`}, {200, "SUCCESS"}, {200, ""}, {503, "success"}, {0, ""}} {
		w := newWorld(t)
		w.answer = func(received) (int, string) { return answer.code, answer.body }
		cid := w.orderCregis(providersim.CregisPayout, "R", providersim.Plan{})
		first := w.deliver()
		if again := w.pass(1000 * time.Hour); len(again) != 0 {
			t.Errorf("answer %v: sent again", answer)
		}
		if state := w.cregis.Payouts()[0].Callbacks[0].State; state != "failed" {
			t.Errorf("answer %v: callback is %s", answer, state)
		}
		w.answer = nil
		if err := w.cregis.Push(cid); err != nil {
			t.Fatal(err)
		}
		if pushed := w.deliver(); len(pushed) != 1 || pushed[0].body != first[0].body {
			t.Errorf("pushed %v, want the callback of %v with its timestamp", pushed, first)
		}
		if state := w.cregis.Payouts()[0].Callbacks[1].State; state != "acknowledged" {
			t.Errorf("pushed callback is %s", state)
		}
	}
}

func fieldNames(t *testing.T, body string) []string {
	t.Helper()
	w := &world{T: t}
	return slices.Sorted(maps.Keys(w.decode(recorded(body))))
}
