package dynamostore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
)

// stream is what the stream of the payouts table holds after some writes.
type stream struct {
	t       rapid.TB
	records []events.DynamoDBEventRecord
	now     map[payout.ID]payout.Record
	want    []string // ids of the notices that are due
}

func newStream(t rapid.TB) *stream { return &stream{t: t, now: map[payout.ID]payout.Record{}} }

// tell merges an event into its payout and lets the table's stream know.
func (s *stream) send(e payout.Event) *events.DynamoDBEventRecord {
	before := s.now[e.ID]
	after, _ := before.Apply(e)
	s.now[e.ID] = after
	if n, ok := notification.FromChange(before, after, now); ok {
		s.want = append(s.want, n.ID)
	}
	record := events.DynamoDBEventRecord{EventName: "MODIFY", Change: events.DynamoDBStreamRecord{
		Keys:           map[string]events.DynamoDBAttributeValue{"payout": events.NewStringAttribute(string(e.ID))},
		NewImage:       s.image(after),
		SequenceNumber: fmt.Sprintf("%021d", len(s.records)+100),
	}}
	if before.Version == 0 {
		record.EventName = "INSERT"
	} else {
		record.Change.OldImage = s.image(before)
	}
	s.records = append(s.records, record)
	return &s.records[len(s.records)-1]
}

func (s *stream) image(record payout.Record) map[string]events.DynamoDBAttributeValue {
	encoded, err := encodeRecord(record, now)
	if err != nil {
		s.t.Fatal(err)
	}
	return imageOf(encoded)
}

func imageOf(i item) map[string]events.DynamoDBAttributeValue {
	image := map[string]events.DynamoDBAttributeValue{}
	for name, value := range i {
		image[name] = attributeOf(value)
	}
	return image
}

func attributeOf(value types.AttributeValue) events.DynamoDBAttributeValue {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(value.Value)
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(value.Value)
	case *types.AttributeValueMemberM:
		return events.NewMapAttribute(imageOf(value.Value))
	case *types.AttributeValueMemberL:
		var list []events.DynamoDBAttributeValue
		for _, element := range value.Value {
			list = append(list, attributeOf(element))
		}
		return events.NewListAttribute(list)
	}
	return events.NewNullAttribute()
}

// deliver does what Lambda does with the stream: batch after batch, and from the
// first failed record again. It returns how many batches that took.
func (s *stream) deliver(ctx context.Context, p *Publisher, size int) int {
	for next, batches := 0, 1; ; batches++ {
		batch := s.records[next:min(next+size, len(s.records))]
		failures := p.Publish(ctx, events.DynamoDBEvent{Records: batch}).Response().BatchItemFailures
		switch {
		case len(failures) > 1 || batches > 10_000:
			s.t.Fatalf("failures %v after %d batches", failures, batches)
		case len(failures) == 0:
			next += len(batch)
		default:
			at := slices.IndexFunc(batch, func(dynamoDBEventRecord events.DynamoDBEventRecord) bool {
				return dynamoDBEventRecord.Change.SequenceNumber == failures[0].ItemIdentifier
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

// fakeBus takes what fail lets through.
type fakeBus struct {
	fail  func(notices []notification.Notification) (n int, behind []notification.Notification, err error)
	taken []string
}

func (b *fakeBus) Publish(ctx context.Context, notices []notification.Notification) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, behind, err := len(notices), []notification.Notification(nil), error(nil)
	if b.fail != nil {
		n, behind, err = b.fail(notices)
	}
	for _, value := range append(slices.Clone(notices[:n]), behind...) {
		b.taken = append(b.taken, value.ID)
	}
	return n, err
}

// distinct is what was taken, each once, in the order of the first time.
func (b *fakeBus) distinct() []string {
	var first []string
	for _, value := range b.taken {
		if !slices.Contains(first, value) {
			first = append(first, value)
		}
	}
	return first
}

var (
	errDown    = errors.New("the bus is down")
	someStatus = rapid.SampledFrom([]payout.Status{payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed})
)

func told1(number int, status payout.Status) payout.Event {
	return payout.Event{ID: payout.NewID("cregis", payout.TypePayout, "7", fmt.Sprint(number), ""), Status: status, Amount: "1"}
}

// A bus that fails now and then, wholly or in part, and takes what lies behind a
// failure or does not: each notice that is due arrives, and no other.
func TestEveryNoticeArrivesHoweverTheBusFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStream(t)
		for range rapid.IntRange(1, 40).Draw(t, "facts") {
			s.send(told1(rapid.IntRange(1, 5).Draw(t, "payout"), someStatus.Draw(t, "status")))
		}
		bus := &fakeBus{fail: func(notices []notification.Notification) (int, []notification.Notification, error) {
			if rapid.IntRange(0, 2).Draw(t, "well") == 0 {
				return len(notices), nil, nil
			}
			n := rapid.IntRange(0, len(notices)-1).Draw(t, "taken")
			behind := notices[n+1:]
			return n, behind[:rapid.IntRange(0, len(behind)).Draw(t, "behind")], errDown
		}}
		s.deliver(t.Context(), &Publisher{Bus: bus}, rapid.IntRange(1, 10).Draw(t, "batch"))
		got := bus.distinct()
		slices.Sort(got)
		want := slices.Sorted(slices.Values(s.want))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("notices (-due +arrived):\n%s", diff)
		}
	})
}

func TestWhatWasPublishedBeforeAFailureIsNotToldAgain(t *testing.T) {
	s := newStream(t)
	for n := range 6 {
		s.send(told1(n, payout.Pending)) // tells nothing
		s.send(told1(n, payout.Succeeded))
	}
	failures := 0
	bus := &fakeBus{fail: func(notices []notification.Notification) (int, []notification.Notification, error) {
		if failures++; failures == 1 {
			return 2, nil, errDown
		}
		return len(notices), nil, nil
	}}
	if batches := s.deliver(t.Context(), &Publisher{Bus: bus}, 100); batches != 2 {
		t.Errorf("%d batches, want 2", batches)
	}
	if diff := cmp.Diff(s.want, bus.taken); diff != "" {
		t.Errorf("notices, each once and in order (-want +got):\n%s", diff)
	}
}

// A record that nobody can read must not hold up those behind it: Lambda would
// deliver it again and again until the stream forgets it, a day later.
func TestWhatCannotBeReadIsPassedOverAndToldOf(t *testing.T) {
	alter := func(name string, value events.DynamoDBAttributeValue) func(*events.DynamoDBStreamRecord) {
		return func(change *events.DynamoDBStreamRecord) { change.NewImage[name] = value }
	}
	for name, damage := range map[string]func(*events.DynamoDBStreamRecord){
		"no image":             func(change *events.DynamoDBStreamRecord) { change.NewImage = nil },
		"a later schema":       alter("v", events.NewNumberAttribute("2")),
		"no version":           alter("version", events.NewStringAttribute("1")),
		"no payout":            alter("payout", events.NewBinaryAttribute(nil)),
		"an amount that is no": alter("claims", events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"amount": events.NewListAttribute([]events.DynamoDBAttributeValue{events.NewStringAttribute("1e9")})})),
		"a broken resolution":  alter("resolutions", events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"x": events.NewStringAttribute("{")})),
	} {
		s := newStream(t)
		s.send(told1(1, payout.Succeeded))
		damage(&s.send(told1(2, payout.Succeeded)).Change)
		s.send(told1(3, payout.Succeeded))
		bus := &fakeBus{}
		got := (&Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
		if len(got.Unclear) != 1 || !strings.Contains(got.Unclear[0].Error(), "cregis/payout/7/2") {
			t.Errorf("%s: unclear %v, want one that names the payout", name, got.Unclear)
		}
		if want := []string{s.want[0], s.want[2]}; !cmp.Equal(want, bus.taken) || !cmp.Equal(want, got.Published) || got.Err != nil {
			t.Errorf("%s: published %v, %v; want %v", name, bus.taken, got.Err, want)
		}
		if failures := got.Response().BatchItemFailures; len(failures) > 0 {
			t.Errorf("%s: the stream waits for %v", name, failures)
		}
	}
}

// Of a record that was repaired, what it shows now is told.
func TestAnOldImageThatCannotBeReadCountsAsNone(t *testing.T) {
	s := newStream(t)
	s.send(told1(1, payout.Succeeded))
	s.records = nil
	record := s.send(payout.Event{ID: told1(1, "").ID, Status: payout.Succeeded, Amount: "1", TxID: "0xabc"})
	record.Change.OldImage["v"] = events.NewNumberAttribute("2")
	bus := &fakeBus{}
	(&Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
	if !cmp.Equal(bus.taken, []string{"cregis/payout/7/1#2"}) {
		t.Errorf("published %v", bus.taken)
	}
}

func TestADeletedPayoutIsNoNotice(t *testing.T) {
	s := newStream(t)
	s.send(told1(1, payout.Succeeded))
	s.records[0].EventName, s.records[0].Change.OldImage, s.records[0].Change.NewImage = "REMOVE", s.records[0].Change.NewImage, nil
	bus := &fakeBus{}
	got := (&Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
	if len(bus.taken) > 0 || len(got.Unclear) > 0 || !cmp.Equal(got.Removed, []string{"cregis/payout/7/1"}) {
		t.Errorf("got %+v, published %v", got, bus.taken)
	}
}

func TestANoticeThatNoBusTakesIsPassedOver(t *testing.T) {
	s := newStream(t)
	for n := range 4 {
		s.send(told1(n, payout.Succeeded))
	}
	bus := &fakeBus{fail: func(notices []notification.Notification) (int, []notification.Notification, error) {
		at := slices.IndexFunc(notices, func(value notification.Notification) bool { return value.ID == s.want[1] })
		if at < 0 {
			return len(notices), nil, nil
		}
		return at, nil, fmt.Errorf("notice: %w", notification.ErrUnpublishable)
	}}
	got := (&Publisher{Bus: bus}).Publish(t.Context(), events.DynamoDBEvent{Records: s.records})
	if want := slices.Delete(slices.Clone(s.want), 1, 2); !cmp.Equal(bus.taken, want) || len(got.Unclear) != 1 || got.Err != nil {
		t.Errorf("published %v, unclear %v, %v", bus.taken, got.Unclear, got.Err)
	}
}

// I3: a batch is not worked on until Lambda ends the function, because then
// nobody says from where to go on.
func TestTimeIsKeptForTheAnswer(t *testing.T) { synctest.Test(t, timeIsKept) }

func timeIsKept(t *testing.T) {
	s := newStream(t)
	s.send(told1(1, payout.Succeeded))
	ctx, cancel := context.WithTimeout(t.Context(), reserve-time.Millisecond)
	defer cancel()
	bus := &fakeBus{}
	got := (&Publisher{Bus: bus}).Publish(ctx, events.DynamoDBEvent{Records: s.records})
	if len(bus.taken) > 0 || got.Failed != 1 || len(got.Response().BatchItemFailures) != 1 || ctx.Err() != nil {
		t.Errorf("got %+v, published %v", got, bus.taken)
	}
}

// A record is the same by the stream as by a read of the table.
func TestAnImageIsReadAsTheItemIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		record := payout.Record{}
		for n := range rapid.IntRange(1, 12).Draw(t, "facts") {
			record, _ = record.Apply(payout.Event{
				ID: "pivot/batch/a/b", Status: someStatus.Draw(t, "status"), Memo: fmt.Sprint(n), Reason: "why", BlockHeight: 1 << 63,
				Totals: payout.Totals{Failed: payout.Tally{Count: int64(n), Amount: "1.5"}},
			})
		}
		record, _ = record.Resolve(payout.Resolution{ID: record.ID, Trusted: map[payout.Field]string{payout.FieldMemo: "1"}})
		encoded, err := encodeRecord(record, now)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(imageOf(encoded))
		if err != nil {
			t.Fatal(err)
		}
		var image map[string]events.DynamoDBAttributeValue
		if err := json.Unmarshal(text, &image); err != nil {
			t.Fatal(err)
		}
		got, err := decodeImage(image)
		if diff := cmp.Diff(Stored{Record: record, UpdatedAt: now}, got); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}
