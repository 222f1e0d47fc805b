// Command storm sends callbacks of both providers over HTTP to the real
// functions while connections to DynamoDB and SQS are cut and restored. Then it
// waits until the queue is drained and checks that every acknowledged callback
// is stored and applied once, and that nothing else is stored.
//
//	make storm COUNT=10000 RATE=200 SEED=7
//
// The functions run in this process, as pkg/lambda/functions wires them, with the
// AWS SDK; this program does what Lambda, API Gateway and the scheduler do around
// them. Their schedule runs sixty times as fast as the clock: a receipt that is
// resent after two minutes is resent after two seconds. The tables and queues
// are those of template.yaml, on the endpoints that AWS_ENDPOINT_URL_DYNAMODB and
// AWS_ENDPOINT_URL_SQS name. Both must be on this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/terminal"
	"payout-callbacks/pkg/testkit/awsfault"
	"payout-callbacks/pkg/testkit/traffic"
)

// storm is a run, as its flags describe it.
type storm struct {
	count, rate int // callbacks, callbacks a second
	seed        uint64
}

// The command exits with 0 if the check passes, with 1 if it fails, and with 2 if
// it could not be made.
func main() {
	var s storm
	flag.IntVar(&s.count, "count", 3000, "callbacks to send")
	flag.IntVar(&s.rate, "rate", 50, "callbacks a second")
	flag.Uint64Var(&s.seed, "seed", 0, "determines what is sent and when connections are cut (0: random)")
	flag.Parse()
	if s.seed == 0 {
		s.seed = rand.Uint64N(1_000_000)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	result, err := s.run(ctx)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "storm:", err)
		os.Exit(2) //nolint:gocritic // stop has nothing left to do
	}
	result.print(os.Stdout)
	if len(result.wrong) > 0 {
		os.Exit(1)
	}
}

// run sends the callbacks, drains the queue and checks the result.
func (s storm) run(ctx context.Context) (*report, error) {
	if s.count < 1 || s.rate < 1 {
		return nil, errors.New("-count and -rate must be at least 1")
	}
	// The SDK's newer retries, as template.yaml sets them.
	if err := os.Setenv("AWS_NEW_RETRIES_2026", "true"); err != nil {
		return nil, err
	}
	o, err := newOutages(s.seed)
	if err != nil {
		return nil, err
	}
	direct := newClients(o.dynamodb.direct, o.sqs.direct, 10*time.Second)
	config, err := createResources(ctx, direct)
	if err != nil {
		return nil, err
	}
	log, began := newFunctionLog(), time.Now()
	newStack := func() functions.Stack {
		stack := functions.NewStack(config, newClients(o.dynamodb.broken, o.sqs.broken, 0), log)
		stack.Inbox.Now = func() time.Time { return began.Add(speedup * time.Since(began)) }
		return stack
	}
	poller := newClients(o.dynamodb.broken, o.sqs.broken, 10*time.Second).SQS
	stop := inBackground(ctx, func(ctx context.Context) { runLambda(ctx, newStack, poller, config.EventsQueueURL) })
	defer stop()

	sender, err := s.send(ctx, newStack, o)
	if err != nil {
		return nil, err
	}
	result := &report{seed: s.seed, sent: s.count, broken: o.dynamodb.proxy.Broken() + o.sqs.proxy.Broken(), log: log}
	reader := &dynamostore.Reader{Client: direct.DynamoDB, Receipts: config.ReceiptsTable, Payouts: config.PayoutsTable}
	if err := awaitDrained(ctx, direct.SQS, reader, config.EventsQueueURL, config.DeadLetterQueueURL); err != nil {
		result.complainf("I3: %v", err)
	}
	stop()
	if result.stored, err = awsfault.ReadState(ctx, reader); err != nil {
		return nil, err
	}
	result.check(sender)
	return result, nil
}

// send sends the callbacks to an HTTP server on this machine while connections
// are cut.
func (s storm) send(ctx context.Context, newStack func() functions.Stack, o *outages) (*sender, error) {
	gateway := httptest.NewServer(newGateway(newStack))
	defer gateway.Close()
	defer inBackground(ctx, o.run)()
	sender := &sender{url: gateway.URL}
	sender.client = http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maxPending}, Timeout: time.Minute}
	defer terminal.ShowLine(os.Stderr, sender.progress)()
	return sender, sender.send(ctx, traffic.NewStream(s.seed), s.count, s.rate)
}

// inBackground runs a function until stop is called, which waits for its end.
func inBackground(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	return sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
}

// sleep reports whether the time passed before ctx ended.
func sleep(ctx context.Context, span time.Duration) bool {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
