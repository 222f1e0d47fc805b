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

func TestReceiptsSurviveTheCodec(t *testing.T) {
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

func TestADamagedReceiptIsNotRead(t *testing.T) {
	encoded, err := encodeReceipt(inbox.NewReceipt(payout.Event{ID: "cregis/payout/1/2", Status: payout.Succeeded, Amount: "1"}, nil, "", now))
	if err != nil {
		t.Fatal(err)
	}
	encoded.setText("amount", "2")
	if _, err := decodeReceipt(encoded); !errors.Is(err, inbox.ErrDamagedReceipt) {
		t.Errorf("got %v, want it refused: the key says another amount", err)
	}
}

func TestARecordOfALaterSchemaVersionIsNotMergedInto(t *testing.T) {
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
		t.Error("it was read, and what we do not know of it would be lost")
	}
}

// The index must let go of what is applied and keep held ones out of the way.
func TestOnlyUnappliedReceiptsStandInTheIndex(t *testing.T) {
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
			t.Errorf("%s: due in %q, want %q", receipt.State, got, want)
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

func TestOnlyContentionIsTriedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"done":                       {nil, 1},
		"another transaction":        {cancelled("None", "TransactionConflict"), 6},
		"the same one is under way":  {&types.TransactionInProgressException{}, 6},
		"a refused condition":        {cancelled("ConditionalCheckFailed", "None"), 1},
		"throttled inside":           {cancelled("None", "ThrottlingError"), 1},
		"a failure of the transport": {errors.New("connection reset"), 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			err := retryContention(t.Context(), func() error {
				tries++
				return test.err
			})
			if tries != test.want || !errors.Is(err, test.err) {
				t.Errorf("%s: tried %d times, %v, want %d", name, tries, err, test.want)
			}
		})
	}
}

func TestContentionIsNotTriedBeyondTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		tries := 0
		err := retryContention(ctx, func() error {
			tries++
			return cancelled("TransactionConflict", "None")
		})
		if tries != 1 || err == nil {
			t.Errorf("tried %d times, %v, want once", tries, err)
		}
	})
}

func TestRefusalsAreToldFromFailures(t *testing.T) {
	for name, test := range map[string]struct {
		err     error
		refused bool
	}{
		"both refused":             {cancelled("ConditionalCheckFailed", "ConditionalCheckFailed"), true},
		"the receipt refused":      {cancelled("ConditionalCheckFailed", "None"), true},
		"one refused, one failed":  {cancelled("ConditionalCheckFailed", "TransactionConflict"), false},
		"too large an item":        {cancelled("None", "ValidationError"), false},
		"cancelled without a word": {cancelled(), false},
		"an outage":                {errors.New("down"), false},
	} {
		refusal, err := conditionFailed(test.err)
		if test.refused != (refusal != nil) || test.refused != (err == nil) {
			t.Errorf("%s: got %+v, %v", name, refusal, err)
		}
	}
	if refusal, err := conditionFailed(nil); refusal != nil || err != nil {
		t.Errorf("no error: got %+v, %v", refusal, err)
	}
}

// A program that knows nothing of released and dismissed receipts meets them as
// states that are not its own: told again, they are duplicates.
func TestWhatAnOlderConsumerMeetsOfAClosedReceiptIsItsState(t *testing.T) {
	held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "a"}, nil, "", now)
	held.State = inbox.Dismissed
	encoded, err := encodeReceipt(held)
	if err != nil || stateOf(encoded) != inbox.Dismissed {
		t.Errorf("met as %q, %v", stateOf(encoded), err)
	}
}

// Whoever reads the table or its stream goes by what is stored beside the parts.
func TestAPayoutThatShowsWhatItDoesNotHoldIsDamaged(t *testing.T) {
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
		t.Errorf("of a later version: %v, want an error, so that nobody writes over it", err)
	}
}
