package dynamostore

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Change is one write to a payout: its stored state before and after. Before is
// zero if the write created the payout.
type Change struct{ Before, After Stored }

var errNotPayout = errors.New("the image is not a payout")

// DecodeChange decodes a record of the stream of the payouts table, which holds
// both images. It treats an old image that cannot be decoded as absent: the
// change then looks like the first one, so that it is published, not lost.
func DecodeChange(record events.DynamoDBEventRecord) (Change, error) {
	after, err := decodeImage(record.Change.NewImage)
	if err != nil {
		return Change{}, fmt.Errorf("decode new image of payout %s: %w", ChangedPayout(record), err)
	}
	before, err := decodeImage(record.Change.OldImage)
	if err != nil {
		before = Stored{}
	}
	return Change{before, after}, nil
}

// ChangedPayout returns the id of the payout that a record of the stream is about.
func ChangedPayout(record events.DynamoDBEventRecord) string {
	return decodeMap(record.Change.Keys).text("payout")
}

func decodeImage(image map[string]events.DynamoDBAttributeValue) (Stored, error) {
	stored, err := decodeStored(decodeMap(image))
	if err == nil && (stored.ID == "" || stored.Version < 1) {
		err = errNotPayout
	}
	return stored, err
}

func decodeMap(values map[string]events.DynamoDBAttributeValue) item {
	i := item{}
	for name, value := range values {
		i[name] = decodeValue(value)
	}
	return i
}

// decodeValue converts the types that this package writes. It returns null for
// any other type.
func decodeValue(value events.DynamoDBAttributeValue) types.AttributeValue {
	switch value.DataType() {
	case events.DataTypeString:
		return text(value.String())
	case events.DataTypeNumber:
		return &types.AttributeValueMemberN{Value: value.Number()}
	case events.DataTypeBoolean:
		return &types.AttributeValueMemberBOOL{Value: value.Boolean()}
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
