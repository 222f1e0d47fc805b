package dynamostore

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// itemSize returns the size of an item as DynamoDB counts it: names and values in
// UTF-8, a number with about half a byte for each significant digit, a map or list
// with three bytes and one for each element.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func itemSize(i item) int {
	size := 0
	for name, value := range i {
		size += len(name) + valueSize(value)
	}
	return size
}

func valueSize(value types.AttributeValue) int {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return len(value.Value)
	case *types.AttributeValueMemberB:
		return len(value.Value)
	case *types.AttributeValueMemberN:
		digits := strings.Trim(value.Value, "0")
		return (len(digits)+1)/2 + 1
	case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		return 1
	case *types.AttributeValueMemberM:
		return 3 + itemSize(value.Value) + len(value.Value)
	case *types.AttributeValueMemberL:
		size := 3 + len(value.Value)
		for _, element := range value.Value {
			size += valueSize(element)
		}
		return size
	}
	panic(fmt.Sprintf("dynamostore: no size for %T", value))
}
