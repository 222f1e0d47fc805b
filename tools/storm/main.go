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
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/terminal"
)

// storm is a run, as its flags describe it.
type storm struct {
	Count int    `default:"3000" help:"Callbacks to send: 1 to 100,000."`
	Rate  int    `default:"50" help:"Callbacks a second: 1 to 2,000."`
	Seed  uint64 `help:"Determines what is sent and when connections are cut. By default it is random; it is printed."`

	endpoints endpoints
	stderr    io.Writer
}

// Validate implements kong's check.
func (s storm) Validate() error {
	if s.Count < 1 || s.Count > 100_000 {
		return errors.New("--count is not from 1 to 100000")
	}
	if s.Rate < 1 || s.Rate > 2_000 {
		return errors.New("--rate is not from 1 to 2000")
	}
	return nil
}

// The command exits with 0 if the check passes, with 1 if it fails, and with 2 if
// it could not be made.
func main() {
	s := storm{stderr: os.Stderr}
	kong.Parse(&s, kong.Name("storm"), kong.Description("Send callbacks to the functions while connections to DynamoDB and SQS are cut, "+
		"and check what is stored afterwards. Run it by: make storm"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	result, err := s.start(ctx)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "storm:", err)
		os.Exit(2) //nolint:gocritic // stop has nothing left to do
	}
	result.print(os.Stdout)
	if len(result.wrong) > 0 {
		os.Exit(1)
	}
}

func (s storm) start(ctx context.Context) (*report, error) {
	var err error
	if s.endpoints, err = readEndpoints(os.Getenv); err != nil {
		return nil, err
	}
	// The SDK's newer retries, as template.yaml sets them.
	if err := os.Setenv("AWS_NEW_RETRIES_2026", "true"); err != nil {
		return nil, err
	}
	if s.Seed == 0 {
		s.Seed = rand.Uint64N(1_000_000)
	}
	return s.run(ctx)
}

// grace is how long a run may take beyond its sending.
const grace = drainTimeout + time.Minute

// run sends the callbacks, drains the queue and checks the result.
func (s storm) run(ctx context.Context) (*report, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Count/s.Rate)*time.Second+grace)
	defer cancel()
	direct := newClients("http://"+s.endpoints.dynamodb.Host, "http://"+s.endpoints.sqs.Host, 10*time.Second)
	config, err := createResources(ctx, direct)
	if err != nil {
		return nil, err
	}
	o, err := newOutages(ctx, s.endpoints, s.Seed)
	if err != nil {
		return nil, err
	}
	log, now := newFunctionLog(), fastClock()
	newStack := func() functions.Stack {
		stack := functions.NewStack(config, newClients(o.dynamodb.url(), o.sqs.url(), 0), log)
		stack.Inbox.Now = now
		return stack
	}
	poller := newClients(o.dynamodb.url(), o.sqs.url(), 10*time.Second).SQS
	stop := inBackground(ctx, lambda{newStack: newStack, poller: poller, queue: config.EventsQueueURL}.run)
	defer stop()

	result := &report{seed: s.Seed, sent: s.Count, outages: o.counts}
	sender, err := s.send(ctx, newStack, o, result)
	if err != nil {
		return nil, err
	}
	observer := newObserver(direct, config)
	drained := time.Now()
	stopLine := terminal.ShowLine(s.stderr, func() string { return "waiting until the queue is drained" })
	err = observer.awaitDrained(ctx)
	stopLine()
	if err != nil {
		result.complainf("I3: %v", err)
	}
	result.drain = time.Since(drained)
	stop()
	state, err := observer.state(ctx)
	if err != nil {
		return nil, err
	}
	result.check(sender, state, log)
	if len(result.wrong) == 0 { // keep what a failure left, to examine it
		deleteResources(ctx, direct, config)
	}
	return result, nil
}

// send sends the callbacks to an HTTP server on this machine while connections
// are cut.
func (s storm) send(ctx context.Context, newStack func() functions.Stack, o *outages, result *report) (*sender, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: newGateway(newStack), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	stop := inBackground(ctx, o.run)
	sender := newSender("http://" + listener.Addr().String())
	stopLine := terminal.ShowLine(s.stderr, func() string { return fmt.Sprintf("%d of %d callbacks answered", sender.count(), s.Count) })
	begin := time.Now()
	err = sender.send(ctx, newPlanner(s.Seed), s.Count, s.Rate)
	result.rate = float64(s.Count) / time.Since(begin).Seconds()
	stopLine()
	stop()
	result.broken = o.dynamodb.broken + o.sqs.broken
	return sender, err
}

// fastClock returns the clock of the inbox, which decides what is due.
func fastClock() func() time.Time {
	began := time.Now()
	return func() time.Time { return began.Add(speedup * time.Since(began)) }
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
