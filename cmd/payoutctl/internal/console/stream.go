package console

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// hub counts what changed. Each open page compares the count with that of its last
// announcement, so nothing waits in memory for a page that reads slowly.
type hub struct{ changes atomic.Int64 }

// announce says to the open pages that something changed.
func (h *hub) announce() { h.changes.Add(1) }

const (
	streamPause = time.Second     // between two announcements to a page, at least
	slowReader  = 5 * time.Second // for a write; the stream of a page that does not read ends
	quietPauses = 30              // until a page is read again without a change: a deployed stack does not say when it changes, nor does what is paused
)

// serveEvents streams announcements as server-sent events. An announcement says only that
// something changed; the page then reads what it shows.
func (c *Console) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	tick := time.NewTicker(streamPause)
	defer tick.Stop()
	announced, hasFailed := c.hub.changes.Load(), false
	text := ": open\n\n"
	for pauses := 1; ; pauses++ {
		_ = control.SetWriteDeadline(time.Now().Add(slowReader))
		if _, err := fmt.Fprint(w, text); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
		isFailing := c.watch(r.Context()) != nil
		changes := c.hub.changes.Load()
		text = ": alive\n\n"
		if changes != announced || isFailing != hasFailed || pauses%quietPauses == 0 {
			text = "event: changed\ndata: {}\n\n"
		}
		announced, hasFailed = changes, isFailing
	}
}

// watch reads the logs of the local stack, which announces what is new. It returns why the
// stack does not answer. A part of it that does not answer is named by the pages.
func (c *Console) watch(ctx context.Context) error {
	if c.isReadOnly() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	stack, err := c.stack(ctx)
	if err == nil {
		_, _ = c.readLogs(ctx, stack)
	}
	return err
}
