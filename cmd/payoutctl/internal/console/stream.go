package console

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// hub announces changes to the open pages. A page that reads slowly misses
// announcements, and none of them waits in memory: an announcement says only that
// something changed, and the page then reads what it shows.
type hub struct {
	mu      sync.Mutex
	streams map[chan struct{}]struct{}
}

func (h *hub) subscribe() chan struct{} {
	stream := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams == nil {
		h.streams = map[chan struct{}]struct{}{}
	}
	h.streams[stream] = struct{}{}
	return stream
}

func (h *hub) unsubscribe(stream chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, stream)
}

// announce says that something changed.
func (h *hub) announce() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for stream := range h.streams {
		select {
		case stream <- struct{}{}:
		default: // an announcement waits already
		}
	}
}

// isWatched reports whether a page is open.
func (h *hub) isWatched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams) > 0
}

const (
	// leastPause is the least time between two announcements to a page.
	leastPause = time.Second
	// keepAlive is the time after which a stream without announcements sends a comment.
	keepAlive = 15 * time.Second
	// slowReader is how long a write may take before the stream ends.
	slowReader = 5 * time.Second
)

// deployedPause is the time between two announcements of a deployed stack, which does not
// say when it changes.
const deployedPause = 30 * time.Second

func (h *hub) announceRegularly(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(deployedPause):
			h.announce()
		}
	}
}

// serveEvents streams announcements as server-sent events.
func (c *Console) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	stream := c.hub.subscribe()
	defer c.hub.unsubscribe(stream)
	control := http.NewResponseController(w)
	for text := ": open\n\n"; ; {
		_ = control.SetWriteDeadline(time.Now().Add(slowReader))
		if _, err := fmt.Fprint(w, text); err != nil || control.Flush() != nil {
			return
		}
		pause := time.After(leastPause)
		select {
		case <-r.Context().Done():
			return
		case <-stream:
			text = "event: changed\ndata: {}\n\n"
		case <-time.After(keepAlive):
			text = ": alive\n\n"
		}
		select {
		case <-r.Context().Done():
			return
		case <-pause:
		}
	}
}
