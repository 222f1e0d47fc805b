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
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
	"payout-callbacks/pkg/testkit/traffic"
)

// functions is what Lambda keeps between invocations: warm ingress functions
// with the keys that they have read, and when the other functions run next.
type functions struct {
	warm    map[string]*secrets.Keys
	pollAt  time.Time // zero if no poll is planned
	sweepAt time.Time // zero if no sweep is planned

	reconcileAt  time.Time               // zero if no run of the reconciler is planned
	environments map[string]*environment // idle ones of the reconciler, by provider
}

// ingress sends one request to the provider's function. A process that stops
// sends no reply; the gateway answers 500.
func (w *world) ingress(provider string, request callback.Request) callback.Reply {
	keys := w.warm[provider]
	if keys == nil || w.chance(5) {
		keys = secrets.NewKeys(client{w.secrets, provider}, provider, w.clock)
		w.warm[provider] = keys
	}
	var result callback.Result
	hasEnded := w.process(provider, func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) {
		handler := &callback.Handler{Provider: traffic.ProviderNamed(provider), Keys: keys, Inbox: box, Now: box.Now}
		result = handler.Handle(ctx, request)
	})
	switch result.Acceptance {
	case inbox.AcceptedStoreOnly:
		w.tally.StoreOnly++
	case inbox.AcceptedQueueOnly:
		w.tally.QueueOnly++
	}
	if !hasEnded {
		delete(w.warm, provider)
		return callback.Reply{Code: 500}
	}
	return result.Reply
}

// planRuns plans the next delivery of the queue and the next run of the sweeper
// that find work: the runs in between change nothing.
func (w *world) planRuns() {
	live, dead := w.queue.Depth()
	if live > 0 && w.pollAt.IsZero() {
		w.pollAt = latest(w.nextVisible(live), w.now).Add(w.between(time.Millisecond, 3*time.Second))
		w.after(w.pollAt.Sub(w.now), w.consume)
	}
	w.planQueries()
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

// consume invokes the consumer with a batch of messages. The consumer handles
// them one after the other: concurrent handling would not be repeatable.
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
	text := "not a receipt"
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

// postponer postpones messages for the consumer, as a call of its process.
type postponer struct {
	p     *inboxtest.Process
	queue *memory.Queue
}

func (q postponer) Postpone(ctx context.Context, handle string, wait time.Duration) error {
	return q.p.Call(ctx, "queue.Postpone", func() error { q.queue.Nack(handle, wait); return nil })
}

// sweepLimit is small, so that histories reach it.
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
