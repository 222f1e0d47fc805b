package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"payout-callbacks/pkg/testkit/traffic"
)

// answer is how a callback was answered.
type answer struct {
	traffic.Request

	code           int // 0 without an answer
	isAcknowledged bool
}

// maxPending is how many callbacks may wait for their answers.
const maxPending = 1024

// sender plays both providers.
type sender struct {
	url    string
	client http.Client

	mu      sync.Mutex
	ledger  traffic.Ledger
	answers []answer
}

// send sends count callbacks, rate a second, whatever the answers are.
func (s *sender) send(ctx context.Context, stream *traffic.Stream, count, rate int) error {
	var running errgroup.Group
	running.SetLimit(maxPending)
	begin := time.Now()
	for n := range count {
		callback, err := stream.Next()
		if err != nil {
			return err
		}
		if !sleep(ctx, time.Until(begin.Add(time.Duration(n)*time.Second/time.Duration(rate)))) {
			break
		}
		running.Go(func() error { s.deliver(ctx, callback); return nil })
	}
	_ = running.Wait()
	return ctx.Err()
}

func (s *sender) deliver(ctx context.Context, callback traffic.Request) {
	if !callback.IsForged {
		s.mu.Lock()
		s.ledger.Deliver(callback.Receipt)
		s.mu.Unlock()
	}
	got := answer{Request: callback}
	if code, text, err := s.post(ctx, callback); err == nil {
		got.code, got.isAcknowledged = code, traffic.Acknowledges(callback.Provider, code, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if got.isAcknowledged && !callback.IsForged {
		s.ledger.Acknowledge(callback.Receipt.Key)
	}
	s.answers = append(s.answers, got)
}

func (s *sender) post(ctx context.Context, callback traffic.Request) (code int, text string, err error) {
	url := s.url + "/callbacks/" + callback.Provider + "/" + string(callback.Type)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(callback.Body))
	if err != nil {
		return 0, "", err
	}
	request.Header = callback.Header.Clone()
	response, err := s.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func (s *sender) progress() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d callbacks answered", len(s.answers))
}
