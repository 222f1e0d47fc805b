package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// events returns what the stream of a deployed stack sends in a time, during which do runs.
func events(t *testing.T, span time.Duration, do func(announce func())) string {
	t.Helper()
	handler := newConsole(t, cli.Stack{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(span, cancel)
	go do(handler.Announce)
	return request(t, handler, http.MethodGet, "/events", func(r *http.Request) { *r = *r.WithContext(ctx) }).Body.String()
}

// A page that misses announcements gets a single one for all.
func TestStream_ManyAnnouncements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := events(t, 10*time.Second, func(announce func()) {
			time.Sleep(1500 * time.Millisecond)
			for range 1000 {
				announce() // would block, if it waited for a reader
			}
		})
		if strings.Count(text, "event: changed") != 1 {
			t.Errorf("after 1000 announcements: %q", text)
		}
	})
}

// slowPage is a page that does not read.
type slowPage struct {
	*httptest.ResponseRecorder

	deadline time.Time
}

func (p *slowPage) SetWriteDeadline(deadline time.Time) error {
	p.deadline = deadline
	return nil
}

func (p *slowPage) Write([]byte) (int, error) {
	time.Sleep(time.Until(p.deadline))
	return 0, os.ErrDeadlineExceeded
}

// The stream to a page that does not read ends, and delays nobody meanwhile.
func TestStream_SlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, begin := newConsole(t, cli.Stack{}), time.Now()
		go func() {
			time.Sleep(time.Second)
			handler.Announce()
			if took := time.Since(begin); took > time.Second {
				t.Errorf("an announcement waits for %s", took-time.Second)
			}
		}()
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/events", nil)
		r.AddCookie(&http.Cookie{Name: "payout-console-4567", Value: token})
		handler.ServeHTTP(&slowPage{ResponseRecorder: httptest.NewRecorder()}, r)
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("the stream ends after %s", took)
		}
	})
}

// The pages of a deployed stack are read again after a while.
func TestStream_DeployedStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if text := events(t, 40*time.Second, func(func()) {}); strings.Count(text, "event: changed") != 1 {
			t.Errorf("in 40 seconds: %q", text)
		}
	})
}
