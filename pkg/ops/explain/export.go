package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/payout"
)

// exportFormats are JSON formats that contain requests. parse returns nil for a
// text in another format: a provider's body has none of their names.
var exportFormats = []struct {
	name  string
	parse func(text []byte) []capturedRequest
}{
	{"an event of API Gateway (REST, format 1.0)", parseRESTEvent},
	{"a HAR file", parseHAR},
	{"an export of webhook.site", parseWebhookSite},
}

// newExportCapture chooses the first POST to a callback route, or else the first
// POST.
func newExportCapture(form string, requests []capturedRequest, callbackType payout.Type) (Capture, error) {
	var posts []capturedRequest
	for _, request := range requests {
		if strings.EqualFold(request.method, http.MethodPost) {
			posts = append(posts, request)
		}
	}
	if len(posts) == 0 {
		return Capture{}, errors.New(form + " without a POST request")
	}
	chosen := posts[0]
	for _, request := range posts {
		if _, _, ok := request.route(); ok {
			chosen = request
			break
		}
	}
	capture := newCapture(form, chosen, callbackType)
	if len(posts) > 1 {
		capture.addf(CauseSeveral, "the capture has several POST requests; the first one to a callback route is explained, or else the first")
	}
	return capture, nil
}

func unmarshal(text []byte, into any) bool {
	return json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), into) == nil
}

func parseRESTEvent(text []byte) []capturedRequest {
	var event events.APIGatewayProxyRequest
	if !unmarshal(text, &event) || event.HTTPMethod == "" || event.Path == "" && event.Resource == "" {
		return nil
	}
	request := capturedRequest{event.HTTPMethod, event.Path, http.Header{}, []byte(event.Body), event.IsBase64Encoded}
	for name, value := range event.Headers {
		request.header.Set(name, value)
	}
	for name, values := range event.MultiValueHeaders {
		request.header[http.CanonicalHeaderKey(name)] = values
	}
	if _, _, ok := request.route(); !ok {
		request.url = event.Resource
	}
	return []capturedRequest{request}
}

// parseHAR parses HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/). HAR
// defines an encoding for a response's body; tools use it for a request's, too.
func parseHAR(text []byte) []capturedRequest {
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
	requests := []capturedRequest{}
	for _, entry := range har.Log.Entries {
		header := http.Header{}
		for _, h := range entry.Request.Headers {
			if !strings.HasPrefix(h.Name, ":") { // HTTP/2 repeats the method and the URL
				header.Add(h.Name, h.Value)
			}
		}
		data := entry.Request.PostData
		requests = append(requests, capturedRequest{entry.Request.Method, entry.Request.URL, header, []byte(data.Text), data.Encoding == "base64"})
	}
	return requests
}

// webhookRequest is a request in an export of webhook.site
// (https://docs.webhook.site/api/requests.html).
type webhookRequest struct {
	UUID    string                     `json:"uuid"`
	Method  string                     `json:"method"`
	URL     string                     `json:"url"`
	Headers map[string]json.RawMessage `json:"headers"`
	Content *string                    `json:"content"`
}

// parseWebhookSite parses a request, an array of requests, or a response of the
// API of webhook.site.
func parseWebhookSite(text []byte) []capturedRequest {
	var single webhookRequest
	var list []webhookRequest
	var page struct{ Data []webhookRequest }
	switch {
	case unmarshal(text, &single) && single.isComplete():
		list = []webhookRequest{single}
	case unmarshal(text, &list):
	case unmarshal(text, &page):
		list = page.Data
	}
	var requests []capturedRequest
	for _, w := range list {
		if !w.isComplete() {
			return nil
		}
		requests = append(requests, capturedRequest{method: w.Method, url: w.URL, header: w.header(), body: []byte(*w.Content)})
	}
	return requests
}

func (w webhookRequest) isComplete() bool {
	return w.UUID != "" && w.Method != "" && w.Content != nil && w.Headers != nil
}

// header returns the headers, each of which is a string or an array of strings.
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
