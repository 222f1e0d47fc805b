package explain

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/apigateway"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// Capture is a callback as a person has it: out of a log, a tool or a mail.
type Capture struct {
	Form     string // what it was taken for
	Provider string // that the route names, or ""
	Request  callback.Request
	Findings []Finding // what is odd about the capture itself
}

// ErrNoRequest means that a text is no request of any form.
var ErrNoRequest = errors.New("neither an HTTP request, nor a body, nor an event of API Gateway")

// Read takes a text for an event of API Gateway, for what a tool exports (HAR,
// webhook.site), for the output of curl -v, for an HTTP request with its headers, or
// for a body alone, whichever it is. The type is that of a body alone; a route says
// its own.
func Read(text []byte, kind payout.Type) (Capture, error) {
	if event, ok := gatewayEvent(text); ok {
		return fromGateway(event), nil
	}
	if capture, ok, err := fromExport(text, kind); ok {
		return capture, err
	}
	if head, body, ok, err := fromCurl(text); ok {
		if err != nil {
			return Capture{}, err
		}
		return fromHTTP("output of curl -v", head, body, kind)
	}
	if head, body, ok := cutHead(text); ok {
		return fromHTTP("an HTTP request", head, body, kind)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return Capture{}, ErrNoRequest
	}
	return Capture{Form: "a body alone", Request: callback.NewRequest(kind, http.Header{}, text)}, nil
}

func gatewayEvent(text []byte) (events.APIGatewayV2HTTPRequest, bool) {
	var event events.APIGatewayV2HTTPRequest
	err := json.Unmarshal(text, &event)
	return event, err == nil && (event.RouteKey != "" || event.Version == "2.0" || event.RequestContext.HTTP.Method != "")
}

func fromGateway(event events.APIGatewayV2HTTPRequest) Capture {
	if event.RouteKey == "" || event.RouteKey == "$default" {
		event.RouteKey = event.RequestContext.HTTP.Method + " " + event.RawPath
	}
	read := Capture{Form: "an event of API Gateway", Provider: providerOf(event.RouteKey), Request: apigateway.Request(event)}
	if event.IsBase64Encoded {
		read.Form += ", its body in base64"
		if _, err := base64.StdEncoding.DecodeString(event.Body); err != nil {
			read.foundf(CauseDeclaredBase64, "the event says that its body is base64, which it is not: the text itself is taken for the body")
		}
	}
	return read
}

// providerOf reads "POST /callbacks/cregis/payout", whatever stands before it.
func providerOf(route string) string {
	_, rest, ok := strings.Cut(route, "/callbacks/")
	if !ok {
		return ""
	}
	provider, _, _ := strings.Cut(rest, "/")
	return provider
}

// cutHead parts the headers from the body at the first empty line. A text that
// begins with no header has none.
func cutHead(text []byte) (head, body []byte, ok bool) {
	end, gap := bytes.Index(text, []byte("\n\n")), 2
	if crlf := bytes.Index(text, []byte("\r\n\r\n")); crlf >= 0 && (end < 0 || crlf < end) {
		end, gap = crlf, 4
	}
	if end < 0 {
		return nil, nil, false
	}
	head = text[:end]
	first, _, _ := bytes.Cut(head, []byte("\n"))
	name, _, colon := strings.Cut(string(first), ":")
	isHeader := colon && !strings.ContainsAny(name, " \"{[<")
	isRequest := strings.HasPrefix(string(first), "POST ") || strings.HasPrefix(string(first), "PUT ")
	return head, text[end+gap:], isHeader || isRequest
}

func fromHTTP(form string, head, body []byte, kind payout.Type) (Capture, error) {
	read := Capture{Form: form}
	header := http.Header{}
	for n, line := range strings.Split(strings.ReplaceAll(string(head), "\r\n", "\n"), "\n") {
		if fields := strings.Fields(line); n == 0 && len(fields) >= 2 && !strings.HasSuffix(fields[0], ":") {
			path := pathOf(fields[1])
			read.Provider = providerOf(path)
			kind = payout.Type(lastOf(path))
			continue
		}
		if pseudo, isPseudo := strings.CutPrefix(line, ":"); isPseudo { // of HTTP/2 and HTTP/3
			if path, isPath := strings.CutPrefix(pseudo, "path:"); isPath {
				path = pathOf(strings.TrimSpace(path))
				read.Provider, kind = providerOf(path), payout.Type(lastOf(path))
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return Capture{}, errors.New("line " + strconv.Itoa(n+1) + " is no header")
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	read.measure(header, body)
	read.Request = callback.NewRequest(kind, header, read.cut(header, body))
	return read, nil
}

// measure compares what was announced with what is there.
func (c *Capture) measure(header http.Header, body []byte) {
	announced, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil || announced == len(c.cut(header, body)) {
		return
	}
	c.foundf(CauseContentLength, "Content-Length announces %d bytes, and %d are here: the capture, or something on the way, lost or added some",
		announced, len(body))
}

// cut leaves out the line end that editors put behind a text.
func (*Capture) cut(header http.Header, body []byte) []byte {
	announced, err := strconv.Atoi(header.Get("Content-Length"))
	if err == nil && announced < len(body) && len(bytes.TrimRight(body[announced:], "\r\n")) == 0 {
		return body[:announced]
	}
	return body
}

func (c *Capture) foundf(cause, format string, args ...any) {
	report := Report{}
	report.foundf(cause, format, args...)
	c.Findings = append(c.Findings, report.Findings...)
}
