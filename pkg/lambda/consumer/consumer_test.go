package consumer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/payout"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC)

func newReceipt(cid string) inbox.Receipt {
	id := payout.NewID("cregis", payout.TypePayout, "1382528827416576", cid, "")
	return inbox.NewReceipt(payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1"}, []byte(`{"cid":1}`), "0a1b2c3d", now)
}

type applier func(context.Context, inbox.Receipt) (inbox.ApplyResult, error)

func (a applier) Apply(ctx context.Context, r inbox.Receipt) (inbox.ApplyResult, error) {
	return a(ctx, r)
}

// postponed records the wait of each postponed message.
type postponed struct {
	mu    sync.Mutex
	waits map[string]time.Duration
}

func (p *postponed) Postpone(ctx context.Context, handle string, wait time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waits == nil {
		p.waits = map[string]time.Duration{}
	}
	p.waits[handle] = wait
	return nil
}

func message(t *testing.T, cid, receives string) events.SQSMessage {
	t.Helper()
	text, err := sqsqueue.Encode(newReceipt(cid))
	if err != nil {
		t.Fatal(err)
	}
	return events.SQSMessage{
		MessageId:     "message-" + cid,
		ReceiptHandle: "handle-" + cid,
		Body:          text,
		Attributes:    map[string]string{"ApproximateReceiveCount": receives},
	}
}

func TestConsume_FailedMessages(t *testing.T) {
	apply := applier(func(_ context.Context, r inbox.Receipt) (inbox.ApplyResult, error) {
		switch {
		case strings.HasSuffix(r.Key.Payout, "/2"):
			panic("boom")
		case strings.HasSuffix(r.Key.Payout, "/3"):
			return "", errors.New("store is down")
		}
		return inbox.ApplyChanged, nil
	})
	unreadable := message(t, "4", "1")
	unreadable.Body = `{"v":99}`
	queue := &postponed{}
	c := &consumer.Consumer{Inbox: apply, Queue: queue}
	deliveries := c.Consume(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
		message(t, "1", "1"), message(t, "2", "3"), message(t, "3", "9"), unreadable, message(t, "5", "1"),
	}})

	var failed []string
	for _, failure := range consumer.Response(deliveries).BatchItemFailures {
		failed = append(failed, failure.ItemIdentifier)
	}
	if want := []string{"message-2", "message-3", "message-4"}; !slices.Equal(failed, want) {
		t.Errorf("failures: got %v, want %v, by message id", failed, want)
	}
	waits := map[string]time.Duration{"handle-2": 2 * time.Minute, "handle-3": 15 * time.Minute, "handle-4": 0}
	if diff := cmp.Diff(waits, queue.waits); diff != "" {
		t.Errorf("waits of the failed messages (-want +got):\n%s", diff)
	}
	if deliveries[0].Outcome != inbox.ApplyChanged || deliveries[1].Err == nil || !deliveries[3].Unreadable {
		t.Errorf("deliveries: got %+v", deliveries)
	}
}

func TestConsume_Backoff(t *testing.T) {
	fail := applier(func(context.Context, inbox.Receipt) (inbox.ApplyResult, error) { return "", errors.New("down") })
	var got []time.Duration
	for _, receives := range []string{"1", "2", "3", "4", "5", "6", "100", "", "x"} {
		queue := &postponed{}
		c := &consumer.Consumer{Inbox: fail, Queue: queue}
		c.Consume(t.Context(), events.SQSEvent{Records: []events.SQSMessage{message(t, "1", receives)}})
		got = append(got, queue.waits["handle-1"]/time.Second)
	}
	want := []time.Duration{30, 60, 120, 240, 480, 900, 900, 30, 30}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v seconds", got, want)
	}
}

func TestConsume_StopsBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := applier(func(ctx context.Context, r inbox.Receipt) (inbox.ApplyResult, error) {
			if strings.HasSuffix(r.Key.Payout, "/1") {
				return inbox.ApplyChanged, nil
			}
			<-ctx.Done()
			return "", ctx.Err()
		})
		started := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		queue := &postponed{}
		c := &consumer.Consumer{Inbox: hang, Queue: queue}
		deliveries := c.Consume(ctx, events.SQSEvent{Records: []events.SQSMessage{message(t, "1", "1"), message(t, "2", "1")}})
		if took := time.Since(started); took != 28*time.Second {
			t.Errorf("took %s, want 28s of 30s", took)
		}
		failures := consumer.Response(deliveries).BatchItemFailures
		if len(failures) != 1 || failures[0].ItemIdentifier != "message-2" {
			t.Errorf("failures: got %v, want message-2 only", failures)
		}
		if queue.waits["handle-2"] != 30*time.Second {
			t.Errorf("the message that hung is postponed by %s, want 30s", queue.waits["handle-2"])
		}
	})
}

func TestResponse_NoFailures(t *testing.T) {
	if got := consumer.Response(nil).BatchItemFailures; got == nil {
		t.Error("got no list: Lambda takes that as a failure of the whole batch")
	}
}
