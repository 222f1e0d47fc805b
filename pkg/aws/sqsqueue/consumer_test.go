package sqsqueue_test

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
	"payout-callbacks/pkg/payout"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC)

func decodedReceipt(cid string) inbox.Receipt {
	id := payout.NewID("cregis", payout.TypePayout, "1382528827416576", cid, "")
	return inbox.NewReceipt(payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1"}, []byte(`{"cid":1}`), "0a1b2c3d", now)
}

type applier func(context.Context, inbox.Receipt) (inbox.ApplyResult, error)

func (a applier) Apply(ctx context.Context, r inbox.Receipt) (inbox.ApplyResult, error) {
	return a(ctx, r)
}

// postponed notes by which wait each message comes back.
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
	return events.SQSMessage{
		MessageId:     "message-" + cid,
		ReceiptHandle: "handle-" + cid,
		Body:          encode(t, decodedReceipt(cid)),
		Attributes:    map[string]string{"ApproximateReceiveCount": receives},
	}
}

func TestABadMessageFailsNoNeighbour(t *testing.T) {
	apply := applier(func(_ context.Context, r inbox.Receipt) (inbox.ApplyResult, error) {
		switch {
		case strings.HasSuffix(r.Key.Payout, "/2"):
			panic("boom")
		case strings.HasSuffix(r.Key.Payout, "/3"):
			return "", errors.New("store is down")
		}
		return inbox.ApplyChanged, nil
	})
	sqsMessage := message(t, "4", "1")
	sqsMessage.Body = `{"v":99}`
	queue := &postponed{}
	consumer := &sqsqueue.Consumer{Inbox: apply, Queue: queue}
	deliveries := consumer.Consume(t.Context(), events.SQSEvent{Records: []events.SQSMessage{
		message(t, "1", "1"), message(t, "2", "3"), message(t, "3", "9"), sqsMessage, message(t, "5", "1"),
	}})

	var failed []string
	for _, failure := range sqsqueue.Failures(deliveries).BatchItemFailures {
		failed = append(failed, failure.ItemIdentifier)
	}
	if want := []string{"message-2", "message-3", "message-4"}; !slices.Equal(failed, want) {
		t.Errorf("failures: got %v, want %v, by message id", failed, want)
	}
	waits := map[string]time.Duration{"handle-2": 2 * time.Minute, "handle-3": 15 * time.Minute, "handle-4": 0}
	if diff := cmp.Diff(waits, queue.waits); diff != "" {
		t.Errorf("what failed waits longer each time, what is foreign not at all:\n%s", diff)
	}
	if deliveries[0].Outcome != inbox.ApplyChanged || deliveries[1].Err == nil || !deliveries[3].Unreadable {
		t.Errorf("deliveries: got %+v", deliveries)
	}
}

func TestBackoffDoublesFromThirtySeconds(t *testing.T) {
	fail := applier(func(context.Context, inbox.Receipt) (inbox.ApplyResult, error) { return "", errors.New("down") })
	var got []time.Duration
	for _, receives := range []string{"1", "2", "3", "4", "5", "6", "100", "", "x"} {
		queue := &postponed{}
		consumer := &sqsqueue.Consumer{Inbox: fail, Queue: queue}
		consumer.Consume(t.Context(), events.SQSEvent{Records: []events.SQSMessage{message(t, "1", receives)}})
		got = append(got, queue.waits["handle-1"]/time.Second)
	}
	want := []time.Duration{30, 60, 120, 240, 480, 900, 900, 30, 30}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v seconds", got, want)
	}
}

func TestWorkStopsTwoSecondsBeforeTheDeadline(t *testing.T) {
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
		consumer := &sqsqueue.Consumer{Inbox: hang, Queue: queue}
		deliveries := consumer.Consume(ctx, events.SQSEvent{Records: []events.SQSMessage{message(t, "1", "1"), message(t, "2", "1")}})
		if took := time.Since(started); took != 28*time.Second {
			t.Errorf("took %s, want 28s of 30s", took)
		}
		failures := sqsqueue.Failures(deliveries).BatchItemFailures
		if len(failures) != 1 || failures[0].ItemIdentifier != "message-2" {
			t.Errorf("failures: got %v, want the one that hung", failures)
		}
		if queue.waits["handle-2"] != 30*time.Second {
			t.Errorf("the one that hung comes back after %s", queue.waits["handle-2"])
		}
	})
}

func TestNoFailuresIsAnEmptyListNotNull(t *testing.T) {
	if got := sqsqueue.Failures(nil).BatchItemFailures; got == nil {
		t.Error("Lambda reads a missing list as the failure of the whole batch")
	}
}

func TestDecodeRefusesWhatIsNotOurs(t *testing.T) {
	ours := encode(t, decodedReceipt("1"))
	for name, text := range map[string]string{
		"nothing":                     "",
		"not JSON":                    "hello",
		"another program's JSON":      `{"event":"x"}`,
		"a later schema version":      strings.Replace(ours, `"v":1`, `"v":2`, 1),
		"an altered amount":           strings.Replace(ours, `"1.1"`, `"1.2"`, 1),
		"an altered payout":           strings.Replace(ours, "1382528827416576/1", "1382528827416576/2", 1),
		"an altered status":           strings.Replace(ours, "succeeded/", "failed/", 1),
		"a receipt applied already":   strings.Replace(ours, `"received"`, `"applied"`, 1),
		"held under a payout's key":   strings.Replace(ours, `"received"`, `"held"`, 1),
		"trailing text":               ours + "{}",
		"an event without its fields": `{"v":1,"payout":"a/b/c/d","receipt":"succeeded/1x","state":"received","acceptedAt":1}`,
	} {
		if text == ours {
			t.Fatalf("%s: the case alters nothing", name)
		}
		if got, err := sqsqueue.Decode(text); err == nil {
			t.Errorf("%s: got %+v, want it refused", name, got)
		}
	}
}

// Such a message would panic in the merge of a batch, each time it came back.
func TestDecodeRefusesAnAmountThatIsNone(t *testing.T) {
	for name, event := range map[string]payout.Event{
		"amount": {ID: "cregis/payout/1/2", Status: payout.Succeeded, Amount: "x"},
		"totals": {ID: "pivot/batch/a/b", Status: payout.Done, Totals: payout.Totals{Failed: payout.Tally{Count: 1, Amount: "1e9"}}},
	} {
		if got, err := sqsqueue.Decode(encode(t, inbox.NewReceipt(event, nil, "", now))); err == nil {
			t.Errorf("%s: got %+v, want it refused", name, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, receipt := range []inbox.Receipt{
		decodedReceipt("1"),
		inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "a", Subject: []byte("s"), Reason: "r", Note: "n", ProviderID: "9"}, []byte("\xff"), "k", now),
		inbox.NewResolutionReceipt(payout.Resolution{ID: "a/b/c/d", Replaces: []string{"1x"}}, "why", now),
	} {
		text, err := sqsqueue.Encode(receipt)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		receipt, err := sqsqueue.Decode(text)
		if err != nil {
			return
		}
		again, err := sqsqueue.Decode(encode(t, receipt))
		if err != nil || again.Key != receipt.Key || !again.AcceptedAt.Equal(receipt.AcceptedAt) {
			t.Errorf("decoded, encoded and decoded again: %+v, %v, want %+v", again, err, receipt)
		}
	})
}
