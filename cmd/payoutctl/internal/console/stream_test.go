package console_test

import (
	"testing"

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
