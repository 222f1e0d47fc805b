package explain_test

import (
	"bytes"
	"fmt"
	"net/http"
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
	"payout-callbacks/pkg/provider/scheme"
)

const pivotBody = `{"event":"PAYOUT.SUCCESS","data":{"uuid":"d6a46a2c-1b26-40c5-9ca3-e063e69635a0","merchantId":"` + merchant + `",` +
	`"payouts":{"referenceId":"r-1","status":"SUCCESS","reason":null,"amount":{"value":"100.00","currency":"IDR"}}}}`

func pivotReport(header http.Header, body string) explain.Report {
	return explain.Explain(explain.Input{
		Provider: pivot.Description(), Request: callback.NewRequest(payout.TypePayout, header, []byte(body)), Keys: pivotKeys(),
		Now: now,
	})
}

func TestExplain_PivotKeyMistakes(t *testing.T) {
	const key = "canary-pivot-current"
	for name, test := range map[string]struct {
		header http.Header
		cause  string
	}{
		"no header":           {http.Header{}, explain.CauseNoCredential},
		"empty header":        {http.Header{"X-Api-Key": {""}}, explain.CauseNoCredential},
		"other name":          {http.Header{"X-Callback-Key": {key}}, explain.CauseCredentialPlace},
		"bearer":              {http.Header{"Authorization": {"Bearer " + key}}, explain.CauseCredentialPlace},
		"bearer in its place": {http.Header{"X-Api-Key": {"Bearer " + key}}, explain.CauseCredentialPlace},
		"quotes":              {http.Header{"X-Api-Key": {`"` + key + `"`}}, explain.CauseCredentialPlace},
		"space":               {http.Header{"X-Api-Key": {key + " "}}, explain.CauseCredentialPlace},
		"twice, two values":   {http.Header{"X-Api-Key": {key, key + "x"}}, explain.CauseCredentialForm},
		"truncated":           {http.Header{"X-Api-Key": {key[:len(key)-3]}}, explain.CauseUnknownKey},
		"of another provider": {http.Header{"X-Api-Key": {"canary-cregis-current"}}, explain.CauseUnknownKey},
		"unknown":             {http.Header{"X-Api-Key": {"nobody's"}}, explain.CauseUnknownKey},
	} {
		t.Run(name, func(t *testing.T) {
			report := pivotReport(test.header, pivotBody)
			if report.Verdict != callback.Unauthenticated {
				t.Fatalf("got %s", report.Verdict)
			}
			wantFinding(t, report, test.cause, "", "")
			wantNoSecrets(t, report)
		})
	}
	report := pivotReport(http.Header{"X-Api-Key": {"canary-pivot-sister"}}, pivotBody)
	if report.Held == nil || report.Held.Reason != callback.ReasonMismatch {
		t.Errorf("under another merchant's key: held = %+v, want %s", report.Held, callback.ReasonMismatch)
	}
	wantFinding(t, report, explain.CauseOtherAccount, "", "")
	report = pivotReport(http.Header{"X-Api-Key": {"nobody's"}}, strings.Replace(pivotBody, merchant, "5"+merchant[1:], 1))
	wantFinding(t, report, explain.CauseNoKeys, "", "")
}

// hmacProvider describes a provider by its description alone: it signs the body, in a
// header or, without one, in its first bytes.
func hmacProvider(header string) provider.Description {
	return provider.Description{Callbacks: signing{proof: scheme.HMAC{Header: "X-Signature"}, isInBody: header == ""}, ProofHeader: header, Title: "Acme", KeyNoun: "secret"}
}

type signing struct {
	cregis.Provider // restores a held callback

	proof    scheme.HMAC
	isInBody bool
}

func (signing) Name() string { return "acme" }

func (signing) ClaimedAccount(request callback.Request) string {
	if bytes.Contains(request.Body, []byte("unknown")) {
		return "9"
	}
	return "1"
}

func (s signing) Sign(body []byte, key callback.Key, at time.Time) ([]byte, http.Header, error) {
	header := s.proof.Sign(body, key, at)
	if s.isInBody {
		return append([]byte(header.Get("X-Signature")), body...), http.Header{}, nil
	}
	return body, header, nil
}

func (s signing) Verify(request callback.Request, keys callback.Keys) (callback.Verified, error) {
	content := request
	if s.isInBody {
		content = callback.NewRequest(request.Type, http.Header{"X-Signature": {string(request.Body[:64])}}, request.Body[64:])
	}
	sender, err := s.proof.Verify(content, keys, scheme.Claim{Account: func() string { return "" }})
	if err != nil {
		return callback.Verified{}, err
	}
	return s.Restore(request, sender), nil
}

// A provider with a description only is explained, too.
func TestExplain_DescribedProvider(t *testing.T) {
	keys := callback.Keys{"1": {Current: "canary-acme-current"}}
	for name, test := range map[string]struct {
		header string // of the signature
		body   string
		key    callback.Key
		drop   bool
		cause  string
	}{
		"verified":                    {header: "X-Signature", body: "{}", key: "canary-acme-current"},
		"another key":                 {header: "X-Signature", body: "{}", key: "nobody's", cause: explain.CauseUnknownKey},
		"two signatures":              {header: "X-Signature", body: "{}", key: "nobody's, twice", cause: explain.CauseUnknownKey},
		"no signature":                {header: "X-Signature", body: "{}", drop: true, cause: explain.CauseNoCredential},
		"an unknown account":          {header: "X-Signature", body: `{"unknown":1}`, key: "nobody's", cause: explain.CauseNoKeys},
		"verified by the body":        {body: "{}", key: "canary-acme-current"},
		"another key, in the body":    {body: "{}", key: "nobody's", cause: explain.CauseUnknownKey},
		"the key instead of a digest": {header: "X-Signature", body: "{}", key: "plain", cause: explain.CauseCredentialPlace},
	} {
		t.Run(name, func(t *testing.T) {
			d := hmacProvider(test.header)
			body, header, err := d.Sign([]byte(test.body), test.key, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if test.drop {
				header = http.Header{}
			}
			switch test.key {
			case "plain":
				header.Set("X-Signature", "canary-acme-current")
			case "nobody's, twice":
				header.Add("X-Signature", header.Get("X-Signature"))
			}
			report := explain.Explain(explain.Input{Provider: d, Request: callback.NewRequest(payout.TypePayout, header, body), Keys: keys, Now: now})
			if isVerified := report.Verdict == callback.Acknowledged; isVerified != (test.cause == "") {
				t.Fatalf("got %s, findings %+v", report.Verdict, report.Findings)
			}
			if report.Received != "" {
				t.Errorf("a part of the signature is reported: %q", report.Received)
			}
			if test.cause == "" {
				if !report.KeyChecks[0].Matches {
					t.Errorf("got %+v, want a key that matches", report.KeyChecks)
				}
				return
			}
			wantFinding(t, report, test.cause, "", "")
			wantNoSecrets(t, report)
		})
	}
}

// A signature that includes the time of sending is verified as of the time of receipt.
func TestExplain_TimeOfReceipt(t *testing.T) {
	proof := scheme.HMAC{Header: "X-Signature", Timestamp: &scheme.Timestamp{Header: "X-Time", Text: "{t}.", Tolerance: 5 * time.Minute}}
	d := provider.Description{Callbacks: signing{proof: proof}, ProofHeader: "X-Signature", Title: "Acme", KeyNoun: "secret"}
	keys := callback.Keys{"1": {Current: "canary-acme-current"}}
	_, header, err := d.Sign([]byte("{}"), "canary-acme-current", now.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	explained := func(request callback.Request) callback.Verdict {
		return explain.Explain(explain.Input{Provider: d, Request: request, Keys: keys, Now: now}).Verdict
	}
	request := callback.NewRequest(payout.TypePayout, header, []byte("{}"))
	event := fmt.Sprintf(`{"version":"2.0","routeKey":"POST /callbacks/acme/payout","body":"{}","headers":{"x-signature":%q,"x-time":%q},"requestContext":{"timeEpoch":%d}}`,
		header.Get("X-Signature"), header.Get("X-Time"), now.Add(-time.Hour).UnixMilli())
	capture, err := explain.Read([]byte(event), "")
	if err != nil {
		t.Fatal(err)
	}
	_, fresh, err := d.Sign([]byte("{}"), "canary-acme-current", now.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		request callback.Request
		want    callback.Verdict
	}{
		"sent a minute ago":       {callback.NewRequest(payout.TypePayout, fresh, []byte("{}")), callback.Acknowledged},
		"sent an hour ago":        {request, callback.Unauthenticated},
		"at the time of receipt":  {request.WithReceivedAt(now.Add(-time.Hour)), callback.Acknowledged},
		"an event of API Gateway": {capture.Request, callback.Acknowledged},
	} {
		if got := explained(test.request); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// Of a signature out of tolerance, the key and the time that it states are reported. A
// wrong key, an altered body, and an altered time remain an unknown key.
func TestExplain_SigningTimeOutOfTolerance(t *testing.T) {
	keys := callback.Keys{"1": {Current: "canary-acme-current", Previous: "canary-acme-previous"}}
	separate := scheme.Timestamp{Header: "X-Time", Text: "{t}.", Tolerance: 5 * time.Minute}
	beside := scheme.Timestamp{Prefix: "t=", Text: "{t}.", Tolerance: 5 * time.Minute}
	for name, test := range map[string]struct {
		stamp scheme.Timestamp
		key   callback.Key
		age   time.Duration
		body  string // as received
		time  string // as received; "": as signed
		cause string
		text  string
	}{
		"in a header":              {separate, "canary-acme-current", 2 * time.Hour, "{}", "", explain.CauseSigningTime, "(current) signs it, but its time of signing, 2026-11-21T07:00:00Z"},
		"beside the signature":     {beside, "canary-acme-current", 2 * time.Hour, "{}", "", explain.CauseSigningTime, "(2h0m0s)"},
		"with the previous key":    {separate, "canary-acme-previous", 2 * time.Hour, "{}", "", explain.CauseSigningTime, "(previous) signs it"},
		"signed after its receipt": {separate, "canary-acme-current", -time.Hour, "{}", "", explain.CauseSigningTime, "(-1h0m0s)"},
		"with another key":         {separate, "nobody's", 2 * time.Hour, "{}", "", explain.CauseUnknownKey, ""},
		"another body":             {separate, "canary-acme-current", 2 * time.Hour, `{"a":1795251600}`, "", explain.CauseUnknownKey, ""},
		"another time":             {separate, "canary-acme-current", 2 * time.Hour, "{}", "1795251600", explain.CauseUnknownKey, ""},
	} {
		t.Run(name, func(t *testing.T) {
			proof := scheme.HMAC{Header: "X-Signature", Timestamp: &test.stamp}
			d := provider.Description{Callbacks: signing{proof: proof}, ProofHeader: "X-Signature", Title: "Acme", KeyNoun: "secret"}
			_, header, err := d.Sign([]byte("{}"), test.key, now.Add(-test.age))
			if err != nil {
				t.Fatal(err)
			}
			if test.time != "" {
				header.Set("X-Time", test.time)
			}
			report := explain.Explain(explain.Input{Provider: d, Request: callback.NewRequest(payout.TypePayout, header, []byte(test.body)), Keys: keys, Now: now})
			wantFinding(t, report, test.cause, "", "")
			wantNoSecrets(t, report)
			matches := slices.ContainsFunc(report.KeyChecks, func(check explain.KeyCheck) bool { return check.Matches && check.KeyID == test.key.ID() })
			if report.Verdict != callback.Unauthenticated || len(report.Findings) != 1 || !strings.Contains(report.Findings[0].Text, test.text) ||
				matches != (test.cause == explain.CauseSigningTime) {
				t.Errorf("got %s, %+v, %+v", report.Verdict, report.KeyChecks, report.Findings)
			}
		})
	}
}
