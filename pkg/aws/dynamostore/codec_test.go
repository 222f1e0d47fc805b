package dynamostore

import (
	"context"
	"errors"
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

func TestDecodeReceipt_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"", "a", "%/ ", "提币 ✓"})
		event := payout.Event{
			ID:     payout.NewID("pivot", payout.TypePayout, word.Draw(t, "account"), "1", word.Draw(t, "item")),
			Status: payout.Failed, Reason: word.Draw(t, "reason"), Memo: word.Draw(t, "memo"), To: word.Draw(t, "to"),
			BlockHeight: rapid.Uint64().Draw(t, "height"), BlockTime: rapid.Int64Min(0).Draw(t, "time"),
			Totals: payout.Totals{Failed: payout.Tally{Count: rapid.Int64Min(0).Draw(t, "count"), Amount: "1.5"}},
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

// Applied receipts leave the index, held ones have partitions of their own.
func TestEncodeReceipt_IndexAttributes(t *testing.T) {
	received := inbox.NewReceipt(payout.Event{ID: "cregis/payout/1/2", Status: payout.Succeeded}, nil, "", now)
	applied := received
	applied.State = inbox.Applied
	held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "a"}, nil, "", now)
	released, dismissed := held, held
	released.State, dismissed.State = inbox.Released, inbox.Dismissed
	for _, receipt := range []inbox.Receipt{received, applied, held, released, dismissed} {
		encoded, err := encodeReceipt(receipt)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if receipt.State == inbox.Received || receipt.State == inbox.Held {
			want = dueShard(receipt.Key, receipt.State)
		}
		if got := encoded.text("dueShard"); got != want {
			t.Errorf("%s: dueShard is %q, want %q", receipt.State, got, want)
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
	for _, name := range []string{"status", "reference", "conflicted", "none"} {
		encoded, err := encodeRecord(record, now)
		if err != nil {
			t.Fatal(err)
		}
		encoded[name] = text("another")
		s, err := storedPayout(encoded)
		if err != nil || errors.Is(s.Damage, inbox.ErrDamagedPayout) != (name != "none") {
			t.Errorf("%s: damage %v, %v", name, s.Damage, err)
		}
	}
	encoded, _ := encodeRecord(record, now)
	encoded["v"] = number(schemaVersion + 1)
	if _, err := storedPayout(encoded); err == nil || errors.Is(err, inbox.ErrDamagedPayout) {
		t.Errorf("later version: got %v, want an error, so that nothing overwrites it", err)
	}
}
