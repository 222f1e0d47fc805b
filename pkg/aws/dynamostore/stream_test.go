package dynamostore

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/payout"
)

// An image of the stream decodes to the same record as the item does.
func TestDecodeImage_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		record := payout.Record{}
		for n := range rapid.IntRange(1, 12).Draw(t, "events") {
			record, _ = record.Apply(payout.Event{
				ID: "pivot/batch/a/b", Status: rapid.SampledFrom([]payout.Status{payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed}).Draw(t, "status"), Memo: fmt.Sprint(n), Reason: "why", BlockHeight: 1 << 63,
				Totals: payout.Totals{Failed: payout.Tally{Count: int64(n), Amount: "1.5"}},
			})
		}
		record, _ = record.Resolve(payout.Resolution{ID: record.ID, Trusted: map[payout.Field]string{payout.FieldMemo: "1"}})
		encoded, err := encodeRecord(record, now)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(imageFromItem(encoded))
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

func imageFromItem(i item) map[string]events.DynamoDBAttributeValue {
	image := map[string]events.DynamoDBAttributeValue{}
	for name, value := range i {
		image[name] = attributeFromValue(value)
	}
	return image
}

func attributeFromValue(value types.AttributeValue) events.DynamoDBAttributeValue {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(value.Value)
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(value.Value)
	case *types.AttributeValueMemberM:
		return events.NewMapAttribute(imageFromItem(value.Value))
	case *types.AttributeValueMemberL:
		var list []events.DynamoDBAttributeValue
		for _, element := range value.Value {
			list = append(list, attributeFromValue(element))
		}
		return events.NewListAttribute(list)
	}
	return events.NewNullAttribute()
}
