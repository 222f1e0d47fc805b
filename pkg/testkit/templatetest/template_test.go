package templatetest_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/testkit/templatetest"
)

// What neither cfn-lint nor `sam validate` sees.

func property[T any](t *testing.T, template templatetest.Template, resource, name string) T {
	t.Helper()
	value, ok := template.Resources[resource].Properties[name].(T)
	if !ok {
		t.Fatalf("%s has no %s of that kind: %v", resource, name, template.Resources[resource].Properties[name])
	}
	return value
}

// I9: who called and what we answered; nothing that the caller wrote. HTTP APIs
// have no variable for a body, but they have some for headers and queries.
func TestTheAccessLogHoldsNothingOfTheCallback(t *testing.T) {
	format := property[map[string]any](t, templatetest.Load(t), "CallbackStage", "AccessLogSettings")["Format"].(string)
	var fields map[string]string
	if err := json.Unmarshal([]byte(format), &fields); err != nil {
		t.Fatalf("a line is no JSON: %v", err)
	}
	want := map[string]string{
		"requestId": "$context.requestId", "time": "$context.requestTime", "routeKey": "$context.routeKey", "method": "$context.httpMethod", "status": "$context.status",
		"sourceIp": "$context.identity.sourceIp", "latency": "$context.responseLatency", "integrationStatus": "$context.integration.status",
		"integrationRequestId": "$context.integration.requestId", "error": "$context.error.message", "integrationError": "$context.integration.error",
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
}
