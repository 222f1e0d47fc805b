package functions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/testkit/traffic"
)

// claimedAccounts holds, for each provider, a body with a verb for the account,
// and an account as the provider documents it.
var claimedAccounts = map[string]struct{ body, account string }{
	"cregis": {`{"pid":%s,"cid":7,"sign":"0123456789abcdef0123456789abcdef"}`, "1382528827416576"},
	"pivot":  {`{"event":"PAYOUT.SINGLE","data":{"merchantId":%s}}`, "922e39ab-7565-49f6-b84f-fb56122821ae"},
}

// refusedLine sends a callback without a valid key and returns its log line.
func refusedLine(t *testing.T, provider provider.Description, body string) map[string]any {
	t.Helper()
	var out bytes.Buffer
	stack := unreachableStack(&out)
	handle := stack.HandleCallbacks(provider, traffic.Keys{})
	_, err := handle(t.Context(), events.APIGatewayV2HTTPRequest{
		RouteKey: fmt.Sprintf("POST /callbacks/%s/payout", provider.Name()), Headers: map[string]string{"X-Api-Key": "wrong"}, Body: body,
	})
	if err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["Refused"] != 1.0 {
		t.Fatalf("not refused: %s", &out)
	}
	return line
}

// The field shows if all callbacks of one account are refused.
func TestRefusedCallback_ClaimedAccount(t *testing.T) {
	for _, provider := range functions.Providers() {
		claim, ok := claimedAccounts[provider.Name()]
		if !ok {
			t.Fatalf("claimedAccounts has no %s", provider.Name())
		}
		line := refusedLine(t, provider, fmt.Sprintf(claim.body, `"`+claim.account+`"`))
		if line["claimed_account"] != claim.account {
			t.Errorf("%s: claimed_account is %v", provider.Name(), line["claimed_account"])
		}
	}
}

// I9: a forged callback cannot write text into the log.
func TestRefusedCallback_InvalidAccount(t *testing.T) {
	texts := []string{
		`""`, `"` + canary + `"`, `"0"`, `"-1"`, `"1.5"`, `"12 34"`, `"` + strings.Repeat("9", 20) + `"`, `"` + strings.Repeat("a", 4096) + `"`,
		`"922e39ab-7565-49f6-b84f-fb56122821a"`, `"922e39ab-7565-49f6-b84f-fb56122821aez"`, `"922e39ab 7565 49f6 b84f fb56122821ae"`,
		`"922e39ab-7565-49f6-b84f-fb56122821ag"`, `"922e39ab-7565-49f6-b84ff-b56122821ae"`, `"-22e39ab-7565-49f6-b84f-fb56122821ae"`,
		`"922e39ab\u000a7565-49f6-b84f-fb56122821ae"`, `null`, `true`, `{}`, `[]`, `1e9`, `{"pid":1}`, `"`, `1}{`,
	}
	for _, provider := range functions.Providers() {
		for _, text := range texts {
			line := refusedLine(t, provider, fmt.Sprintf(claimedAccounts[provider.Name()].body, text))
			if claimed, ok := line["claimed_account"]; ok {
				t.Errorf("%s: %.50s: got claimed_account %v, want none", provider.Name(), text, claimed)
			}
		}
		large := fmt.Sprintf(claimedAccounts[provider.Name()].body, `"`+claimedAccounts[provider.Name()].account+`"`)
		if line := refusedLine(t, provider, large+strings.Repeat(" ", callback.MaxBody)); line["claimed_account"] != nil {
			t.Errorf("%s: body too large: got claimed_account %v, want none", provider.Name(), line["claimed_account"])
		}
	}
}
