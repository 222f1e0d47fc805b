package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// verdict is how a callback was answered.
type verdict string

const (
	acknowledged verdict = "acknowledged"
	refused      verdict = "refused" // 4xx: the sender's fault
	failed       verdict = "failed"  // anything else, no answer included: ours
)

// answer is what became of one callback that was sent.
type answer struct {
	sent

	verdict verdict
	code    int           // 0 where there was no answer
	took    time.Duration // since it was due to be sent
}

// maxWaiting bounds how many callbacks wait for their answers at once: what is
// late because of it counts as time that the provider waited.
const maxWaiting = 1024

// sender plays both providers.
type sender struct {
	base   string
	client *http.Client

	mu      sync.Mutex
	answers []answer
}

// send sends count callbacks, rate in a second, whatever becomes of those before.
func (s *sender) send(ctx context.Context, plan *planner, count, rate int) error {
	free := make(chan struct{}, maxWaiting)
	begin := time.Now()
	var running sync.WaitGroup
	defer running.Wait()
	for n := range count {
		next, err := plan.next()
		if err != nil {
			return err
		}
		due := begin.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if !wait(ctx, time.Until(due)) {
			return ctx.Err()
		}
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			s.sendOne(ctx, next, due)
		})
	}
	return nil
}

func (s *sender) sendOne(ctx context.Context, callback sent, due time.Time) {
	got := answer{sent: callback, verdict: failed}
	if code, err := s.post(ctx, callback); err == nil {
		got.code, got.verdict = code, verdictOf(code)
	}
	got.took = time.Since(due)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, got)
}

func (s *sender) post(ctx context.Context, callback sent) (code int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+callback.path, bytes.NewReader(callback.body))
	if err != nil {
		return 0, err
	}
	request.Header = callback.header.Clone()
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Body.Close()
}

func verdictOf(code int) verdict {
	switch {
	case code == http.StatusOK:
		return acknowledged
	case code >= 400 && code < 500:
		return refused
	}
	return failed
}

func (s *sender) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answers)
}
