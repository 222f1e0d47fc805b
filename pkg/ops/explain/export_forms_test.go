package explain_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
)

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type object = map[string]any

func harOf(requests ...object) object {
	entries := []object{}
	for _, request := range requests {
		entries = append(entries, object{"request": request, "response": object{"status": 401}})
	}
	return object{"log": object{"version": "1.2", "entries": entries}}
}

// Each form in which a person has a request gives the same request: route, key and
// body, byte for byte.
func TestRead_FormsOfTools(t *testing.T) {
	const route = "https://api.example/stage/callbacks/pivot/payout?x=1"
	har := object{
		"method": "POST", "url": route, "headers": []object{{"name": ":method", "value": "POST"}, {"name": "x-api-key", "value": "k"}},
		"postData": object{"mimeType": "application/json", "text": pivotBody},
	}
	other := object{"method": "POST", "url": "https://api.example/other", "headers": []object{}, "postData": object{"text": "{}"}}
	get := object{"method": "GET", "url": route, "headers": []object{}}
	rest := object{
		"resource": "/callbacks/pivot/payout", "path": "/stage/callbacks/pivot/payout", "httpMethod": "POST", "body": pivotBody,
		"headers": object{"X-API-Key": "k"}, "multiValueHeaders": object{"X-API-Key": []string{"k"}}, "isBase64Encoded": false,
		"requestContext": object{"resourcePath": "/callbacks/pivot/payout", "httpMethod": "POST"},
	}
	rest64 := object{
		"version": "1.0", "resource": "/{proxy+}", "path": "/callbacks/pivot/payout", "httpMethod": "POST", "headers": object{"x-api-key": "k"},
		"body": base64.StdEncoding.EncodeToString([]byte(pivotBody)), "isBase64Encoded": true,
	}
	site := object{
		"uuid": "9981f9f4", "type": "web", "method": "POST", "url": route, "content": pivotBody,
		"headers": object{"x-api-key": []string{"k"}, "content-type": []string{"application/json"}},
	}
	curl := "*   Trying 10.0.0.1:443...\n* [HTTP/2] [1] [:method: POST]\n> POST /stage/callbacks/pivot/payout HTTP/2\r\n> Host: api.example\r\n> x-api-key: k\r\n> \r\n"
	answer := "\n* upload completely sent off: 99 bytes\n< HTTP/2 401 \r\n< content-type: application/json\r\n< \r\n{\"message\":\"no\"}\n* Connection #0 left intact\n"
	for name, test := range map[string]struct {
		text     string
		form     string
		findings int
	}{
		"REST event":                 {asJSON(t, rest), "an event of API Gateway (REST", 0},
		"REST event in base64":       {asJSON(t, rest64), "an event of API Gateway (REST", 0},
		"HAR":                        {asJSON(t, harOf(get, har)), "a HAR file", 0},
		"HAR with a mark":            {"\ufeff" + asJSON(t, harOf(har)), "a HAR file", 0},
		"HAR of several":             {asJSON(t, harOf(other, har, other)), "a HAR file", 1},
		"webhook.site":               {asJSON(t, site), "an export of webhook.site", 0},
		"webhook.site, a list":       {asJSON(t, []object{site}), "an export of webhook.site", 0},
		"webhook.site, its API":      {asJSON(t, object{"data": []object{site}, "total": 1}), "an export of webhook.site", 0},
		"curl with a body below":     {curl + pivotBody + answer, "output of curl -v", 0},
		"curl with its command line": {"$ curl -v " + route + " -H 'x-api-key: k' -d '" + pivotBody + "'\n" + curl + answer, "output of curl -v", 0},
		"HTTP/2": {
			":method: POST\n:scheme: https\n:authority: api.example\n:path: /stage/callbacks/pivot/payout?x=1\nx-api-key: k\n\n" + pivotBody,
			"an HTTP request", 0,
		},
		"HTTP/2, as a request line": {"POST " + route + " HTTP/2\nx-api-key: k\n\n" + pivotBody, "an HTTP request", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := explain.Read([]byte(test.text), "other-type")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(got.Form, test.form) || got.Provider != "pivot" || got.Request.Type != payout.TypePayout {
				t.Errorf("form %q, provider %q, type %q", got.Form, got.Provider, got.Request.Type)
			}
			if key := got.Request.Header["X-Api-Key"]; len(key) != 1 || key[0] != "k" {
				t.Errorf("key %q", key)
			}
			if string(got.Request.Body) != pivotBody {
				t.Errorf("body %q", got.Request.Body)
			}
			if len(got.Findings) != test.findings {
				t.Errorf("findings %+v", got.Findings)
			}
		})
	}
}

func TestRead_FormsWithoutARoute(t *testing.T) {
	for name, text := range map[string]string{
		"webhook.site": asJSON(t, object{"uuid": "1", "method": "POST", "url": "https://webhook.site/x", "content": pivotBody, "headers": object{}}),
		"HTTP/2":       ":method: POST\n:authority: a\n\n" + pivotBody,
	} {
		got, err := explain.Read([]byte(text), payout.TypePayout)
		if err != nil || got.Provider != "" || got.Request.Type != payout.TypePayout || string(got.Request.Body) != pivotBody {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestRead_QuotesOfAShell(t *testing.T) {
	const head = "\n> POST /callbacks/cregis/payout HTTP/1.1\n> Host: a\n>\n< HTTP/1.1 401\n"
	for data, want := range map[string]string{
		`-d '{"a":"it'\''s"}'`:             `{"a":"it's"}`,
		`--data-raw "{\"a\":\"\$1 \\n\"}"`: `{"a":"$1 \n"}`,
		`--data-binary={}`:                 `{}`,
	} {
		got, err := explain.Read([]byte("curl -v "+data+" https://a"+head), payout.TypePayout)
		if err != nil || string(got.Request.Body) != want {
			t.Errorf("%s: body %q, %v, want %q", data, got.Request.Body, err, want)
		}
	}
}

func TestRead_SaysWhatIsMissing(t *testing.T) {
	for text, want := range map[string]string{
		"> POST /callbacks/cregis/payout HTTP/1.1\n> Host: a\n>\n< HTTP/1.1 401\n< a: b\n<\n{}": "curl -v does not print the body",
		"curl -d @body.json\n> POST /callbacks/cregis/payout HTTP/1.1\n> Host: a\n>\n":          "curl -v does not print the body",
		asJSON(t, harOf(object{"method": "GET", "url": "https://a/callbacks/cregis/payout"})):   "without a POST request",
		asJSON(t, harOf()): "without a POST request",
	} {
		if got, err := explain.Read([]byte(text), payout.TypePayout); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v, want %q", text, got, err, want)
		}
	}
}

// A body of a provider is a body, whatever names it has.
func TestRead_ABodyIsNoExport(t *testing.T) {
	for _, text := range []string{cregisBody, pivotBody, `{"data":[]}`, `[]`, `{"log":{}}`, `{"method":"POST","url":"x"}`, `{"body":"x","headers":{}}`} {
		if got, err := explain.Read([]byte(text), payout.TypePayout); err != nil || got.Form != "a body alone" {
			t.Errorf("%s: %q, %v", text, got.Form, err)
		}
	}
}
