package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// forwarder lets containers reach the emulator, which listens on 127.0.0.1 alone: in a container that is the container.
type forwarder struct {
	endpoint string // the URL that a container calls
	server   *http.Server
}

// credential is the part of a signature that says who signed.
var credential = regexp.MustCompile(`Credential=[^/]*/`)

// forward listens on the one address that the containers of d reach, never on all interfaces. It takes the emulator's
// own port where that is free.
func forward(d daemon, w workspace) (forwarder, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(d.listen, strconv.Itoa(w.port)))
	if err != nil {
		listener, err = net.Listen("tcp", net.JoinHostPort(d.listen, "0"))
	}
	if err != nil {
		return forwarder{}, fmt.Errorf("containers reach this machine at %s, where it cannot listen "+
			"(does the daemon %s run on another machine, or without root?): %w", d.listen, d.host, err)
	}
	target := &url.URL{Scheme: "http", Host: w.address()}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: &httputil.ReverseProxy{
			Transport: &http.Transport{},
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				signAsRoot(r.Out.Header)
			},
		},
	}
	go func() { _ = server.Serve(listener) }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return forwarder{endpoint: "http://" + net.JoinHostPort(d.dial, port), server: server}, err
}

// signAsRoot names the emulator's root user as the signer. SAM gives a container the developer's own credentials, or
// made-up ones, and the emulator knows neither; the signature of its root user it does not check.
func signAsRoot(header http.Header) {
	header.Del("X-Amz-Security-Token")
	if signature := header.Get("Authorization"); signature != "" {
		header.Set("Authorization", credential.ReplaceAllString(signature, "Credential="+accessKeyID+"/"))
	}
}

func (f forwarder) close() error {
	if f.server == nil {
		return nil // it was never opened
	}
	return f.server.Close()
}
