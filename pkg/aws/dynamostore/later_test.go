package dynamostore_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// An unreadable record is reported and does not end the list.
func TestList_LaterVersion(t *testing.T) {
	b := newTables(t)
	early, late, damaged, other := id("cregis", "7", "1"), id("cregis", "7", "2"), id("cregis", "7", "3"), id("pivot", "m", "1")
	b.apply(newEvent(early, payout.Failed, "1"))
	since := b.now
	b.apply(newEvent(late, payout.Failed, "1"), newEvent(damaged, payout.Failed, "1"), newEvent(other, payout.Failed, "1"))
	if _, err := b.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName:                 &b.reader.Payouts,
		Key:                       map[string]types.AttributeValue{"payout": &types.AttributeValueMemberS{Value: string(damaged)}},
		UpdateExpression:          aws.String("SET v = :later"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":later": &types.AttributeValueMemberN{Value: "99"}},
	}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		provider string
		after    bool
		want     []payout.ID
	}{
		"at the time":     {"", false, []payout.ID{early, late, damaged, other}},
		"after it":        {"", true, []payout.ID{late, damaged, other}},
		"of one provider": {"pivot", true, []payout.ID{other}},
	} {
		at := since
		if test.after {
			at = since.Add(1e6)
		}
		var got []payout.ID
		for stored, err := range b.reader.List(t.Context(), dynamostore.Filter{Since: at, Provider: test.provider}) {
			if (stored.ID == damaged) != errors.Is(err, inbox.ErrLaterVersion) || err != nil && stored.ID != damaged {
				t.Errorf("%s: %s: %v", name, stored.ID, err)
			}
			got = append(got, stored.ID)
		}
		slices.Sort(got)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
