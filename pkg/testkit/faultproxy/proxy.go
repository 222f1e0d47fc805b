// Package faultproxy breaks the connections between AWS clients and an emulator.
// The storm and the local stack send their requests through a [Proxy]. Without a
// fault it changes nothing.
package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fault is what happens to the requests to a service. The names are those of the
// fault matrix (pkg/testkit/inboxtest).
type Fault string

// The faults. A client sees Fails and Misreported as a broken connection, and
// TimesOut and TimesOutLate as a connection without a response: it hangs up.
const (
	None         Fault = ""
	Fails        Fault = "fails"          // not done
	Misreported  Fault = "misreported"    // done
	TimesOut     Fault = "times-out"      // not done
	TimesOutLate Fault = "times-out-late" // done
	Slow         Fault = "slow"           // done, after Delay; the client receives the response
)

// Delay is by how much Slow delays a request. The functions wait longer.
const Delay = 500 * time.Millisecond

// The services, by the name in a request's signature.
const (
	DynamoDB       = "dynamodb"
	SQS            = "sqs"
	SecretsManager = "secretsmanager"
)

// Services lists the services that can have a fault.
func Services() []string { return []string{DynamoDB, SQS, SecretsManager} }

// Titles returns AWS's names of the services.
func Titles() map[string]string {
	return map[string]string{DynamoDB: "DynamoDB", SQS: "SQS", SecretsManager: "Secrets Manager"}
}

// Faults lists the faults, without None.
func Faults() []Fault { return []Fault{Fails, Misreported, TimesOut, TimesOutLate, Slow} }

// Effect says for a person what happens to a request.
func (f Fault) Effect() string {
	return map[Fault]string{
		Fails: "down: the connection is cut", Misreported: "done, then the connection is cut", TimesOut: "not done, and no answer",
		TimesOutLate: "done, and the answer is lost", Slow: "done half a second later",
	}[f]
}

var errBroken = errors.New("the connection is broken on purpose")

// Proxy is an HTTP handler that forwards the requests of AWS clients to an endpoint,
// with one fault per service. Requests to other services, and unsigned requests,
// have no fault. It also serves a control API:
//
//	GET  /simulator/faults  the fault of each service; "" is none
//	POST /simulator/faults  {"service": "dynamodb", "fault": "fails"} sets a fault
//
// It is safe for concurrent use.
type Proxy struct {
	mux     *http.ServeMux
	forward *httputil.ReverseProxy
	service http.Transport
	broken  atomic.Int64

	mutex  sync.Mutex
	states map[string]state
}

// state is the fault of a service.
type state struct {
	fault Fault
	ended chan struct{} // closed when the requests in flight must fail
}

type faultKey struct{}

// New returns a proxy of the endpoint, which must have the form
// http://127.0.0.1:PORT.
func New(endpoint string) (*Proxy, error) {
	target, err := url.Parse(endpoint)
	if err != nil || target.Scheme != "http" || target.Hostname() != "127.0.0.1" {
		return nil, fmt.Errorf("fault proxy: the endpoint %q is not of the form http://127.0.0.1:PORT", endpoint)
	}
	p := &Proxy{
		mux: http.NewServeMux(), states: map[string]state{},
		// The server closes idle connections after some seconds, and must not do so while a request is on its way.
		service: http.Transport{MaxIdleConnsPerHost: 1000, IdleConnTimeout: time.Second},
	}
	p.forward = &httputil.ReverseProxy{
		Transport: roundTripper(p.roundTrip),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // is signed
		},
		ErrorLog: log.New(io.Discard, "", 0),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			p.broken.Add(1)
			panic(http.ErrAbortHandler) // closes the connection without a response
		},
	}
	for _, service := range Services() {
		p.states[service] = state{ended: make(chan struct{})}
	}
	p.mux.HandleFunc("/", p.serve)
	p.mux.HandleFunc("GET /simulator/faults", p.serveFaults)
	p.mux.HandleFunc("POST /simulator/faults", p.serveSet)
	return p, nil
}

// ServeHTTP forwards a request, or serves the control API.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// Broken returns how many requests received no response.
func (p *Proxy) Broken() int64 { return p.broken.Load() }

// Set sets the fault of a service. Requests that wait for their client to hang up
// fail; with Fails, all requests in flight do. It returns an error for an unknown
// service or fault.
func (p *Proxy) Set(service string, fault Fault) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	before, ok := p.states[service]
	switch {
	case !ok:
		return fmt.Errorf("set fault: service %q: must be one of %q", service, Services())
	case fault != None && !slices.Contains(Faults(), fault):
		return fmt.Errorf("set fault: fault %q: must be one of %q, or empty", fault, Faults())
	}
	after := state{fault, before.ended}
	if fault == Fails || before.fault == TimesOut || before.fault == TimesOutLate {
		close(before.ended)
		after.ended = make(chan struct{})
	}
	p.states[service] = after
	return nil
}

// serve forwards a request with the fault of its service.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	p.mutex.Lock()
	current := p.states[serviceOf(r)]
	p.mutex.Unlock()
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), faultKey{}, current.fault))
	defer cancel()
	go func() {
		select {
		case <-current.ended: // nil, and never closed, for other services
			cancel()
		case <-ctx.Done():
		}
	}()
	p.forward.ServeHTTP(w, r.WithContext(ctx))
}

// serviceOf returns the service that a request is signed for:
// Credential=KEY/DATE/REGION/SERVICE/aws4_request.
func serviceOf(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(scope, "/"); len(parts) > 3 {
		return parts[3]
	}
	return ""
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (p *Proxy) roundTrip(r *http.Request) (*http.Response, error) {
	fault, _ := r.Context().Value(faultKey{}).(Fault)
	switch fault {
	case Fails:
		return nil, errBroken
	case TimesOut:
		<-r.Context().Done()
		return nil, errBroken
	case Slow:
		select {
		case <-time.After(Delay):
		case <-r.Context().Done():
			return nil, errBroken
		}
	}
	response, err := p.service.RoundTrip(r)
	if err != nil || fault != Misreported && fault != TimesOutLate {
		return response, err
	}
	_ = response.Body.Close()
	if fault == TimesOutLate {
		<-r.Context().Done()
	}
	return nil, errBroken
}
