package explain

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// Capture is a callback from a log, a tool or a mail.
type Capture struct {
	Form     string // the recognised format
	Provider string // of the callback route, or ""
	Request  callback.Request
	Findings []Finding // defects of the capture itself
}

// ErrNoRequest means that a text is empty.
var ErrNoRequest = errors.New("neither an HTTP request, nor a body, nor an event of API Gateway")

// Read recognises the format of a captured callback: an event of API Gateway, a
// HAR file, an export of webhook.site, the output of curl -v, an HTTP request, or
// a body alone. The type applies to a request without a callback route.
func Read(text []byte, callbackType payout.Type) (Capture, error) {
	if event, ok := parseGatewayEvent(text); ok {
		return newGatewayCapture(event), nil
	}
	if form, requests := parseExport(text); form != "" {
		return newExportCapture(form, requests, callbackType)
	}
	form := "output of curl -v"
	head, body, ok, err := splitCurl(text)
	if !ok {
		form = "an HTTP request"
		head, body, ok = splitHTTP(text)
	}
	switch {
	case err != nil:
		return Capture{}, err
	case ok:
		request, err := parseHTTP(head, body)
		return newCapture(form, request, callbackType), err
	case len(bytes.TrimSpace(text)) == 0:
		return Capture{}, ErrNoRequest
	}
	return Capture{Form: "a body alone", Request: callback.NewRequest(callbackType, http.Header{}, text)}, nil
}

// capturedRequest is a request in any format.
type capturedRequest struct {
	method   string
	url      string // or a path
	header   http.Header
	body     []byte
	isBase64 bool // the body is in base64
}

// route returns the provider and the type of a callback route, whatever precedes
// /callbacks/. ok is false for any other path.
func (r capturedRequest) route() (provider string, callbackType payout.Type, ok bool) {
	parsed, err := url.Parse(r.url)
	if err != nil {
		return "", "", false
	}
	_, route, ok := strings.Cut(parsed.Path, "/callbacks/")
	provider, _, _ = strings.Cut(route, "/")
	return provider, payout.Type(path.Base(route)), ok
}

func newCapture(form string, request capturedRequest, callbackType payout.Type) Capture {
	capture := Capture{Form: form}
	if provider, routeType, ok := request.route(); ok {
		capture.Provider, callbackType = provider, routeType
	}
	if request.isBase64 {
		capture.Form += ", its body in base64"
		decoded, err := base64.StdEncoding.DecodeString(string(request.body))
		if err != nil {
			capture.addf(CauseCapture, "the body is declared as base64, and is not: it is used as it is")
		} else {
			request.body = decoded
		}
	}
	body := capture.checkLength(request.header, request.body)
	capture.Request = callback.NewRequest(callbackType, request.header, body)
	return capture
}

// checkLength compares the body with its Content-Length. It removes the line ends
// that an editor appends.
func (c *Capture) checkLength(header http.Header, body []byte) []byte {
	length, err := strconv.Atoi(header.Get("Content-Length"))
	switch {
	case err != nil, length == len(body):
	case length >= 0 && length < len(body) && len(bytes.TrimRight(body[length:], "\r\n")) == 0:
		return body[:length]
	default:
		c.addf(CauseCapture, "Content-Length is %d, and the body has %d bytes: the capture or a proxy changed it", length, len(body))
	}
	return body
}

func (c *Capture) addf(cause, format string, args ...any) {
	c.Findings = append(c.Findings, Finding{Cause: cause, Text: fmt.Sprintf(format, args...)})
}

func parseGatewayEvent(text []byte) (events.APIGatewayV2HTTPRequest, bool) {
	var event events.APIGatewayV2HTTPRequest
	err := json.Unmarshal(text, &event)
	return event, err == nil && (event.RouteKey != "" || event.Version == "2.0" || event.RequestContext.HTTP.Method != "")
}

// newGatewayCapture reads an event as the callback functions do.
func newGatewayCapture(event events.APIGatewayV2HTTPRequest) Capture {
	if event.RouteKey == "" || event.RouteKey == "$default" {
		event.RouteKey = event.RequestContext.HTTP.Method + " " + event.RawPath
	}
	_, routePath, _ := strings.Cut(event.RouteKey, " ")
	capture := newCapture("an event of API Gateway", capturedRequest{url: routePath, body: []byte(event.Body), isBase64: event.IsBase64Encoded}, "")
	capture.Request = apigateway.Request(event)
	if at := event.RequestContext.TimeEpoch; at != 0 {
		capture.Request = capture.Request.WithReceivedAt(time.UnixMilli(at).UTC())
	}
	return capture
}

// splitHTTP splits an HTTP request at its first empty line. ok is false if the
// text begins with neither a request line nor a header.
func splitHTTP(text []byte) (head, body []byte, ok bool) {
	end, gap := bytes.Index(text, []byte("\n\n")), 2
	if crlf := bytes.Index(text, []byte("\r\n\r\n")); crlf >= 0 && (end < 0 || crlf < end) {
		end, gap = crlf, 4
	}
	if end < 0 {
		return nil, nil, false
	}
	head = text[:end]
	first, _, _ := bytes.Cut(head, []byte("\n"))
	name, _, hasColon := strings.Cut(string(first), ":")
	isHeader := hasColon && !strings.ContainsAny(name, " \"{[<")
	isRequest := strings.HasPrefix(string(first), "POST ") || strings.HasPrefix(string(first), "PUT ")
	return head, text[end+gap:], isHeader || isRequest
}

// parseHTTP parses the head of a request: of HTTP/1.1, or of HTTP/2 with pseudo
// headers.
func parseHTTP(head, body []byte) (capturedRequest, error) {
	request := capturedRequest{method: http.MethodPost, header: http.Header{}, body: body}
	for n, line := range strings.Split(strings.ReplaceAll(string(head), "\r\n", "\n"), "\n") {
		if fields := strings.Fields(line); n == 0 && len(fields) >= 2 && !strings.HasSuffix(fields[0], ":") {
			request.url = fields[1]
			continue
		}
		if pseudo, ok := strings.CutPrefix(line, ":"); ok {
			if target, ok := strings.CutPrefix(pseudo, "path:"); ok {
				request.url = strings.TrimSpace(target)
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return request, fmt.Errorf("parse request: line %d is not a header", n+1)
		}
		request.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return request, nil
}
