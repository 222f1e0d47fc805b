package publisher_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC)

// stream holds what the stream of the payouts table holds after some writes.
type stream struct {
	t       rapid.TB
	store   dynamostore.Store
	image   map[string]events.DynamoDBAttributeValue // written last
	records []events.DynamoDBEventRecord
	latest  map[payout.ID]payout.Record
	images  map[payout.ID]map[string]events.DynamoDBAttributeValue
	want    []string // ids of the notifications that must be published
}

func newStream(t rapid.TB) *stream {
	s := &stream{t: t, latest: map[payout.ID]payout.Record{}, images: map[payout.ID]map[string]events.DynamoDBAttributeValue{}}
	s.store = dynamostore.Store{Receipts: "receipts", Payouts: "payouts", Client: dynamodb.New(dynamodb.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient:  s,
		Retryer:     aws.NopRetryer{},
	})}
	return s
}

// Do takes the payout that a transaction writes.
func (s *stream) Do(request *http.Request) (*http.Response, error) {
	var transaction struct {
		TransactItems []struct {
			Put struct {
				TableName string
				Item      map[string]events.DynamoDBAttributeValue
			}
		}
	}
	if err := json.NewDecoder(request.Body).Decode(&transaction); err != nil {
		return nil, err
	}
	for _, item := range transaction.TransactItems {
		if item.Put.TableName == s.store.Payouts {
			s.image = item.Put.Item
		}
	}
	header := http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// apply merges an event into its payout and adds the write to the stream.
func (s *stream) apply(e payout.Event) *events.DynamoDBEventRecord {
	before := s.latest[e.ID]
	after, outcome := before.Apply(e)
	s.latest[e.ID] = after
	if n, ok := notification.FromChange(before, after, now); ok {
		s.want = append(s.want, n.ID)
	}
	receipt := inbox.NewReceipt(e, nil, "", now)
	receipt.State, receipt.Outcome, receipt.AppliedAt = inbox.Applied, outcome, now
	change := inbox.Change{Receipt: receipt, Create: true, Record: after, ExpectedVersion: before.Version}
	if _, err := s.store.Apply(context.Background(), change); err != nil {
		s.t.Fatal(err)
	}
	record := events.DynamoDBEventRecord{EventName: "MODIFY", Change: events.DynamoDBStreamRecord{
		Keys:           map[string]events.DynamoDBAttributeValue{"payout": events.NewStringAttribute(string(e.ID))},
		NewImage:       s.image,
		OldImage:       s.images[e.ID],
		SequenceNumber: fmt.Sprintf("%021d", len(s.records)+100),
	}}
	if before.Version == 0 {
		record.EventName = "INSERT"
	}
	s.images[e.ID] = s.image
	s.records = append(s.records, record)
	return &s.records[len(s.records)-1]
}

// deliver reads the stream as Lambda does: batch after batch, and again from the
// first failed record. It returns the number of batches.
func (s *stream) deliver(ctx context.Context, p *publisher.Publisher, size int) int {
	for next, batches := 0, 1; ; batches++ {
		batch := s.records[next:min(next+size, len(s.records))]
		failures := p.Publish(ctx, events.DynamoDBEvent{Records: batch}).Response().BatchItemFailures
		switch {
		case len(failures) > 1 || batches > 10_000:
			s.t.Fatalf("failures %v after %d batches", failures, batches)
		case len(failures) == 0:
			next += len(batch)
		default:
			at := slices.IndexFunc(batch, func(record events.DynamoDBEventRecord) bool {
				return record.Change.SequenceNumber == failures[0].ItemIdentifier
			})
			if at < 0 {
				s.t.Fatalf("%s is no sequence number of the batch", failures[0].ItemIdentifier)
			}
			next += at
		}
		if next == len(s.records) {
			return batches
		}
	}
}

// fakeBus is a Bus that records what it publishes. Its fail, if set, says how
// many notifications are published, and which ones behind the first that is not.
type fakeBus struct {
	fail      func(notifications []notification.Notification) (n int, behind []notification.Notification, err error)
	published []string
}

func (b *fakeBus) Publish(ctx context.Context, notifications []notification.Notification) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, behind, err := len(notifications), []notification.Notification(nil), error(nil)
	if b.fail != nil {
		n, behind, err = b.fail(notifications)
	}
	for _, n := range append(slices.Clone(notifications[:n]), behind...) {
		b.published = append(b.published, n.ID)
	}
	return n, err
}

// distinct returns the ids that were published, without repetitions.
func (b *fakeBus) distinct() []string {
	var first []string
	for _, id := range b.published {
		if !slices.Contains(first, id) {
			first = append(first, id)
		}
	}
	return first
}

var (
	errDown   = errors.New("the bus is down")
	anyStatus = rapid.SampledFrom([]payout.Status{payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed})
)

func newEvent(number int, status payout.Status) payout.Event {
	return payout.Event{ID: payout.NewID("cregis", payout.TypePayout, "7", fmt.Sprint(number), ""), Status: status, Amount: "1"}
}

// The bus fails at random, for all or some of the notifications, and publishes
// some behind a failure: each notification is published in the end, and no other.
func TestPublish_FailingBus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStream(t)
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			s.apply(newEvent(rapid.IntRange(1, 5).Draw(t, "payout"), anyStatus.Draw(t, "status")))
		}
		bus := &fakeBus{fail: func(notifications []notification.Notification) (int, []notification.Notification, error) {
			if rapid.IntRange(0, 2).Draw(t, "well") == 0 {
				return len(notifications), nil, nil
			}
			n := rapid.IntRange(0, len(notifications)-1).Draw(t, "taken")
			behind := notifications[n+1:]
			return n, behind[:rapid.IntRange(0, len(behind)).Draw(t, "behind")], errDown
		}}
		s.deliver(t.Context(), &publisher.Publisher{Bus: bus}, rapid.IntRange(1, 10).Draw(t, "batch"))
		got := bus.distinct()
		slices.Sort(got)
		want := slices.Sorted(slices.Values(s.want))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("notifications (-want +published):\n%s", diff)
		}
	})
}

func TestPublish_RetriesFromTheFailedRecord(t *testing.T) {
	s := newStream(t)
	for n := range 6 {
		s.apply(newEvent(n, payout.Pending)) // has no notification
		s.apply(newEvent(n, payout.Succeeded))
	}
	failures := 0
	bus := &fakeBus{fail: func(notifications []notification.Notification) (int, []notification.Notification, error) {
		if failures++; failures == 1 {
			return 2, nil, errDown
		}
		return len(notifications), nil, nil
	}}
	if batches := s.deliver(t.Context(), &publisher.Publisher{Bus: bus}, 100); batches != 2 {
		t.Errorf("%d batches, want 2", batches)
	}
	if diff := cmp.Diff(s.want, bus.published); diff != "" {
		t.Errorf("notifications, each once and in order (-want +got):\n%s", diff)
	}
}

// A record that cannot be decoded must not block those behind it: Lambda would
// deliver it again until it expires, a day later.
func TestPublish_SkipsUnreadableRecords(t *testing.T) {
	alter := func(name string, value events.DynamoDBAttributeValue) func(*events.DynamoDBStreamRecord) {
		return func(change *events.DynamoDBStreamRecord) { change.NewImage[name] = value }
	}
	for name, damage := range map[string]func(*events.DynamoDBStreamRecord){
		"no image":            func(change *events.DynamoDBStreamRecord) { change.NewImage = nil },
		"a later schema":      alter("v", events.NewNumberAttribute("3")),
		"no version":          alter("version", events.NewStringAttribute("1")),
		"no payout":           alter("payout", events.NewBinaryAttribute(nil)),
		"an invalid amount":   alter("claims", events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"amount": events.NewListAttribute([]events.DynamoDBAttributeValue{events.NewStringAttribute("1e9")})})),
		"a broken resolution": alter("resolutions", events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"x": events.NewStringAttribute("{")})),
	} {
		s := newStream(t)
		s.apply(newEvent(1, payout.Succeeded))
		damage(&s.apply(newEvent(2, payout.Succeeded)).Change)
		s.apply(newEvent(3, payout.Succeeded))
		bus := &fakeBus{}
		got := (&publisher.Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
		if len(got.Skipped) != 1 || !strings.Contains(got.Skipped[0].Error(), "cregis/payout/7/2") {
			t.Errorf("%s: skipped %v, want one error that names the payout", name, got.Skipped)
		}
		if want := []string{s.want[0], s.want[2]}; !cmp.Equal(want, bus.published) || !cmp.Equal(want, got.Published) || got.Err != nil {
			t.Errorf("%s: published %v, %v; want %v", name, bus.published, got.Err, want)
		}
		if failures := got.Response().BatchItemFailures; len(failures) > 0 {
			t.Errorf("%s: failures %v, want none", name, failures)
		}
	}
}

// A payout that was repaired is published as it is now.
func TestPublish_UnreadableOldImage(t *testing.T) {
	s := newStream(t)
	s.apply(newEvent(1, payout.Succeeded))
	s.records = nil
	record := s.apply(payout.Event{ID: newEvent(1, "").ID, Status: payout.Succeeded, Amount: "1", TxID: "0xabc"})
	record.Change.OldImage["v"] = events.NewNumberAttribute("3")
	bus := &fakeBus{}
	(&publisher.Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
	if !cmp.Equal(bus.published, []string{"cregis/payout/7/1#2"}) {
		t.Errorf("published %v", bus.published)
	}
}

// The schedule of queries is written beside the record.
func TestPublish_ScheduleChanged(t *testing.T) {
	s := newStream(t)
	record := s.apply(newEvent(1, payout.Succeeded))
	record.EventName, record.Change.OldImage = "MODIFY", maps.Clone(record.Change.NewImage)
	record.Change.NewImage["queryAt"] = events.NewNumberAttribute("1795252800000")
	bus := &fakeBus{}
	got := (&publisher.Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
	if len(bus.published) > 0 || len(got.Skipped) > 0 || got.Err != nil {
		t.Errorf("got %+v, published %v", got, bus.published)
	}
}

func TestPublish_DeletedPayout(t *testing.T) {
	s := newStream(t)
	s.apply(newEvent(1, payout.Succeeded))
	s.records[0].EventName, s.records[0].Change.OldImage, s.records[0].Change.NewImage = "REMOVE", s.records[0].Change.NewImage, nil
	bus := &fakeBus{}
	got := (&publisher.Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
	if len(bus.published) > 0 || len(got.Skipped) > 0 || !cmp.Equal(got.Removed, []string{"cregis/payout/7/1"}) {
		t.Errorf("got %+v, published %v", got, bus.published)
	}
}

func TestPublish_SkipsUnpublishableNotifications(t *testing.T) {
	s := newStream(t)
	for n := range 4 {
		s.apply(newEvent(n, payout.Succeeded))
	}
	bus := &fakeBus{fail: func(notifications []notification.Notification) (int, []notification.Notification, error) {
		at := slices.IndexFunc(notifications, func(n notification.Notification) bool { return n.ID == s.want[1] })
		if at < 0 {
			return len(notifications), nil, nil
		}
		return at, nil, fmt.Errorf("publish: %w", notification.ErrUnpublishable)
	}}
	got := (&publisher.Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
	if want := slices.Delete(slices.Clone(s.want), 1, 2); !cmp.Equal(bus.published, want) || len(got.Skipped) != 1 || got.Err != nil {
		t.Errorf("published %v, skipped %v, %v", bus.published, got.Skipped, got.Err)
	}
}

// I3: the function answers before Lambda ends it. Without an answer, the whole
// batch would be delivered again.
func TestPublish_StopsBeforeTheDeadline(t *testing.T) { synctest.Test(t, testPublishDeadline) }

func testPublishDeadline(t *testing.T) {
	s := newStream(t)
	s.apply(newEvent(1, payout.Succeeded))
	ctx, cancel := context.WithTimeout(t.Context(), 1999*time.Millisecond)
	defer cancel()
	bus := &fakeBus{}
	got := (&publisher.Publisher{Bus: bus}).Publish(ctx, events.DynamoDBEvent{Records: s.records})
	if len(bus.published) > 0 || got.Failed != 1 || len(got.Response().BatchItemFailures) != 1 || ctx.Err() != nil {
		t.Errorf("got %+v, published %v", got, bus.published)
	}
}
