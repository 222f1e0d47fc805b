package dynamostore

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// change is what became of one payout: a record that knows nothing comes before
// the first.
type change struct{ before, after Stored }

var errNoRecord = errors.New("it is no record of a payout")

// decodeChange reads a record of the stream of the payouts table, which brings
// both images. An old image that cannot be read counts as none: the change then
// looks like a first one, and is told rather than lost.
func decodeChange(record events.DynamoDBEventRecord) (change, error) {
	after, err := decodeImage(record.Change.NewImage)
	if err != nil {
		return change{}, fmt.Errorf("new image of payout %s: %w", payoutOf(record), err)
	}
	before, err := decodeImage(record.Change.OldImage)
	if err != nil {
		before = Stored{}
	}
	return change{before, after}, nil
}

func decodeImage(image map[string]events.DynamoDBAttributeValue) (Stored, error) {
	stored, err := decodeStored(decodeMap(image))
	if err == nil && (stored.ID == "" || stored.Version < 1) {
		err = errNoRecord
	}
	return stored, err
}

// payoutOf is the key of the payout that a record of the stream is about.
func payoutOf(record events.DynamoDBEventRecord) string {
	return decodeMap(record.Change.Keys).text("payout")
}

func decodeMap(values map[string]events.DynamoDBAttributeValue) item {
	i := item{}
	for name, value := range values {
		i[name] = decodeValue(value)
	}
	return i
}

// decodeValue reads the kinds that a record is made of. Another one is null to
// us, as it would be an attribute that we never wrote.
func decodeValue(value events.DynamoDBAttributeValue) types.AttributeValue {
	switch value.DataType() {
	case events.DataTypeString:
		return text(value.String())
	case events.DataTypeNumber:
		return &types.AttributeValueMemberN{Value: value.Number()}
	case events.DataTypeMap:
		return &types.AttributeValueMemberM{Value: decodeMap(value.Map())}
	case events.DataTypeList:
		list := []types.AttributeValue{}
		for _, element := range value.List() {
			list = append(list, decodeValue(element))
		}
		return &types.AttributeValueMemberL{Value: list}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}
