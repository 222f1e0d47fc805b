package dynamostore

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is a DynamoDB item. Its setters leave out empty values: an absent attribute
// means the same and costs nothing.
type item map[string]types.AttributeValue

func (i item) setText(name, value string) {
	if value != "" {
		i[name] = &types.AttributeValueMemberS{Value: value}
	}
}

func (i item) setInt(name string, value int64) {
	if value != 0 {
		i[name] = number(value)
	}
}

func (i item) setTime(name string, value time.Time) {
	if !value.IsZero() {
		i.setInt(name, value.UnixMilli())
	}
}

// setFlag sets an attribute that is true or absent.
func (i item) setFlag(name string, value bool) {
	if value {
		i[name] = &types.AttributeValueMemberBOOL{Value: true}
	}
}

func (i item) flag(name string) bool {
	value, ok := i[name].(*types.AttributeValueMemberBOOL)
	return ok && value.Value
}

func (i item) text(name string) string {
	if value, ok := i[name].(*types.AttributeValueMemberS); ok {
		return value.Value
	}
	return ""
}

func (i item) uint(name string) uint64 {
	value, ok := i[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(value.Value, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (i item) int(name string) int64 {
	value, ok := i[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(value.Value, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (i item) time(name string) time.Time {
	millis := i.int(name)
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

func (i item) child(name string) item {
	if value, ok := i[name].(*types.AttributeValueMemberM); ok {
		return value.Value
	}
	return nil
}

func (i item) setChild(name string, value item) {
	if len(value) > 0 {
		i[name] = &types.AttributeValueMemberM{Value: value}
	}
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
}
