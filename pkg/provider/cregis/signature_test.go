package cregis_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

const (
	payoutExample = `{"pid":1382528827416576,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS",` +
		`"chain_id":"195","token_id":"195","currency":"TRX","amount":"1.1","third_party_id":"1e0fb3a0a9454ad8928d26b592e8b3c7",` +
		`"remark":"payout","status":6,"txid":"6dd05b0972075542219a3fcc116c58feaf9480f1f698cc46c4367ded83955cfd",` +
		`"block_height":"34527604","block_time":1686814482000,"nonce":"ubqso3","timestamp":1687850657960}`
	requestExample = `{"pid":1382528827416576,"currency":"195@195","address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS",` +
		`"amount":"1.1","remark":"payout","callback_url":"http://192.168.2.29:9099/callback"}`
)

// with returns a body with members set: name, JSON value, and so on.
func with(t testing.TB, body string, members ...string) []byte {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(members); i += 2 {
		fields[members[i]] = json.RawMessage(members[i+1])
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The first three signatures are published: docs/api-reference/signature and
// docs/api-reference/request-apis/payout-query. No callback's signature is: those on
// the pages belong to other bodies. Another program computed the rest.
func TestSign_DocumentedSignatures(t *testing.T) {
	tests := []struct {
		name string
		body []byte
		want string
	}{
		{"request V1", with(t, requestExample, "third_party_id", `"c9231e604da54469a735af3f449c880f"`, "nonce", `"hwlkk6"`, "timestamp", "1688004243314"), "d6eef2de79e39f434a38efb910213ba6"},
		{"request V2", with(t, requestExample, "third_party_id", `"19faf9d3c8f34caf926f332f3021e887"`, "nonce", `"mb8udu"`, "timestamp", "1688003966801"), "c9bae061ae3f5f8d3bfde817f6966c36"},
		{"request V3", []byte(`{"pid":1382528827416576,"cid":1382626461605888,"nonce":"sw7kv5","timestamp":1687853722065}`), "af825ddb839e6796d62977caf18d3394"},
		{"status 0 is signed", with(t, payoutExample, "status", "0"), "e3409fab45b12980dbf7d592e8aef649"},
		{"status 2", with(t, payoutExample, "status", "2"), "8195b5969843b7264b3b3bedc2a1c5d9"},
		{"status 4", with(t, payoutExample, "status", "4"), "7ed0b0fd9800cae9fd78e8c21c38319e"},
		{"status 6", []byte(payoutExample), "b97ca7e3d5e05d92e12274b28054f9a5"},
		{"status 7", with(t, payoutExample, "status", "7"), "97d708be6390cb9beb6c28db1d2791ec"},
		{"memo empty", with(t, payoutExample, "memo", `""`), "b97ca7e3d5e05d92e12274b28054f9a5"},
		{"memo null", with(t, payoutExample, "memo", "null"), "b97ca7e3d5e05d92e12274b28054f9a5"},
		{"an earlier sign is not signed", with(t, payoutExample, "sign", `"x"`), "b97ca7e3d5e05d92e12274b28054f9a5"},
		{"chain fields empty", with(t, payoutExample, "status", "4", "txid", "null", "block_height", `""`, "block_time", "null"), "1cada5992b2908facc20d4ed98a84e38"},
		{"beyond ASCII", with(t, payoutExample, "remark", `"提币 ✓"`), "fe6f4b155f351fbb415e73ea6ad03c9c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			signed, _, err := cregis.Provider{}.Sign(test.body, sampleKey, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Sign string }
			if err := json.Unmarshal(signed, &got); err != nil || got.Sign != test.want {
				t.Errorf("sign %s (%v), want %s", got.Sign, err, test.want)
			}
		})
	}
}

func TestSign_KeepsTheRestOfTheBody(t *testing.T) {
	sign := "e9c9ae1f2a1a8e4f4c3a0f9b2f1a7c55"
	tests := []struct{ name, body, want string }{
		{"in place of an earlier sign", `{"a":1, "sign" :"old","b":2}`, `{"a":1, "sign" :"SIGN","b":2}`},
		{"in place of null", `{"sign":null}`, `{"sign":"SIGN"}`},
		{"in place of an escaped name", `{"s\u0069gn":""}`, `{"s\u0069gn":"SIGN"}`},
		{"at the end of a line", `{"a":1,"b":2}`, `{"a":1,"b":2,"sign":"SIGN"}`},
		{"on a line of its own", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{\n  \"a\": 1,\n  \"b\": 2,\n  \"sign\": \"SIGN\"\n}\n"},
		{"in an empty object", `{ }`, `{"sign":"SIGN" }`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := []byte(test.body)
			signed, header, err := cregis.Provider{}.Sign(body, sampleKey, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Sign string }
			if err := json.Unmarshal(signed, &got); err != nil || len(got.Sign) != len(sign) {
				t.Fatalf("%s: %v", signed, err)
			}
			if text := strings.Replace(string(signed), got.Sign, "SIGN", 1); text != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
			if string(body) != test.body || header.Get("Content-Type") != "application/json" {
				t.Errorf("body %s, header %v", body, header)
			}
		})
	}
}

func TestSign_UnsignableBody(t *testing.T) {
	for _, body := range []string{"", "[]", `{"a":{}}`, `{"a":1,"a":1}`, `{"a":1}x`, "{\"a\":\"\xff\"}"} {
		if signed, _, err := (cregis.Provider{}).Sign([]byte(body), sampleKey, time.Time{}); err == nil {
			t.Errorf("%q: got %q, want an error", body, signed)
		}
	}
}

func TestVerify_CurrentAndPreviousKey(t *testing.T) {
	keys := testKeys()
	for _, test := range []struct {
		key      callback.Key
		previous bool
	}{{keys[project].Current, false}, {keys[project].Previous, true}} {
		verified, err := cregis.Provider{}.Verify(requestFor(t, payout.TypePayout, []byte(payoutExample), test.key), keys)
		want := callback.Sender{Account: project, KeyID: test.key.ID(), Previous: test.previous}
		if err != nil || verified.Sender != want {
			t.Errorf("got %+v, %v, want %+v", verified.Sender, err, want)
		}
	}
}

// A key that is not set verifies nothing, not even a body signed with an empty key.
func TestVerify_EmptyKey(t *testing.T) {
	for _, keys := range []callback.Keys{nil, {}, {project: {}}, {"": {Current: sampleKey}}} {
		for _, key := range []callback.Key{"", "00000000000000000000000000000000", sampleKey} {
			request := requestFor(t, payout.TypePayout, []byte(payoutExample), key)
			if _, err := (cregis.Provider{}).Verify(request, keys); !errors.Is(err, callback.ErrUnauthenticated) {
				t.Errorf("key %q under %d accounts: %v", string(key), len(keys), err)
			}
		}
	}
}

// A project's number is a plain integer, whatever accounts have keys.
func TestVerify_AccountIsNotANumber(t *testing.T) {
	for text, account := range map[string]string{"true": "true", "1.5": "1.5", "1e3": "1e3", `"x"`: "x", "-1": "-1", `"01"`: "01"} {
		request := requestFor(t, payout.TypePayout, with(t, payoutExample, "pid", text), sampleKey)
		_, err := cregis.Provider{}.Verify(request, callback.Keys{account: {Current: sampleKey}})
		if !errors.Is(err, callback.ErrUnauthenticated) {
			t.Errorf("pid %s: %v, want %v", text, err, callback.ErrUnauthenticated)
		}
	}
}

// Errors are logged, so they contain nothing of the body.
func TestVerify_ErrorDoesNotQuoteBody(t *testing.T) {
	for _, body := range []string{`{"secret-name":"secret-value",}`, `{"secret-name":{}}`, `{"a":"secret-name","a":1}`} {
		_, err := cregis.Provider{}.Verify(callback.NewRequest(payout.TypePayout, nil, []byte(body)), testKeys())
		if !errors.Is(err, callback.ErrMalformed) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// requestFor returns the request in which the provider would send the body.
func requestFor(t testing.TB, kind payout.Type, body []byte, key callback.Key) callback.Request {
	t.Helper()
	signed, header, err := cregis.Provider{}.Sign(body, key, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return callback.NewRequest(kind, header, signed)
}
