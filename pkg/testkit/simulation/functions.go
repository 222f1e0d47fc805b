package simulation

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

// functions is what Lambda keeps of the application: warm ingress functions
// with the keys that they have read, and when the others run next.
type functions struct {
	warm    map[string]*secrets.Keys
	pollAt  time.Time // zero where none is planned
	sweepAt time.Time
}

type signingProvider interface {
	callback.Provider
	callback.Signer
}

var providers = map[string]signingProvider{"cregis": cregis.Provider{}, "pivot": pivot.Provider{}}

// ingress is one request to the provider's function. Without an answer there
// is no reply, and the gateway says 500 or nothing at all.
func (w *world) ingress(provider string, request callback.Request) callback.Reply {
	keys := w.warm[provider]
	if keys == nil || w.chance(5) {
		keys = secrets.NewKeys(client{w.secrets, provider}, provider, w.clock)
		w.warm[provider] = keys
	}
	var result callback.Result
	alive := w.process(provider, func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) {
		handler := &callback.Handler{Provider: providers[provider], Keys: keys, Inbox: box, Now: box.Now}
		result = handler.Handle(ctx, request)
	})
	w.count(result.Acceptance)
	if !alive {
		delete(w.warm, provider)
		return callback.Reply{Code: 500}
	}
	return result.Reply
}

func (w *world) count(as inbox.Acceptance) {
	switch as {
	case inbox.AcceptedStoreOnly:
		w.tally.StoreOnly++
	case inbox.AcceptedQueueOnly:
		w.tally.QueueOnly++
	}
}

// keepGoing plans the next delivery of the queue and the next run of the
// sweeper, where they would find something: the runs in between change nothing.
func (w *world) keepGoing() {
	live, dead := w.queue.Depth()
	if live > 0 && w.pollAt.IsZero() {
		w.pollAt = latest(w.nextVisible(live), w.now).Add(w.between(time.Millisecond, 3*time.Second))
		w.after(w.pollAt.Sub(w.now), w.consume)
	}
	due, ok := w.store.NextDue()
	if dead > w.unreadable {
		due, ok = w.now, true
	}
	if !ok || !w.sweepAt.IsZero() {
		return
	}
	wait := latest(due, w.now).Sub(w.now)
	wait += time.Minute - w.now.Add(wait).Sub(beginning)%time.Minute
	if w.chance(20) {
		wait += time.Duration(w.rand.IntN(30)) * time.Minute // the scheduler is late
	}
	w.sweepAt = w.now.Add(wait)
	w.after(wait, w.sweep)
}

func (w *world) nextVisible(live int) time.Time {
	var next time.Time
	for _, message := range w.queue.Messages()[:live] {
		if at := message.VisibleAt(); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// consume is a batch that Lambda took from the queue. Its messages go to the
// consumer one by one, because side by side no history would be repeatable.
func (w *world) consume() {
	w.pollAt = time.Time{}
	messages := w.queue.Deliver(1 + w.rand.IntN(10))
	w.changed = true
	if len(messages) == 0 {
		return
	}
	w.process("consumer", func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox) {
		c := &consumer.Consumer{Inbox: box, Queue: postponer{p, w.queue}}
		var deliveries []consumer.Delivery
		for _, message := range messages {
			batch := events.SQSEvent{Records: []events.SQSMessage{w.encode(message)}}
			deliveries = append(deliveries, c.Consume(ctx, batch)...)
		}
		failures := consumer.Response(deliveries).BatchItemFailures
		for _, message := range messages {
			if !slices.Contains(failures, events.SQSBatchItemFailure{ItemIdentifier: message.Handle}) {
				_ = p.Call(ctx, "queue.Delete", func() error { w.queue.Ack(message.Handle); return nil })
			}
		}
	})
}

func (w *world) encode(message memory.Message) events.SQSMessage {
	text := "not ours"
	if !message.Unreadable {
		var err error
		if text, err = sqsqueue.Encode(message.Receipt); err != nil {
			w.complainf("encode: %v", err)
		}
	}
	return events.SQSMessage{
		MessageId: message.Handle, ReceiptHandle: message.Handle, Body: text,
		Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(message.Receives)},
	}
}

// postponer is the queue's part for the consumer, as a call of its process.
type postponer struct {
	p     *inboxtest.Process
	queue *memory.Queue
}

func (q postponer) Postpone(ctx context.Context, handle string, wait time.Duration) error {
	return q.p.Call(ctx, "queue.Postpone", func() error { q.queue.Nack(handle, wait); return nil })
}

// sweepLimit is small, so that a history meets the bound.
const sweepLimit = 3

func (w *world) sweep() {
	w.sweepAt = time.Time{}
	cleared := !w.now.Before(w.clear)
	w.process("sweeper", func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) {
		result, err := box.Sweep(ctx, sweepLimit)
		w.tally.Resent += result.Resent
		w.tally.Recovered += result.Recovered
		if err != nil && cleared {
			w.complainf("a sweep without faults: %v", err)
		}
	})
}
