package dynamostore

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
)

// vectorReceipts returns the receipts of the vectors of both providers, held ones
// included.
func vectorReceipts(f *testing.F) []inbox.Receipt {
	var receipts []inbox.Receipt
	for _, provider := range []providertest.Provider{cregis.Provider{}, pivot.Provider{}} {
		folder := filepath.Join(templatetest.Root(f), "pkg", "provider", provider.Name(), "testdata")
		vectors, err := providertest.Load(os.DirFS(folder))
		if err != nil {
			f.Fatal(err)
		}
		for _, vector := range vectors {
			if len(vector.Body) < 4<<10 {
				request := callback.NewRequest(vector.Type, nil, vector.Body)
				sender := callback.Sender{Account: "922e39ab-7565-49f6-b84f-fb56122821ae", KeyID: "0a1b2c3d"}
				receipts = append(receipts, callback.NewReceipt(provider, provider.Restore(request, sender), now))
			}
		}
	}
	return receipts
}

// FuzzReceiptItem encodes and decodes receipts in each state.
func FuzzReceiptItem(f *testing.F) {
	for _, r := range vectorReceipts(f) {
		e := r.Event
		for n := range sources {
			f.Add(r.Key.Payout, string(e.Status), e.Reference, e.Reason, string(e.Amount), e.To, e.Memo, e.TxID, e.BlockHeight, e.BlockTime, e.Totals.Failed.Count,
				r.Body, n, now.UnixMilli())
		}
	}
	f.Fuzz(func(t *testing.T, account, status, reference, reason, amount, to, memo, txid string, height uint64, blockTime, count int64,
		body []byte, source int, millis int64,
	) {
		event := payout.Event{
			ID: payout.NewID("pivot", payout.TypePayout, account, "1", reference), Status: payout.Status(status),
			Reference: reference, Reason: reason, Amount: payout.Amount(amount), To: to, Memo: memo, TxID: txid,
			BlockHeight: height, BlockTime: blockTime, Totals: payout.Totals{Failed: payout.Tally{Count: count, Amount: "1.5"}},
			Deadline: millis, LinkedTo: payout.ID(memo),
		}
		if !isStatus(status) || !event.Amount.IsValid() || source < 0 || source >= len(sources) {
			return // no parser returns it
		}
		event.Source = sources[source]
		received := inbox.NewReceipt(event, body, "0a1b2c3d", now)
		applied := received
		applied.State, applied.Outcome, applied.AppliedAt, applied.DueAt = inbox.Applied, payout.Changed, now.Add(time.Second), time.Time{}
		held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: account, Subject: body, Reason: status, Note: memo, ProviderID: status, Reference: reference}, body, "", now)
		waiting, released, dismissed, answered := held, held, held, held
		released.Query, dismissed.Query, answered.Query = inbox.Schedule{}, inbox.Schedule{}, inbox.Schedule{}
		waiting.Query = inbox.Schedule{Tries: int(height % 100), AskedAt: now, Result: reason}
		released.State, released.ReleasedAs, released.ChangedBy = inbox.Released, received.Key, inbox.NewChangedBy(account, memo, now)
		dismissed.State, dismissed.ChangedBy = inbox.Dismissed, inbox.NewChangedBy(account, reason, now)
		answered.State, answered.ReleasedAs, answered.ChangedBy = inbox.Answered, received.Key, inbox.NewChangedBy(account, reason, now)
		for _, want := range []inbox.Receipt{received, applied, held, waiting, released, dismissed, answered} {
			encoded, err := encodeReceipt(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodeReceipt(encoded)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		}
	})
}

// isStatus reports whether a text can be a status in a key, where a slash ends it and a
// source may stand before it.
func isStatus(status string) bool {
	return status != "" && !slices.Contains([]byte(status), '/') && !slices.Contains(sources, payout.Source(status))
}

// FuzzItem decodes arbitrary items: none panics, a decoded receipt or record is the
// same after encoding and decoding, and an undecodable receipt is ErrDamagedReceipt.
func FuzzItem(f *testing.F) {
	for _, receipt := range vectorReceipts(f) {
		encoded, err := encodeReceipt(receipt)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(formatItem(f, encoded))
		record, _ := payout.Record{}.Apply(receipt.Event)
		for _, source := range sources {
			stated := receipt.Event
			stated.Source, stated.Deadline = source, now.UnixMilli()
			record, _ = record.Apply(stated)
		}
		record, _ = record.Resolve(payout.Resolution{ID: record.ID, Rejected: map[payout.Field][]string{payout.FieldAmount: {"1"}}})
		if encoded, err = encodeRecord(record, now); err != nil {
			f.Fatal(err)
		}
		f.Add(formatItem(f, encoded))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var plain map[string]any
		if json.Unmarshal(text, &plain) != nil {
			return
		}
		i := parseItem(plain)
		checkReceipt(t, i)
		checkRecord(t, i)
	})
}

func checkReceipt(t *testing.T, i item) {
	receipt, err := decodeReceipt(i)
	if err != nil {
		if !errors.Is(err, inbox.ErrDamagedReceipt) {
			t.Errorf("got %v, want ErrDamagedReceipt", err)
		}
		return
	}
	encoded, err := encodeReceipt(receipt)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := decodeReceipt(encoded)
	if diff := cmp.Diff(receipt, decoded, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("encoded and decoded: %v\n%s", err, diff)
	}
}

// checkRecord encodes and decodes a record twice: only the first time may drop
// attributes that are not part of a record.
func checkRecord(t *testing.T, i item) {
	record, err := decodeRecord(i)
	if err != nil {
		return
	}
	first := recode(t, record)
	if diff := cmp.Diff(first, recode(t, first), cmpopts.EquateEmpty()); diff != "" || first.Version != record.Version || first.ID != record.ID {
		t.Errorf("first and second time:\n%s", diff)
	}
}

func recode(t *testing.T, record payout.Record) payout.Record {
	encoded, err := encodeRecord(record, now)
	if err != nil {
		t.Fatal(err)
	}
	record, err = decodeRecord(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// formatItem and parseItem use the JSON of DynamoDB's API:
// {"payout": {"S": "…"}, "v": {"N": "1"}}.
func formatItem(f *testing.F, i item) []byte {
	text, err := json.Marshal(plainValue(&types.AttributeValueMemberM{Value: i})["M"])
	if err != nil {
		f.Fatal(err)
	}
	return text
}

func plainValue(value types.AttributeValue) map[string]any {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": value.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": value.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": value.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": string(value.Value)}
	case *types.AttributeValueMemberL:
		var list []any
		for _, element := range value.Value {
			list = append(list, plainValue(element))
		}
		return map[string]any{"L": list}
	case *types.AttributeValueMemberM:
		members := map[string]any{}
		for name, element := range value.Value {
			members[name] = plainValue(element)
		}
		return map[string]any{"M": members}
	}
	return map[string]any{"NULL": true}
}

func parseItem(plain map[string]any) item {
	i := item{}
	for name, value := range plain {
		if typed, ok := value.(map[string]any); ok && len(typed) == 1 {
			i[name] = parseValue(typed)
		}
	}
	return i
}

func parseValue(typed map[string]any) types.AttributeValue {
	kind := slices.Collect(maps.Keys(typed))[0]
	text, _ := typed[kind].(string)
	switch kind {
	case "S":
		return &types.AttributeValueMemberS{Value: text}
	case "N":
		return &types.AttributeValueMemberN{Value: text}
	case "BOOL":
		value, _ := typed[kind].(bool)
		return &types.AttributeValueMemberBOOL{Value: value}
	case "B":
		return &types.AttributeValueMemberB{Value: []byte(text)}
	case "L":
		list := &types.AttributeValueMemberL{}
		elements, _ := typed[kind].([]any)
		for _, element := range elements {
			if inner, ok := element.(map[string]any); ok && len(inner) == 1 {
				list.Value = append(list.Value, parseValue(inner))
			}
		}
		return list
	case "M":
		members, _ := typed[kind].(map[string]any)
		return &types.AttributeValueMemberM{Value: parseItem(members)}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}
