package explain_test

import (
	"net/http"
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/pivot"
)

const pivotBody = `{"event":"PAYOUT.SUCCESS","data":{"uuid":"d6a46a2c-1b26-40c5-9ca3-e063e69635a0","merchantId":"` + merchant + `",` +
	`"payouts":{"referenceId":"r-1","status":"SUCCESS","reason":null,"amount":{"value":"100.00","currency":"IDR"}}}}`

func pivotReport(header http.Header, body string) explain.Report {
	return explain.Explain(explain.Input{
		Provider: pivot.Provider{}, Request: callback.NewRequest(payout.TypePayout, header, []byte(body)), Keys: pivotKeys(),
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
