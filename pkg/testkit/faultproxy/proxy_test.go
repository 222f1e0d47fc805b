package faultproxy_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"payout-callbacks/pkg/testkit/faultproxy"
)

// world is a proxy in front of a service that counts its requests.
type world struct {
	*testing.T

	proxy   *faultproxy.Proxy
	server  *httptest.Server
	url     string
	served  atomic.Int32
	arrived chan string // the hosts of the requests that the service received
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, arrived: make(chan string, 100)}
	service := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.served.Add(1)
		w.arrived <- r.Host
		_, _ = io.WriteString(rw, "here")
	}))
	t.Cleanup(service.Close)
	var err error
	if w.proxy, err = faultproxy.New(service.URL); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.proxy)
	t.Cleanup(w.server.Close)
	w.url = w.server.URL
	return w
}

// send sends a signed request, and reports whether it was answered and whether the
// service received it.
func (w *world) send(ctx context.Context, service string) (isAnswered, isServed bool) {
	w.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, strings.NewReader("{}"))
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261127/us-east-1/"+service+"/aws4_request, SignedHeaders=host")
	before := w.served.Load()
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	return err == nil, w.served.Load() > before
}

func (w *world) set(service string, fault faultproxy.Fault) {
	w.Helper()
	if err := w.proxy.Set(service, fault); err != nil {
		w.Fatal(err)
	}
}

func TestProxy_Faults(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		fault              faultproxy.Fault
		isAnswered, served bool
	}{
		{faultproxy.None, true, true},
		{faultproxy.Fails, false, false},
		{faultproxy.None, true, true},
		{faultproxy.Misreported, false, true},
		{faultproxy.TimesOut, false, false},
		{faultproxy.TimesOutLate, false, true},
		{faultproxy.Slow, true, true},
		{faultproxy.None, true, true},
	} {
		w.set(faultproxy.SQS, c.fault)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if c.fault == faultproxy.TimesOut || c.fault == faultproxy.TimesOutLate {
			ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
		}
		start := time.Now()
		isAnswered, isServed := w.send(ctx, faultproxy.SQS)
		cancel()
		if isAnswered != c.isAnswered || isServed != c.served {
			t.Errorf("fault %q: answered %t, served %t: want %t, %t", c.fault, isAnswered, isServed, c.isAnswered, c.served)
		}
		if c.fault == faultproxy.Slow && time.Since(start) < faultproxy.Delay {
			t.Errorf("a slow request took %s", time.Since(start))
		}
	}
	w.server.Close() // waits for the requests
	if got := w.proxy.Broken(); got != 4 {
		t.Errorf("%d requests are counted as broken, want 4", got)
	}
}

// A fault concerns the requests that are signed for its service, and no others.
func TestProxy_OtherServices(t *testing.T) {
	w := newWorld(t)
	w.set(faultproxy.DynamoDB, faultproxy.Fails)
	for service, want := range map[string]bool{faultproxy.DynamoDB: false, faultproxy.SQS: true, faultproxy.SecretsManager: true, "events": true} {
		if isAnswered, _ := w.send(t.Context(), service); isAnswered != want {
			t.Errorf("%s: answered %t, want %t", service, isAnswered, want)
		}
	}
	response, err := http.Get(w.url + "/ping") // as the functions connect before their first request
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}

// The host is part of a signature, so the service receives that of the client.
func TestProxy_KeepsHost(t *testing.T) {
	w := newWorld(t)
	w.send(t.Context(), faultproxy.DynamoDB)
	if got, want := <-w.arrived, w.server.Listener.Addr().String(); got != want {
		t.Errorf("the service got the host %s, want %s", got, want)
	}
}

// A request that waits for its client to hang up fails when the fault ends.
func TestProxy_FaultEnds(t *testing.T) {
	w := newWorld(t)
	w.set(faultproxy.DynamoDB, faultproxy.TimesOutLate)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan bool)
	go func() {
		isAnswered, _ := w.send(ctx, faultproxy.DynamoDB)
		done <- isAnswered
	}()
	<-w.arrived
	w.set(faultproxy.DynamoDB, faultproxy.None)
	if <-done {
		t.Error("the response of a request with a fault arrived")
	}
	if ctx.Err() != nil {
		t.Error("the request waited until its client hung up")
	}
}

func TestNew_ThisMachineOnly(t *testing.T) {
	for _, endpoint := range []string{"", "https://dynamodb.eu-central-1.amazonaws.com", "http://10.0.0.1:4566", "http://localhost.example:80", "127.0.0.1:4566"} {
		if _, err := faultproxy.New(endpoint); err == nil {
			t.Errorf("%q: got a proxy, want it refused", endpoint)
		}
	}
	if _, err := faultproxy.New("http://127.0.0.1:4566"); err != nil {
		t.Error(err)
	}
}

func TestControl_SetsFaults(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		body   string
		code   int
		faults string
	}{
		{`{"service": "dynamodb", "fault": "fails"}`, 204, `{"dynamodb":"fails","secretsmanager":"","sqs":""}`},
		{`{"service": "sqs", "fault": "times-out"}`, 204, `{"dynamodb":"fails","secretsmanager":"","sqs":"times-out"}`},
		{`{"service": "s3", "fault": "fails"}`, 400, `{"dynamodb":"fails","secretsmanager":"","sqs":"times-out"}`},
		{`{"service": "sqs", "fault": "explodes"}`, 400, `{"dynamodb":"fails","secretsmanager":"","sqs":"times-out"}`},
		{`{"service": "sqs", "faults": "fails"}`, 400, `{"dynamodb":"fails","secretsmanager":"","sqs":"times-out"}`},
		{`{"service": "dynamodb", "fault": ""}`, 204, `{"dynamodb":"","secretsmanager":"","sqs":"times-out"}`},
	} {
		response, err := http.Post(w.url+"/simulator/faults", "application/json", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.code {
			t.Errorf("%s: got %d, want %d", c.body, response.StatusCode, c.code)
		}
		if response, err = http.Get(w.url + "/simulator/faults"); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || strings.TrimSpace(string(got)) != c.faults {
			t.Errorf("after %s: got %s, %v, want %s", c.body, got, err, c.faults)
		}
	}
	if w.served.Load() != 0 {
		t.Error("a request for the proxy reached the service")
	}
}
