package explain

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"payout-callbacks/pkg/payout"
)

// newExportCapture chooses the first POST to a callback route, or else the first
// POST.
func newExportCapture(form string, requests []capturedRequest, callbackType payout.Type) (Capture, error) {
	posts := slices.DeleteFunc(requests, func(r capturedRequest) bool { return !strings.EqualFold(r.method, http.MethodPost) })
	if len(posts) == 0 {
		return Capture{}, errors.New(form + " without a POST request")
	}
	chosen := max(0, slices.IndexFunc(posts, func(r capturedRequest) bool { _, _, ok := r.route(); return ok }))
	capture := newCapture(form, posts[chosen], callbackType)
	if len(posts) > 1 {
		capture.addf(CauseCapture, "the capture has several POST requests; the first one to a callback route is explained, or else the first")
	}
	return capture, nil
}

// parseExport returns the requests in a JSON text: a HAR 1.2 file
// (http://www.softwareishard.com/blog/har-12-spec/), requests of webhook.site
// (https://docs.webhook.site/api/requests.html), or a REST event of API Gateway. The
// form is "" for any other text; a provider's body has no requests.
func parseExport(text []byte) (form string, requests []capturedRequest) {
	var root any
	if json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &root) != nil {
		return "", nil
	}
	requests = findRequests(root)
	object, _ := root.(map[string]any)
	log, _ := object["log"].(map[string]any)
	switch {
	case log["entries"] != nil:
		return "a HAR file", requests
	case len(requests) == 0:
		return "", nil
	case object["httpMethod"] != nil:
		return "an event of API Gateway (REST, format 1.0)", requests
	}
	return "an export of webhook.site", requests
}

// findRequests returns the objects in a value that have a method, a URL and headers.
func findRequests(value any) []capturedRequest {
	var requests []capturedRequest
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			requests = append(requests, findRequests(element)...)
		}
	case map[string]any:
		method, url := cmp.Or(textOf(v["method"]), textOf(v["httpMethod"])), cmp.Or(textOf(v["url"]), textOf(v["path"]))
		if method != "" && url != "" && v["headers"] != nil {
			data, _ := v["postData"].(map[string]any) // HAR defines an encoding for responses; tools use it for requests, too
			return []capturedRequest{{
				method: method, url: url, header: headersOf(cmp.Or(v["multiValueHeaders"], v["headers"])),
				body:     []byte(cmp.Or(textOf(v["content"]), textOf(v["body"]), textOf(data["text"]))),
				isBase64: v["isBase64Encoded"] == true || data["encoding"] == "base64",
			}}
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			requests = append(requests, findRequests(v[name])...)
		}
	}
	return requests
}

func textOf(value any) string {
	text, _ := value.(string)
	return text
}

// headersOf reads headers as an object, whose values are strings or arrays, or as
// an array of names and values. HTTP/2 repeats method and URL as pseudo headers.
func headersOf(value any) http.Header {
	header := http.Header{}
	add := func(name string, value any) {
		texts, ok := value.([]any)
		if !ok {
			texts = []any{value}
		}
		for _, text := range texts {
			if !strings.HasPrefix(name, ":") {
				header.Add(name, textOf(text))
			}
		}
	}
	switch v := value.(type) {
	case map[string]any:
		for name, texts := range v {
			add(name, texts)
		}
	case []any:
		for _, element := range v {
			pair, _ := element.(map[string]any)
			add(textOf(pair["name"]), pair["value"])
		}
	}
	return header
}
