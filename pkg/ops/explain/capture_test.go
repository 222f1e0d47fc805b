package explain_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
)

func TestRead_Formats(t *testing.T) {
	event := func(base64Encoded bool, body string) string {
		text, _ := json.Marshal(map[string]any{
			"version": "2.0", "routeKey": "POST /callbacks/pivot/payout", "headers": map[string]string{"x-api-key": "k"},
			"isBase64Encoded": base64Encoded, "body": body,
		})
		return string(text)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(pivotBody))
	for name, test := range map[string]struct {
		text     string
		provider string
		header   string
		findings int
	}{
		"event":           {event(false, pivotBody), "pivot", "k", 0},
		"event in base64": {event(true, encoded), "pivot", "k", 0},
		"request":         {"POST /stage/callbacks/pivot/payout?x=1 HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\n\r\n" + pivotBody, "pivot", "k", 0},
		"announced":       {fmt.Sprintf("POST /callbacks/pivot/payout HTTP/1.1\nX-API-Key: k\nContent-Length: %d\n\n%s\n", len(pivotBody), pivotBody), "pivot", "k", 0},
		"cut":             {"POST /callbacks/pivot/payout HTTP/1.1\nX-API-Key: k\nContent-Length: 9999\n\n" + pivotBody, "pivot", "k", 1},
		"headers alone":   {"x-api-key: k\nAccept: */*\n\n" + pivotBody, "", "k", 0},
		"body":            {pivotBody, "", "", 0},
		"body with space": {"{\n\n" + pivotBody[1:], "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := explain.Read([]byte(test.text), payout.TypePayout)
			if err != nil || got.Provider != test.provider || got.Request.Header.Get("X-Api-Key") != test.header || got.Request.Type != payout.TypePayout {
				t.Fatalf("got %+v, %v", got, err)
			}
			if body := strings.ReplaceAll(string(got.Request.Body), "\n", ""); body != pivotBody {
				t.Errorf("body %q", body)
			}
			if len(got.Findings) != test.findings {
				t.Errorf("findings %+v", got.Findings)
			}
		})
	}
	for _, text := range []string{"", " \n", "POST /x HTTP/1.1\nno header\n\nbody"} {
		if got, err := explain.Read([]byte(text), payout.TypePayout); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}
