package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
)

// mode is how a proxy treats requests.
type mode int32

const (
	pass mode = iota
	cut       // no request is served, and no connection is kept
	mute      // requests are served, and their senders receive no response
)

// proxy forwards requests to an AWS service and can break their connections.
type proxy struct {
	*httptest.Server

	target  *url.URL
	service http.Transport
	mode    atomic.Int32
	broken  atomic.Int64 // requests without a response
}

// newProxy returns a proxy of the service whose endpoint is in the variable. The
// endpoint must be on this machine.
func newProxy(variable string) (*proxy, error) {
	target, err := url.Parse(os.Getenv(variable))
	if err != nil || target.Scheme != "http" || target.Hostname() != "127.0.0.1" {
		return nil, fmt.Errorf("%s is not of the form http://127.0.0.1:PORT; make storm sets it to the local stack", variable)
	}
	p := &proxy{target: target, service: http.Transport{MaxIdleConnsPerHost: maxPending}}
	p.Server = httptest.NewServer(&httputil.ReverseProxy{
		Transport: p,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			p.broken.Add(1)
			panic(http.ErrAbortHandler) // closes the connection without a response
		},
	})
	return p, nil
}

// RoundTrip implements http.RoundTripper.
func (p *proxy) RoundTrip(request *http.Request) (*http.Response, error) {
	if mode(p.mode.Load()) == cut {
		return nil, errors.New("the connection is cut")
	}
	response, err := p.service.RoundTrip(request)
	if err == nil && mode(p.mode.Load()) == mute {
		_ = response.Body.Close()
		<-request.Context().Done() // the sender hangs up, or the mode changes
		return nil, request.Context().Err()
	}
	return response, err
}

// set changes the mode. Requests without a response never receive it.
func (p *proxy) set(to mode) {
	before := mode(p.mode.Swap(int32(to)))
	if to == cut || before == mute {
		p.CloseClientConnections()
	}
}
