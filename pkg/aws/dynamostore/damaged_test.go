package dynamostore

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/payout"
)

// Record.Status panics if an amount is not a number.
func TestDecodeRecord_InvalidAmount(t *testing.T) {
	tally := &types.AttributeValueMemberL{Value: []types.AttributeValue{number(3), text("x")}}
	damaged := item{
		"payout": text("pivot/batch/a/b"), "version": number(1), "v": number(schemaVersion),
		"settled": &types.AttributeValueMemberM{Value: item{"failed": tally}},
	}
	if record, err := decodeRecord(damaged); err == nil {
		t.Errorf("got %+v, want an error", record)
	}
}

// The sum of a batch has a digit more than the largest amount that is parsed.
func TestDecodeRecord_LargestSum(t *testing.T) {
	tally := payout.Tally{Count: 1, Amount: payout.Amount(strings.Repeat("9", 30) + "." + strings.Repeat("9", 30))}
	record, _ := payout.Record{}.Apply(payout.Event{
		ID: "pivot/batch/a/b", Status: payout.Done, Totals: payout.Totals{Pending: tally, Succeeded: tally, Failed: tally, Cancelled: tally},
	})
	encoded, err := encodeRecord(record, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeRecord(encoded); err != nil {
		t.Error(err)
	}
}
