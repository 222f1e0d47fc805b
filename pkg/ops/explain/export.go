package explain

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// sent is a request as a tool exports it.
type sent struct {
	method string
	path   string
	header http.Header
	body   string
	base64 bool // whether the body is in base64
}

// exports are the forms of JSON in which tools keep requests. Each has names that
// no body of a provider has.
var exports = []struct {
	form string
	read func(text []byte) []sent
}{
	{"an event of API Gateway (REST, format 1.0)", restEvent},
	{"a HAR file", harEntries},
	{"an export of webhook.site", webhookSite},
}

// fromExport reads a text that a tool exported, if it is of such a form. Of several
// requests it takes the first that was sent to a callback route.
func fromExport(text []byte, kind payout.Type) (capture Capture, ok bool, err error) {
	for _, export := range exports {
		requests := export.read(text)
		if requests == nil {
			continue
		}
		chosen, several := choose(requests)
		if chosen == nil {
			return Capture{}, true, errors.New(export.form + " without a POST request")
		}
		capture = Capture{Form: export.form}
		if several {
			capture.foundf(CauseSeveral, "it holds several requests, and the first one to a callback route, or the first POST, is explained")
		}
		chosen.into(&capture, kind)
		return capture, true, nil
	}
	return Capture{}, false, nil
}

func choose(requests []sent) (chosen *sent, several bool) {
	posts := 0
	for n, request := range requests {
		if !strings.EqualFold(request.method, http.MethodPost) {
			continue
		}
		posts++
		if chosen == nil || providerOf(chosen.path) == "" && providerOf(request.path) != "" {
			chosen = &requests[n]
		}
	}
	return chosen, posts > 1
}

// into completes a capture with a request. The type is that of a request whose
// path is no route.
func (s sent) into(capture *Capture, kind payout.Type) {
	path := pathOf(s.path)
	if capture.Provider = providerOf(path); capture.Provider != "" {
		kind = payout.Type(lastOf(path))
	}
	body := []byte(s.body)
	if s.base64 {
		capture.Form += ", its body in base64"
		decoded, err := base64.StdEncoding.DecodeString(s.body)
		if err != nil {
			capture.foundf(CauseDeclaredBase64, "it says that the body is base64, which it is not: the text itself is taken for the body")
		} else {
			body = decoded
		}
	}
	capture.measure(s.header, body)
	capture.Request = callback.NewRequest(kind, s.header, capture.cut(s.header, body))
}

// pathOf returns the path of a URL, which may be relative.
func pathOf(address string) string {
	if parsed, err := url.Parse(address); err == nil {
		return parsed.Path
	}
	path, _, _ := strings.Cut(address, "?")
	return path
}

func unmarshal(text []byte, into any) bool {
	return json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), into) == nil
}

func restEvent(text []byte) []sent {
	var event events.APIGatewayProxyRequest
	if !unmarshal(text, &event) || event.HTTPMethod == "" || event.Path == "" && event.Resource == "" {
		return nil
	}
	header := http.Header{}
	for name, value := range event.Headers {
		header.Set(name, value)
	}
	for name, values := range event.MultiValueHeaders {
		header[http.CanonicalHeaderKey(name)] = values
	}
	path := event.Path
	if providerOf(path) == "" {
		path = event.Resource
	}
	return []sent{{event.HTTPMethod, path, header, event.Body, event.IsBase64Encoded}}
}

// harEntries reads HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/). It has
// no word for an encoding of a request's body; those who need it use that of a
// response.
func harEntries(text []byte) []sent {
	var har struct {
		Log struct {
			Entries []struct {
				Request struct {
					Method   string                          `json:"method"`
					URL      string                          `json:"url"`
					Headers  []struct{ Name, Value string }  `json:"headers"`
					PostData struct{ Text, Encoding string } `json:"postData"`
				} `json:"request"`
			} `json:"entries"`
		} `json:"log"`
	}
	if !unmarshal(text, &har) || har.Log.Entries == nil {
		return nil
	}
	requests := []sent{}
	for _, entry := range har.Log.Entries {
		header := http.Header{}
		for _, item := range entry.Request.Headers {
			if !strings.HasPrefix(item.Name, ":") { // of HTTP/2, which method and URL repeat
				header.Add(item.Name, item.Value)
			}
		}
		post := entry.Request.PostData
		requests = append(requests, sent{entry.Request.Method, entry.Request.URL, header, post.Text, post.Encoding == "base64"})
	}
	return requests
}

// webhookRequest is a request as webhook.site has it (https://docs.webhook.site/api/requests.html).
type webhookRequest struct {
	UUID    string                     `json:"uuid"`
	Method  string                     `json:"method"`
	URL     string                     `json:"url"`
	Headers map[string]json.RawMessage `json:"headers"`
	Content *string                    `json:"content"`
}

// webhookSite reads one request, a list of them, or the answer of its API.
func webhookSite(text []byte) []sent {
	var request webhookRequest
	var list []webhookRequest
	var page struct{ Data []webhookRequest }
	switch {
	case unmarshal(text, &request) && request.isOne():
		list = []webhookRequest{request}
	case unmarshal(text, &list):
	case unmarshal(text, &page):
		list = page.Data
	}
	var requests []sent
	for _, w := range list {
		if !w.isOne() {
			return nil
		}
		requests = append(requests, sent{method: w.Method, path: w.URL, header: w.header(), body: *w.Content})
	}
	return requests
}

func (w webhookRequest) isOne() bool {
	return w.UUID != "" && w.Method != "" && w.Content != nil && w.Headers != nil
}

// header reads values that are a text, or a list of texts.
func (w webhookRequest) header() http.Header {
	header := http.Header{}
	for name, value := range w.Headers {
		var text string
		var texts []string
		switch {
		case unmarshal(value, &texts):
			header[http.CanonicalHeaderKey(name)] = texts
		case unmarshal(value, &text):
			header.Set(name, text)
		}
	}
	return header
}
