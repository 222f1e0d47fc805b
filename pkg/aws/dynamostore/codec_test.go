package dynamostore

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC)

// sources has the source of a callback as parsers state it.
var sources = []payout.Source{"", payout.SourceQuery, payout.SourceExpectation, payout.SourceResolution, payout.SourceReconciler}

func TestDecodeReceipt_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"", "a", "%/ ", "提币 ✓"})
		event := payout.Event{
			ID:     payout.NewID("pivot", payout.TypePayout, word.Draw(t, "account"), "1", word.Draw(t, "item")),
			Status: payout.Failed, Reason: word.Draw(t, "reason"), Memo: word.Draw(t, "memo"), To: word.Draw(t, "to"),
			BlockHeight: rapid.Uint64().Draw(t, "height"), BlockTime: rapid.Int64Min(0).Draw(t, "time"),
			Totals: payout.Totals{Failed: payout.Tally{Count: rapid.Int64Min(0).Draw(t, "count"), Amount: "1.5"}},
			Source: rapid.SampledFrom(sources).Draw(t, "source"), Deadline: rapid.Int64().Draw(t, "deadline"),
			LinkedTo: payout.ID(word.Draw(t, "linked")),
		}
		want := inbox.NewReceipt(event, rapid.SliceOf(rapid.Byte()).Draw(t, "body"), "0a1b2c3d", now)
		encoded, err := encodeReceipt(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeReceipt(encoded)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func TestDecodeReceipt_Damaged(t *testing.T) {
	encoded, err := encodeReceipt(inbox.NewReceipt(payout.Event{ID: "cregis/payout/1/2", Status: payout.Succeeded, Amount: "1"}, nil, "", now))
	if err != nil {
		t.Fatal(err)
	}
	encoded.setText("amount", "2")
	if _, err := decodeReceipt(encoded); !errors.Is(err, inbox.ErrDamagedReceipt) {
		t.Errorf("got %v, want ErrDamagedReceipt: the key is for another amount", err)
	}
}

func TestDecodeRecord_LaterSchemaVersion(t *testing.T) {
	record, _ := payout.Record{}.Apply(payout.Event{ID: "cregis/payout/1/2", Status: payout.Succeeded})
	encoded, err := encodeRecord(record, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeRecord(encoded); err != nil {
		t.Fatal(err)
	}
	encoded["v"] = number(schemaVersion + 1)
	if _, err := decodeRecord(encoded); err == nil {
		t.Error("got no error: a write would lose what this version does not know")
	}
}

func TestDecodeRecord_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]payout.ID{"cregis/payout/1/2", "pivot/batch/1/2"}).Draw(t, "id")
		statuses := rapid.SampledFrom([]payout.Status{
			payout.Expected, payout.Pending, payout.Succeeded, payout.Failed, payout.Done, payout.Cancelled, payout.Overdue, payout.Linked,
		})
		tries := rapid.IntRange(0, 20)
		var record payout.Record
		for range rapid.IntRange(1, 5).Draw(t, "events") {
			record, _ = record.Apply(payout.Event{
				ID: id, Source: rapid.SampledFrom(sources).Draw(t, "source"), Status: statuses.Draw(t, "status"),
				Amount: rapid.SampledFrom([]payout.Amount{"", "1", "1.5"}).Draw(t, "amount"), Reason: rapid.SampledFrom([]string{"", "open", "why"}).Draw(t, "reason"),
				Totals:   payout.Totals{Succeeded: payout.Tally{Count: rapid.Int64Range(0, 3).Draw(t, "count"), Amount: "1"}},
				Deadline: rapid.Int64Range(0, 3).Draw(t, "deadline"),
			})
		}
		schedule := inbox.Schedule{Tries: tries.Draw(t, "tries"), Result: rapid.SampledFrom([]string{"", "answered"}).Draw(t, "result")}
		if rapid.Bool().Draw(t, "isScheduled") {
			schedule.At, schedule.AskedAt, schedule.Confirms = now.Add(time.Hour), now, rapid.Bool().Draw(t, "confirms")
		}
		encoded, err := encodeRecord(record, now)
		if err != nil {
			t.Fatal(err)
		}
		encodeSchedule(encoded, record.ID, schedule)
		got, err := decodeStored(encoded)
		want := Stored{Record: record, Schedule: schedule, UpdatedAt: now}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
		if damage := checkDerived(encoded, record); damage != nil {
			t.Error(damage)
		}
	})
}

// A payout that is not in its place of the index is never found due.
func TestDecodeSchedule_NoIndexEntry(t *testing.T) {
	want := inbox.Schedule{At: now, Confirms: true, Tries: 2, AskedAt: now.Add(-time.Hour), Result: "not-found"}
	for attribute, values := range map[string][]string{
		"queryShard": {"", "17"}, "queryOrder": {"", "cregis/2/confirm/001795770000000", "cregis/1/confirm/1795770000000", "cregis/1/other/001795770000000"},
	} {
		encoded := item{"payout": text("cregis/payout/1/2")}
		encodeSchedule(encoded, "cregis/payout/1/2", want)
		if got := decodeSchedule(encoded); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		for _, value := range values {
			changed := maps.Clone(encoded)
			changed[attribute] = text(value)
			if got := decodeSchedule(changed); !got.At.IsZero() || got.Tries != want.Tries {
				t.Errorf("%s %q: got %+v, want no time", attribute, value, got)
			}
		}
	}
}

// ScanReceipts decodes receipts without the attributes that it does not read.
func TestWithoutBody_AllOtherAttributes(t *testing.T) {
	held := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Type: payout.TypePayout, Account: "a", Reason: "field", Note: "n", ProviderID: "1", Reference: "r",
	}, []byte("b"), "k", now)
	held.Query = inbox.Schedule{At: now, Tries: 1, AskedAt: now, Result: "answered"}
	answered := held
	answered.State, answered.ReleasedAs, answered.ChangedBy = inbox.Answered, inbox.Key{Payout: "p", Receipt: "r"}, inbox.NewChangedBy("a", "b", now)
	event := payout.Event{
		ID: "cregis/payout/1/2", Source: payout.SourceQuery, Reference: "r", Status: payout.Failed, Reason: "r", Amount: "1", Currency: "c", Chain: "c",
		Token: "t", From: "f", To: "t", Memo: "m", TxID: "t", BlockHeight: 1, BlockTime: 1, Totals: payout.Totals{Failed: payout.Tally{Count: 1, Amount: "1"}},
		Deadline: 1, LinkedTo: "cregis/payout/1/3",
	}
	received := inbox.NewReceipt(event, []byte("b"), "k", now)
	applied := received
	applied.State, applied.Outcome, applied.AppliedAt = inbox.Applied, payout.Conflict, now
	resolution := inbox.NewResolutionReceipt(payout.Resolution{ID: "cregis/payout/1/2"}, "n", now)
	read := map[string]bool{"body": true, "note": true}
	for _, name := range withoutBody {
		read[name] = true
	}
	for _, receipt := range []inbox.Receipt{held, answered, received, applied, resolution} {
		encoded, err := encodeReceipt(receipt)
		if err != nil {
			t.Fatal(err)
		}
		for name := range encoded {
			if !read[name] {
				t.Errorf("%s: withoutBody does not have %s", receipt.State, name)
			}
		}
	}
}

// Applied receipts leave the index, held ones have partitions of their own.
func TestEncodeReceipt_IndexAttributes(t *testing.T) {
	received := inbox.NewReceipt(payout.Event{ID: "cregis/payout/1/2", Status: payout.Succeeded}, nil, "", now)
	applied := received
	applied.State = inbox.Applied
	held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "a"}, nil, "", now)
	asked, released, dismissed, answered := held, held, held, held
	asked.Query.At = now.Add(time.Hour)
	released.State, dismissed.State, answered.State = inbox.Released, inbox.Dismissed, inbox.Answered
	for _, receipt := range []inbox.Receipt{received, applied, held, asked, released, dismissed, answered} {
		encoded, err := encodeReceipt(receipt)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if receipt.State == inbox.Received || receipt.State == inbox.Held {
			want = dueShard(receipt.Key, receipt.State)
		}
		if !receipt.Query.At.IsZero() {
			want = dueShard(receipt.Key, heldQuery)
		}
		if got := encoded.text("dueShard"); got != want {
			t.Errorf("%s: dueShard is %q, want %q", receipt.State, got, want)
		}
		if !hasIndexEntry(encoded, receipt) {
			t.Errorf("%s: the index does not match", receipt.State)
		}
		encoded.setText("dueShard", "held-query/17")
		if decoded, err := decodeReceipt(encoded); err != nil || hasIndexEntry(encoded, decoded) {
			t.Errorf("%s in another shard: %v, want the index not to match", receipt.State, err)
		}
	}
}

func cancelled(codes ...string) error {
	var reasons []types.CancellationReason
	for _, code := range codes {
		reasons = append(reasons, types.CancellationReason{Code: aws.String(code)})
	}
	return &types.TransactionCanceledException{CancellationReasons: reasons}
}

func TestRetryContention_Errors(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"no error":                  {nil, 1},
		"another transaction":       {cancelled("None", "TransactionConflict"), 6},
		"the same transaction runs": {&types.TransactionInProgressException{}, 6},
		"a failed condition":        {cancelled("ConditionalCheckFailed", "None"), 1},
		"throttled":                 {cancelled("None", "ThrottlingError"), 1},
		"a transport error":         {errors.New("connection reset"), 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			err := retryContention(t.Context(), func() error {
				tries++
				return test.err
			})
			if tries != test.want || !errors.Is(err, test.err) {
				t.Errorf("%s: %d tries, %v, want %d", name, tries, err, test.want)
			}
		})
	}
}

func TestRetryContention_ContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		tries := 0
		err := retryContention(ctx, func() error {
			tries++
			return cancelled("TransactionConflict", "None")
		})
		if tries != 1 || err == nil {
			t.Errorf("%d tries, %v, want 1", tries, err)
		}
	})
}

func TestConditionFailed_Reasons(t *testing.T) {
	for name, test := range map[string]struct {
		err         error
		isCondition bool
	}{
		"both conditions":            {cancelled("ConditionalCheckFailed", "ConditionalCheckFailed"), true},
		"the receipt's condition":    {cancelled("ConditionalCheckFailed", "None"), true},
		"a condition and a conflict": {cancelled("ConditionalCheckFailed", "TransactionConflict"), false},
		"item too large":             {cancelled("None", "ValidationError"), false},
		"no reasons":                 {cancelled(), false},
		"an outage":                  {errors.New("down"), false},
	} {
		failed, err := conditionFailed(test.err)
		if test.isCondition != (failed != nil) || test.isCondition != (err == nil) {
			t.Errorf("%s: got %+v, %v", name, failed, err)
		}
	}
	if failed, err := conditionFailed(nil); failed != nil || err != nil {
		t.Errorf("no error: got %+v, %v", failed, err)
	}
}

// A consumer of a version without released and dismissed receipts reads them as
// other states than received: a second delivery is a duplicate.
func TestStateFromItem_ClosedReceipt(t *testing.T) {
	held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "a"}, nil, "", now)
	held.State = inbox.Dismissed
	encoded, err := encodeReceipt(held)
	if err != nil || stateFromItem(encoded) != inbox.Dismissed {
		t.Errorf("got %q, %v", stateFromItem(encoded), err)
	}
}

// Readers of the table and of its stream rely on the derived attributes.
func TestStoredPayout_WrongDerivedAttribute(t *testing.T) {
	record, _ := payout.Record{}.Apply(payout.Event{ID: "cregis/payout/1/2", Status: payout.Succeeded, Reference: "r"})
	overdue, _ := payout.Record{}.Apply(payout.Event{ID: "cregis/payout/1/2", Source: payout.SourceExpectation, Status: payout.Expected})
	overdue, _ = overdue.Apply(payout.Event{ID: "cregis/payout/1/2", Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "open"})
	confirmed, _ := record.Apply(payout.Event{ID: "cregis/payout/1/2", Source: payout.SourceQuery, Status: payout.Succeeded})
	for _, record := range []payout.Record{record, overdue, confirmed} {
		for _, name := range append([]string{"none"}, derived...) {
			encoded, err := encodeRecord(record, now)
			if err != nil {
				t.Fatal(err)
			}
			right := encoded[name]
			for _, wrong := range []types.AttributeValue{text("another"), &types.AttributeValueMemberBOOL{Value: true}, nil} {
				isRight := name == "none" || reflect.DeepEqual(wrong, right)
				if encoded[name] = wrong; wrong == nil {
					delete(encoded, name)
				}
				s, err := storedPayout(encoded)
				if err != nil || errors.Is(s.Damage, inbox.ErrDamagedPayout) == isRight {
					t.Errorf("%s of %s is %v: damage %v, %v", name, record.Status(), wrong, s.Damage, err)
				}
			}
		}
	}
	encoded, _ := encodeRecord(record, now)
	encoded["v"] = number(schemaVersion + 1)
	if _, err := storedPayout(encoded); err == nil || errors.Is(err, inbox.ErrDamagedPayout) {
		t.Errorf("later version: got %v, want an error, so that nothing overwrites it", err)
	}
}

// The attributes are part of the outward contract: people and rules read them.
func TestEncodeRecord_DerivedAttributes(t *testing.T) {
	const id = "cregis/payout/1/2"
	expected := payout.Event{ID: id, Source: payout.SourceExpectation, Status: payout.Expected}
	overdue := payout.Event{ID: id, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "open"}
	succeeded := payout.Event{ID: id, Source: payout.SourceQuery, Status: payout.Succeeded}
	isTrue := &types.AttributeValueMemberBOOL{Value: true}
	reasons := &types.AttributeValueMemberL{Value: []types.AttributeValue{text("open")}}
	for name, test := range map[string]struct {
		events []payout.Event
		want   item
	}{
		"a callback":        {[]payout.Event{{ID: id, Status: payout.Succeeded}}, item{"status": text("succeeded")}},
		"expected":          {[]payout.Event{expected}, item{"status": text("expected"), "expected": isTrue}},
		"overdue":           {[]payout.Event{expected, overdue}, item{"status": text("expected"), "expected": isTrue, "overdue": text("overdue"), "overdueReasons": reasons}},
		"final and overdue": {[]payout.Event{expected, overdue, succeeded}, item{"status": text("succeeded"), "expected": isTrue, "confirmed": isTrue, "overdueReasons": reasons}},
	} {
		var record payout.Record
		for _, event := range test.events {
			record, _ = record.Apply(event)
		}
		encoded, err := encodeRecord(record, now)
		if err != nil {
			t.Fatal(err)
		}
		got := item{}
		for _, name := range append([]string{"overdueReasons"}, derived...) {
			if encoded[name] != nil {
				got[name] = encoded[name]
			}
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
