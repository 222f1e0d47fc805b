package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

func TestProxy_Modes(t *testing.T) {
	var served atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		_, _ = io.WriteString(w, "here")
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_SQS", server.URL)
	p, err := newProxy("AWS_ENDPOINT_URL_SQS")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 300 * time.Millisecond}
	for _, c := range []struct {
		mode            mode
		answers, serves bool
	}{{pass, true, true}, {cut, false, false}, {pass, true, true}, {mute, false, true}, {pass, true, true}} {
		p.set(c.mode)
		before := served.Load()
		response, err := client.Get(p.URL)
		if err == nil {
			_ = response.Body.Close()
		}
		if (err == nil) != c.answers || (served.Load() > before) != c.serves {
			t.Errorf("mode %d: answered %t, served %t: want %t, %t", c.mode, err == nil, served.Load() > before, c.answers, c.serves)
		}
	}
}
