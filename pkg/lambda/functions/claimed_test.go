package functions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/traffic"
)

// claimedBody returns a body of a vector, with JSON in place of its account.
func claimedBody(t *testing.T, d provider.Description, account string) string {
	t.Helper()
	named := regexp.MustCompile(`"?` + regexp.QuoteMeta(d.DemoAccount) + `"?`)
	for _, vector := range providertest.Vectors(t, path.Join("..", "..", "provider", d.Name(), "testdata")) {
		if vector.Account == d.DemoAccount && named.Match(vector.Body) {
			return named.ReplaceAllLiteralString(string(vector.Body), account)
		}
	}
	t.Fatalf("no vector of %s is signed for the demo account and names it", d.Name())
	return ""
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
	for _, provider := range providers.All() {
		line := refusedLine(t, provider, claimedBody(t, provider, `"`+provider.DemoAccount+`"`))
		if line["claimed_account"] != provider.DemoAccount {
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
	for _, provider := range providers.All() {
		for _, text := range texts {
			var account string
			if json.Unmarshal([]byte(text), &account) == nil && provider.Account.Matches(account) {
				continue
			}
			line := refusedLine(t, provider, claimedBody(t, provider, text))
			if claimed, ok := line["claimed_account"]; ok {
				t.Errorf("%s: %.50s: got claimed_account %v, want none", provider.Name(), text, claimed)
			}
		}
		large := claimedBody(t, provider, `"`+provider.DemoAccount+`"`)
		if line := refusedLine(t, provider, large+strings.Repeat(" ", callback.MaxBody)); line["claimed_account"] != nil {
			t.Errorf("%s: body too large: got claimed_account %v, want none", provider.Name(), line["claimed_account"])
		}
	}
}
