package templatetest_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/testkit/templatetest"
)

func property[T any](t *testing.T, template templatetest.Template, resource, name string) T {
	t.Helper()
	value, ok := template.Resources[resource].Properties[name].(T)
	if !ok {
		t.Fatalf("%s.%s has an unexpected type: %v", resource, name, template.Resources[resource].Properties[name])
	}
	return value
}

// I9: the access log has caller and response, and nothing from the request. HTTP APIs
// have no variable for the body, but for headers and query strings.
func TestAccessLog_NoRequestContent(t *testing.T) {
	format := property[map[string]any](t, templatetest.Load(t), "CallbackStage", "AccessLogSettings")["Format"].(string)
	var fields map[string]string
	if err := json.Unmarshal([]byte(format), &fields); err != nil {
		t.Fatalf("the format is not JSON: %v", err)
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
