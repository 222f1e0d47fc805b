package dynamostore

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// The attributes of a schedule. Only a scheduled payout is in the index of queries. A held
// receipt is always in the index of unapplied receipts: in the partition of those that are
// asked about, or of those that wait for a person.
var (
	scheduleAttributes     = []string{"queryShard", "queryOrder", "queryTries", "queriedAt", "queryResult"}
	heldScheduleAttributes = []string{"dueShard", "dueAt", "queryTries", "queriedAt", "queryResult"}
)

func encodeSchedule(i item, id payout.ID, s inbox.Schedule) {
	if !s.At.IsZero() {
		i.setText("queryShard", queryShard(id))
		i.setText("queryOrder", queryOrder(id, s))
	}
	encodeTries(i, s)
}

func encodeTries(i item, s inbox.Schedule) {
	i.setInt("queryTries", int64(s.Tries))
	i.setTime("queriedAt", s.AskedAt)
	i.setText("queryResult", s.Result)
}

func decodeTries(i item) inbox.Schedule {
	return inbox.Schedule{Tries: int(i.int("queryTries")), AskedAt: i.time("queriedAt"), Result: i.text("queryResult")}
}

// decodeSchedule returns the schedule of a payout. A payout that is not in its place of
// the index is never found due, or as one of another account, so it is not scheduled.
func decodeSchedule(i item) inbox.Schedule {
	id, schedule := payout.ID(i.text("payout")), decodeTries(i)
	if s := decodeOrder(i.text("queryOrder")); i.text("queryShard") == queryShard(id) && i.text("queryOrder") == queryOrder(id, s) {
		schedule.At, schedule.Confirms = s.At, s.Confirms
	}
	return schedule
}

// queryOrder returns the place of a payout in its partition of the index of queries:
// provider/account/kind/time. The kind is confirm or end, the time is in milliseconds with
// leading zeros. So a reader skips what it does not need of an account.
func queryOrder(id payout.ID, s inbox.Schedule) string {
	kind := "end"
	if s.Confirms {
		kind = "confirm"
	}
	return fmt.Sprintf("%s/%s/%s/%015d", id.Provider(), url.PathEscape(id.Account()), kind, s.At.UnixMilli())
}

// decodeOrder returns the time and the kind of a place in the index.
func decodeOrder(order string) inbox.Schedule {
	group, at := cutOrder(order)
	millis, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return inbox.Schedule{}
	}
	return inbox.Schedule{At: time.UnixMilli(millis).UTC(), Confirms: strings.HasSuffix(group, "/confirm/")}
}

// cutOrder cuts a place in the index into provider/account/kind/ and the time.
func cutOrder(order string) (group, at string) {
	n := strings.LastIndexByte(order, '/') + 1
	return order[:n], order[n:]
}

// queryShard returns the partition of a payout in the index of queries.
func queryShard(id payout.ID) string { return strconv.Itoa(shardNumber(inbox.Key{Payout: string(id)})) }

func encodeHeldSchedule(i item, key inbox.Key, s inbox.Schedule, acceptedAt time.Time) {
	if s.At.IsZero() {
		i.setText("dueShard", dueShard(key, inbox.Held))
		i.setTime("dueAt", acceptedAt)
	} else {
		i.setText("dueShard", dueShard(key, heldQuery))
		i.setTime("dueAt", s.At)
	}
	encodeTries(i, s)
}

func decodeHeldSchedule(i item) inbox.Schedule {
	schedule := decodeTries(i)
	if strings.HasPrefix(i.text("dueShard"), string(heldQuery)+"/") {
		schedule.At = i.time("dueAt")
	}
	return schedule
}

// heldQuery names the partitions of held receipts whose payout is asked about.
const heldQuery inbox.State = "held-query"

// replace returns an update that sets the attributes of a list to the values of an item,
// and removes those that the item does not have.
func replace(table string, key item, names []string, values item) *dynamodb.UpdateItemInput {
	input := &dynamodb.UpdateItemInput{
		TableName: &table, Key: key, ExpressionAttributeNames: map[string]string{}, ExpressionAttributeValues: item{},
	}
	var set, remove []string
	for _, name := range names {
		input.ExpressionAttributeNames["#"+name] = name
		if values[name] == nil {
			remove = append(remove, "#"+name)
			continue
		}
		set = append(set, fmt.Sprintf("#%s = :%[1]s", name))
		input.ExpressionAttributeValues[":"+name] = values[name]
	}
	var clauses []string
	if len(set) > 0 {
		clauses = append(clauses, "SET "+strings.Join(set, ", "))
	}
	if len(remove) > 0 {
		clauses = append(clauses, "REMOVE "+strings.Join(remove, ", "))
	}
	input.UpdateExpression = aws.String(strings.Join(clauses, " "))
	return input
}

// require adds the condition that each attribute of a list is as in an item: equal, or
// absent.
func require(input *dynamodb.UpdateItemInput, names []string, values item) {
	conditions := []string{"attribute_exists(payout)"}
	for _, name := range names {
		input.ExpressionAttributeNames["#"+name] = name
		if values[name] == nil {
			conditions = append(conditions, fmt.Sprintf("attribute_not_exists(#%s)", name))
			continue
		}
		conditions = append(conditions, fmt.Sprintf("#%s = :%[1]sBefore", name))
		input.ExpressionAttributeValues[":"+name+"Before"] = values[name]
	}
	input.ConditionExpression = aws.String(strings.Join(conditions, " AND "))
}
