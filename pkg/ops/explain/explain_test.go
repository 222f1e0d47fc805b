package explain_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
)

const (
	project  = "1382528827416576"
	neighbor = "1390000000000001"
	merchant = "922e39ab-7565-49f6-b84f-fb56122821ae"
	sister   = "00000000-1111-4222-8333-444444444444"
)

func cregisKeys() callback.Keys {
	return callback.Keys{
		project:  {Current: "canary-cregis-current", Previous: "canary-cregis-previous"},
		neighbor: {Current: "canary-cregis-neighbor"},
	}
}

func pivotKeys() callback.Keys {
	return callback.Keys{
		merchant: {Current: "canary-pivot-current", Previous: "canary-pivot-previous"},
		sister:   {Current: "canary-pivot-sister"},
	}
}

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

const cregisBody = `{"pid":1382528827416576,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195",` +
	`"token_id":"195","currency":"TRX","amount":"1.10","third_party_id":"order-7","remark":"Größe & mehr","memo":null,"status":6,` +
	`"block_height":"34527604","block_time":1686814482000,"nonce":"ubqso3","timestamp":1687850657960}`

func signed(t *testing.T, body string, key callback.Key) string {
	t.Helper()
	text, _, err := cregis.Provider{}.Sign([]byte(body), key, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantFinding(t *testing.T, report explain.Report, cause, field, signed string) {
	t.Helper()
	for _, got := range report.Findings {
		if got.Cause == cause && got.Field == field && (signed == "" || got.Signed == signed) {
			return
		}
	}
	t.Errorf("got %+v, want %s of %q", report.Findings, cause, field)
}

// wantNoSecrets fails if a report contains a key or a whole expected signature.
func wantNoSecrets(t *testing.T, report explain.Report) {
	t.Helper()
	text, err := json.Marshal(report)
	if err != nil || bytes.Contains(text, []byte("canary")) {
		t.Errorf("the report contains a key, or %v:\n%s", err, text)
	}
	for _, check := range report.KeyChecks {
		if len(strings.TrimSuffix(check.Expected, "…")) > 8 {
			t.Errorf("the report contains the whole signature %s", check.Expected)
		}
	}
}

func TestExplain_VerifiedCallback(t *testing.T) {
	report := pivotReport(http.Header{"X-Api-Key": {"canary-pivot-previous"}}, pivotBody)
	wantFinding(t, report, explain.CausePreviousKey, "", "")
	if report.Event == nil || report.Event.Status != payout.Succeeded || report.Receipt == nil || report.Reply.Code != 200 || report.Sender.Account != merchant {
		t.Errorf("got %+v", report)
	}
	report = cregisReport(nil, signed(t, strings.Replace(cregisBody, `"status":6`, `"status":5`, 1), "canary-cregis-current"))
	if report.Held == nil || report.Held.Reason != callback.ReasonStatus || report.Event != nil || !report.KeyChecks[0].Matches || len(report.Findings) > 0 {
		t.Errorf("got %+v", report)
	}
	wantNoSecrets(t, report)
}

// The verdict, and the canonical string in the report, are the provider's for each
// of its test vectors.
func TestExplain_ProviderVectors(t *testing.T) {
	for _, provider := range []provider.Description{cregis.Description(), pivot.Description()} {
		vectors := providertest.Vectors(t, filepath.Join("..", "..", "provider", provider.Name(), "testdata"))
		keys := callback.Keys{}
		for _, vector := range vectors {
			if vector.Account != "" {
				keys[vector.Account] = callback.AccountKeys{Current: callback.Key("k" + vector.Account), Previous: callback.Key("p" + vector.Account)}
			}
		}
		for _, vector := range vectors {
			t.Run(provider.Name()+"/"+vector.Name, func(t *testing.T) {
				request, err := vector.Request(provider, keys)
				if err != nil {
					t.Fatal(err)
				}
				report := explain.Explain(explain.Input{Provider: provider, Request: request, Keys: keys, Now: now})
				_, err = provider.Verify(request, keys)
				isVerified := report.Verdict == callback.Acknowledged
				if isVerified != (err == nil) {
					t.Errorf("verdict %s, Verify returns %v", report.Verdict, err)
				}
				if !isVerified && len(report.Findings) == 0 {
					t.Errorf("verdict %s without a finding", report.Verdict)
				}
				if isVerified && provider.Name() == "cregis" {
					wantCanonicalString(t, report, keys, signOf(unpacked(t, request.Body)))
				}
			})
		}
	}
}

// wantCanonicalString fails unless the fields of the report have the signature, and
// a key check says so.
func wantCanonicalString(t *testing.T, report explain.Report, keys callback.Keys, sign string) {
	t.Helper()
	var canonical strings.Builder
	for _, field := range report.Signed {
		canonical.WriteString(field.Name + field.Text)
	}
	for _, check := range report.KeyChecks {
		key := keys[report.Account].Current
		if check.Previous {
			key = keys[report.Account].Previous
		}
		sum := md5.Sum([]byte(string(key) + canonical.String()))
		if isSigned := strings.EqualFold(hex.EncodeToString(sum[:]), sign); isSigned != check.Matches {
			t.Errorf("key check %+v, want matches %v", check, isSigned)
		}
	}
	if !slices.ContainsFunc(report.KeyChecks, func(check explain.KeyCheck) bool { return check.Matches }) {
		t.Errorf("no key matches: %+v", report.KeyChecks)
	}
}

func unpacked(t *testing.T, body []byte) string {
	t.Helper()
	text, err := callback.Unpack(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Explain never panics, and its report never contains a key.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(cregisBody), "x")
	f.Add([]byte(pivotBody), "canary-pivot-current")
	f.Add([]byte("POST /callbacks/cregis/payout HTTP/1.1\n\n{}"), "")
	f.Fuzz(func(t *testing.T, text []byte, header string) {
		read, err := explain.Read(text, payout.TypePayout)
		if err != nil {
			return
		}
		read.Request.Header.Set("X-Api-Key", header)
		for _, in := range []explain.Input{
			{Provider: cregis.Description(), Keys: cregisKeys()}, {Provider: pivot.Description(), Keys: pivotKeys()},
		} {
			in.Request, in.Now = read.Request, now
			report := explain.Explain(in)
			if report.Verdict != callback.Acknowledged && !bytes.Contains(text, []byte("canary")) {
				wantNoSecrets(t, report)
			}
		}
	})
}
