package drain

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/inbox/inboxtest"
	"payout-callbacks/pkg/memory"
	"payout-callbacks/pkg/payout"
)

// world is one run of a scenario. Its clock goes by seconds.
type world struct {
	Scenario
	now    time.Time
	store  *memory.Store
	queue  *queue
	box    *inbox.Inbox
	result Result

	acknowledged []inbox.Key
	consumers    float64 // batches that may be begun now
	down, up     time.Time
	before       [2]int // receipts accepted before the outage was over and not applied, by account
	waiting      int    // receipts not applied
}

const (
	tick  = time.Second
	quiet = 0 // place of the quiet account
	busy  = 1
)

var beginning = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// Run plays a scenario: ten minutes of load, the outage, and the load going on
// until all is as if there had been none, or for ten days; then without load
// until nothing is left to do.
func Run(ctx context.Context, scenario Scenario) (Result, error) {
	if err := scenario.check(); err != nil {
		return Result{}, err
	}
	w := newWorld(scenario)
	for tired := w.up.Add(10 * 24 * time.Hour); !w.recovered() && w.now.Before(tired); {
		if err := w.step(ctx, true); err != nil {
			return Result{}, err
		}
	}
	for last := w.now.Add(30 * 24 * time.Hour); !w.settled() && w.now.Before(last); {
		if err := w.step(ctx, false); err != nil {
			return Result{}, err
		}
	}
	w.reckon()
	return w.result, nil
}

func newWorld(scenario Scenario) *world {
	w := &world{Scenario: scenario, now: beginning, store: &memory.Store{}}
	clock := func() time.Time { return w.now }
	w.queue = &queue{now: clock, each: scenario.Each, decided: map[string]*message{}}
	w.box = &inbox.Inbox{Store: w.store, Queue: w.queue, DeadLetters: w.queue, Now: clock}
	w.down = beginning.Add(10 * time.Minute)
	w.up = w.down.Add(scenario.Outage)
	w.result = Result{Scenario: scenario, Drained: Never, QuietDrained: Never, Emptied: Never, Buried: Never}
	return w
}

// recovered reports whether nothing is left that the outage did.
func (w *world) recovered() bool {
	return w.result.Drained != Never && w.result.Emptied != Never && w.result.Buried != Never
}

// settled reports whether nothing is left to do.
func (w *world) settled() bool {
	return w.waiting == 0 && w.queue.waiting == 0 && w.queue.inFlight == 0 && w.queue.deadLetters() == 0
}

// step is one second.
func (w *world) step(ctx context.Context, load bool) error {
	w.now = w.now.Add(tick)
	w.queue.comeBack()
	if load {
		if err := w.accept(ctx); err != nil {
			return err
		}
	}
	if w.now.Sub(beginning)%time.Minute == 0 {
		if err := w.sweep(ctx); err != nil {
			return err
		}
	}
	if err := w.consume(ctx); err != nil {
		return err
	}
	w.observe()
	return nil
}

// accept takes in the callbacks of this second.
func (w *world) accept(ctx context.Context) error {
	until := int(w.now.Sub(beginning)/tick) * w.Rate / w.Each
	for n := len(w.acknowledged); n < until; n++ {
		account := quiet
		if n%100 < w.BusyShare {
			account = busy
		}
		event := payout.Event{
			ID:        payout.NewID("cregis", payout.TypePayout, strconv.Itoa(account), strconv.Itoa(n), ""),
			Reference: "PAY-" + strconv.Itoa(n), Status: payout.Succeeded, Amount: "1.1", Currency: "TRX",
		}
		receipt := inbox.NewReceipt(event, nil, "", w.now)
		accepted, err := w.box.Accept(ctx, receipt)
		if err != nil {
			return err
		}
		if accepted.As != inbox.New {
			return fmt.Errorf("receipt %v was accepted as %s: nothing fails here, and nothing is told twice", receipt.Key, accepted.As)
		}
		w.acknowledged = append(w.acknowledged, receipt.Key)
		w.waiting++
		if !w.now.After(w.up) {
			w.before[account]++
		}
	}
	return nil
}

func (w *world) sweep(ctx context.Context) error {
	run := &sweeping{
		Context: ctx, Store: w.store, queue: w.queue,
		left: timeout, request: w.Request * time.Duration(w.Each),
	}
	box := &inbox.Inbox{Store: run, Queue: run, DeadLetters: run, Now: w.box.Now}
	swept, err := box.Sweep(run, w.SweepLimit/w.Each) //nolint:contextcheck // run is ctx, with a deadline
	w.result.Resent += swept.Sent
	w.result.Adopted += swept.Adopted
	return err
}

// consume is the batches of this second.
func (w *world) consume(ctx context.Context) error {
	out := w.now.After(w.down) && !w.now.After(w.up)
	if out && !w.Broken {
		w.consumers = 0
		return nil
	}
	w.consumers += w.concurrency() * tick.Seconds() / (w.Batch.Seconds() * float64(w.Each))
	for ; w.consumers >= 1; w.consumers-- {
		messages := w.queue.deliver(10)
		if len(messages) == 0 {
			w.consumers = 0 // nobody saves time for later
			return nil
		}
		if out {
			continue
		}
		for _, m := range messages {
			if err := w.apply(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// concurrency is how many consumers Lambda runs: few at first.
func (w *world) concurrency() float64 {
	allowed := float64(w.Concurrency)
	if w.now.Before(w.up) {
		return allowed
	}
	return min(allowed, 5+300*w.now.Sub(w.up).Minutes())
}

func (w *world) apply(ctx context.Context, m *message) error {
	outcome, err := w.box.Apply(ctx, m.receipt)
	if err != nil {
		return err
	}
	if outcome == inbox.AlreadyApplied {
		w.result.Refused++
	} else {
		w.waiting--
		w.result.Oldest = max(w.result.Oldest, w.now.Sub(m.receipt.AcceptedAt))
		if !m.receipt.AcceptedAt.After(w.up) {
			account, _ := strconv.Atoi(m.receipt.Account())
			w.before[account]--
		}
	}
	w.queue.delete(m)
	return nil
}

// observe looks at the end of each second.
func (w *world) observe() {
	r := &w.result
	r.Deepest = max(r.Deepest, w.queue.waiting+w.queue.inFlight)
	r.DeepestDead = max(r.DeepestDead, w.queue.deadLetters())
	if !w.now.After(w.up) {
		return
	}
	since := w.now.Sub(w.up)
	first(&r.Drained, since, w.before[quiet]+w.before[busy] == 0)
	first(&r.QuietDrained, since, w.before[quiet] == 0)
	first(&r.Emptied, since, w.queue.waiting == 0)
	first(&r.Buried, since, w.queue.deadLetters() == 0 && r.Drained != Never)
}

func first(when *time.Duration, since time.Duration, happened bool) {
	if *when == Never && happened {
		*when = since
	}
}

// reckon holds the end to the invariants, and counts in callbacks.
func (w *world) reckon() {
	r := &w.result
	receipts := w.store.Receipts()
	for _, receipt := range receipts {
		if receipt.State == inbox.Applied {
			r.Applied++
		}
	}
	state := inboxtest.State{Receipts: receipts, Records: w.store.Records(), Queued: w.queue.receipts()}
	r.Wrong = inboxtest.Check(state, w.acknowledged, true)
	r.Accepted, r.Expired = len(w.acknowledged), w.queue.expired
	counts := []*int{&r.Accepted, &r.Applied, &r.Resent, &r.Refused, &r.Deepest, &r.DeepestDead, &r.Expired, &r.Adopted}
	for _, count := range counts {
		*count *= w.Each
	}
}
