package console_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/console"
)

// A page that does not read gets a single announcement of all that it missed, and delays nobody.
func TestHub_SlowReader(t *testing.T) {
	var hub console.Hub
	slow, other := hub.Subscribe(), hub.Subscribe()
	for range 1000 {
		hub.Announce() // would block, if it waited for a reader
		<-other
	}
	if len(slow) != 1 || cap(slow) != 1 {
		t.Errorf("%d announcements of at most %d wait, want 1", len(slow), cap(slow))
	}
	hub.Unsubscribe(slow)
	hub.Unsubscribe(other)
	if hub.IsWatched() {
		t.Error("a page that is closed is watched")
	}
	hub.Announce()
}

// The pages of a deployed stack are read again after a while.
func TestConsole_DeployedStackAnnouncesRegularly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		handler := newConsole(t, cli.Stack{})
		response := request(t, handler, "GET", "/events", func(r *http.Request) {
			*r = *r.WithContext(ctx)
			time.AfterFunc(40*time.Second, cancel)
		})
		if text := response.Body.String(); strings.Count(text, "event: changed") != 1 {
			t.Errorf("in 40 seconds: %q", text)
		}
	})
}
