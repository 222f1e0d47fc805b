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

// forwarder lets containers reach the emulator, which listens on 127.0.0.1 only.
type forwarder struct {
	endpoint string // the URL that a container calls
	server   *http.Server
}

// credential matches the part of a signature that names the signer.
var credential = regexp.MustCompile(`Credential=[^/]*/`)

// forward listens on the address that the containers of d reach, not on all interfaces. It uses the emulator's port if
// that is free.
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

// signAsRoot names the emulator's root user as the signer. SAM passes the developer's credentials, or dummies, to a
// container, and the emulator rejects both. It does not check the signature of its root user.
func signAsRoot(header http.Header) {
	header.Del("X-Amz-Security-Token")
	if signature := header.Get("Authorization"); signature != "" {
		header.Set("Authorization", credential.ReplaceAllString(signature, "Credential="+accessKeyID+"/"))
	}
}

func (f forwarder) close() error {
	if f.server == nil {
		return nil // not open
	}
	return f.server.Close()
}
