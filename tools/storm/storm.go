package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"payout-callbacks/pkg/lambda/functions"
)

// storm is what is asked for.
type storm struct {
	count, rate int
	seed        uint64
	calm        bool // no outages
	at          endpoints
	progress    progress
}

// grace is what a storm may take beyond its sending, draining included.
const grace = patience + time.Minute

// run raises a storm and reckons up. Its error means that there is no reckoning.
func (s storm) run(ctx context.Context) (*report, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.count/s.rate)*time.Second+grace)
	defer cancel()
	direct := clients("http://"+s.at.dynamodb.Host, "http://"+s.at.sqs.Host, true)
	config, err := build(ctx, direct)
	if err != nil {
		return nil, err
	}
	o, err := s.newOutages(ctx)
	if err != nil {
		return nil, err
	}
	j := newJournal()
	now := fastClock()
	newStack := func() functions.Stack {
		stack := functions.NewStack(config, o.clients(false), j)
		stack.Inbox.Now = now
		return stack
	}
	stop := work(ctx, lambda{newStack: newStack, poller: o.clients(true).SQS, queue: config.EventsQueueURL})
	defer stop()

	result := &report{Seed: s.seed, Sent: s.count, Outages: o.happened}
	answers, err := s.sendTraffic(ctx, newStack, o, result)
	if err != nil {
		return nil, err
	}
	look := newOnlooker(direct, config)
	if err := s.drain(ctx, look, result); err != nil {
		result.complainf("I3: %v", err)
	}
	stop()
	state, err := look.state(ctx)
	if err != nil {
		return nil, err
	}
	result.check(answers, state, j)
	if len(result.Wrong) == 0 { // else somebody wants to look
		demolish(ctx, direct, config)
	}
	return result, nil
}

func (s storm) newOutages(ctx context.Context) (*outages, error) {
	dynamodb, err := newProxy(ctx, s.at.dynamodb.Host)
	if err != nil {
		return nil, err
	}
	sqs, err := newProxy(ctx, s.at.sqs.Host)
	if err != nil {
		return nil, err
	}
	return &outages{
		dynamodb: dynamodb, sqs: sqs,
		random: rand.New(rand.NewPCG(s.seed, 2)), happened: map[string]int{},
	}, nil
}

// fastClock is the time by which the inbox decides what is due.
func fastClock() func() time.Time {
	began := time.Now()
	return func() time.Time { return began.Add(speedup * time.Since(began)) }
}

// work runs the functions behind the queue until the returned function is
// called, which waits for what was begun.
func work(ctx context.Context, functions lambda) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { functions.run(ctx) })
	return sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
}

// blow sends the callbacks while connections come and go.
func (s storm) sendTraffic(ctx context.Context, newStack func() functions.Stack, o *outages, result *report) ([]answer, error) {
	base, stop, err := serveCallbacks(ctx, newStack)
	if err != nil {
		return nil, err
	}
	defer stop()
	outdoors, end := context.WithCancel(ctx)
	var blowing sync.WaitGroup
	if !s.calm {
		blowing.Go(func() { o.run(outdoors) })
	}
	providers := &sender{base: base, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: maxWaiting}, Timeout: time.Minute,
	}}
	hide := s.progress.show(func() string { return fmt.Sprintf("%d of %d callbacks answered", providers.count(), s.count) })
	defer hide()
	begin := time.Now()
	err = providers.send(ctx, newPlanner(s.seed), s.count, s.rate)
	result.Rate = float64(s.count) / time.Since(begin).Seconds()
	end()
	blowing.Wait()
	result.Broken = o.dynamodb.broken + o.sqs.broken
	return providers.answers, err
}

// serveCallbacks opens the gateway on this machine.
func serveCallbacks(ctx context.Context, newStack func() functions.Stack) (base string, stop func(), err error) {
	handler, err := newGateway(newStack)
	if err != nil {
		return "", nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

func (s storm) drain(ctx context.Context, look onlooker, result *report) error {
	hide := s.progress.show(func() string { return "waiting until everything is applied" })
	defer hide()
	begin := time.Now()
	err := look.drained(ctx)
	result.Drain = time.Since(begin).Seconds()
	return err
}
