package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/testkit/traffic"
)

// The shares of forged and redelivered callbacks, in percent. The others are new.
const (
	forgedShare      = 5
	redeliveredShare = 30
)

// kind is the part of a callback in the plan.
type kind string

const (
	fresh         kind = "new"
	contradictory kind = "contradictory"
	redelivered   kind = "redelivered"
	forged        kind = "forged"
)

// sending is one callback to send.
type sending struct {
	kind     kind
	provider string
	request  callback.Request
	receipt  inbox.Receipt // that it must leave; empty for a forged callback
}

// accountKeys returns the stored keys of a provider, and the key of another
// account, which is not stored.
func accountKeys(provider string) [2]callback.Keys {
	accounts := traffic.Accounts(provider)
	return [2]callback.Keys{
		{accounts[0]: {Current: "f502a9ac9ca54327986f29c03b271491"}},
		{accounts[1]: {Current: "3f1f6f0d7a119a526c1d4a0e0b7c9a54"}},
	}
}

// planner decides what is sent. The same seed plans the same callbacks.
type planner struct {
	random   *rand.Rand
	payouts  int
	open     [][]traffic.Step // the callbacks of payouts that are not sent yet
	sent     []sending
	original []traffic.Callback // of each element of sent
}

func newPlanner(seed uint64) *planner { return &planner{random: rand.New(rand.NewPCG(seed, 1))} }

// next plans one callback.
func (p *planner) next() (sending, error) {
	draw := p.random.IntN(100)
	if draw >= forgedShare+redeliveredShare || len(p.sent) == 0 {
		step := p.nextStep()
		planned, err := p.sign(fresh, step.Callback)
		if step.Contradicts {
			planned.kind = contradictory
		}
		p.sent, p.original = append(p.sent, planned), append(p.original, step.Callback)
		return planned, err
	}
	n := p.random.IntN(len(p.sent))
	planned := p.sent[n]
	switch {
	case draw < forgedShare:
		account := traffic.Accounts(planned.provider)[1]
		otherKey := accountKeys(planned.provider)[1][account].Current
		request, err := traffic.Forge(p.random, planned.provider, planned.request, otherKey)
		return sending{kind: forged, provider: planned.provider, request: request}, err
	case p.random.IntN(2) == 0: // a push from the provider's console
		return p.sign(redelivered, p.original[n])
	}
	planned.kind = redelivered // the same bytes
	return planned, nil
}

// nextStep returns the next callback of some payout. A dozen payouts overlap.
func (p *planner) nextStep() traffic.Step {
	for {
		if len(p.open) < 12 {
			p.payouts++
			p.open = append(p.open, traffic.NewPayout(p.random, p.payouts))
		}
		n := p.random.IntN(len(p.open))
		step := p.open[n][0]
		if p.open[n] = p.open[n][1:]; len(p.open[n]) == 0 {
			p.open = append(p.open[:n], p.open[n+1:]...)
		}
		if step.Resolution == nil { // nobody resolves conflicts here
			return step
		}
	}
}

func (p *planner) sign(kind kind, c traffic.Callback) (sending, error) {
	now := time.UnixMilli(1687850657960 + p.random.Int64N(1e9))
	request, err := c.Sign(p.random, now, accountKeys(c.Provider)[0][c.Account()].Current)
	if err != nil {
		return sending{}, err
	}
	receipt, err := c.Receipt(request, time.Time{})
	return sending{kind: kind, provider: c.Provider, request: request, receipt: receipt}, err
}

// answer is how a callback was answered.
type answer struct {
	sending

	code           int // 0 without an answer
	isAcknowledged bool
	latency        time.Duration // since the callback was due to be sent
}

// maxPending is how many callbacks may wait for their answers. The wait for
// another callback's answer counts as latency.
const maxPending = 1024

// sender plays both providers.
type sender struct {
	url    string
	client *http.Client

	mu      sync.Mutex
	ledger  traffic.Ledger
	answers []answer
}

func newSender(url string) *sender {
	return &sender{url: url, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: maxPending}, Timeout: time.Minute,
	}}
}

// send sends count callbacks, rate a second, whatever the answers are.
func (s *sender) send(ctx context.Context, plan *planner, count, rate int) error {
	free := make(chan struct{}, maxPending)
	begin := time.Now()
	var running sync.WaitGroup
	defer running.Wait()
	for n := range count {
		planned, err := plan.next()
		if err != nil {
			return err
		}
		due := begin.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if !sleep(ctx, time.Until(due)) {
			return ctx.Err()
		}
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			s.deliver(ctx, planned, due)
		})
	}
	return nil
}

func (s *sender) deliver(ctx context.Context, planned sending, due time.Time) {
	if planned.kind != forged {
		s.mu.Lock()
		s.ledger.Deliver(planned.receipt)
		s.mu.Unlock()
	}
	got := answer{sending: planned}
	if code, text, err := s.post(ctx, planned); err == nil {
		got.code, got.isAcknowledged = code, traffic.Acknowledges(planned.provider, code, text)
	}
	got.latency = time.Since(due)
	s.mu.Lock()
	defer s.mu.Unlock()
	if got.isAcknowledged && planned.kind != forged {
		s.ledger.Acknowledge(planned.receipt.Key)
	}
	s.answers = append(s.answers, got)
}

func (s *sender) post(ctx context.Context, planned sending) (code int, text string, err error) {
	url := s.url + "/callbacks/" + planned.provider + "/" + string(planned.request.Type)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(planned.request.Body))
	if err != nil {
		return 0, "", err
	}
	request.Header = planned.request.Header.Clone()
	response, err := s.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func (s *sender) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answers)
}
