package dynamostore

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/pkg/reconcile"
)

// Accounts is reconcile.Accounts on a DynamoDB table with an item for each account. It is
// safe for concurrent use.
type Accounts struct {
	Client *dynamodb.Client
	Table  string
}

var _ reconcile.Accounts = (*Accounts)(nil)

// Acquire implements reconcile.Accounts. If the SDK retries its own request, the lease
// may be taken although Acquire returns false; then it ends at its time.
func (a *Accounts) Acquire(ctx context.Context, account, owner string, now, until time.Time) (reconcile.AccountState, bool, error) {
	attributes, ok, err := updateIf(ctx, a.Client, &dynamodb.UpdateItemInput{
		TableName:                &a.Table,
		Key:                      item{"account": text(account)},
		UpdateExpression:         aws.String("SET #owner = :owner, leaseUntil = :until"),
		ConditionExpression:      aws.String("attribute_not_exists(leaseUntil) OR leaseUntil <= :now"),
		ExpressionAttributeNames: map[string]string{"#owner": "owner"},
		ExpressionAttributeValues: item{
			":owner": text(owner), ":now": number(now.UnixMilli()), ":until": number(until.UnixMilli()),
		},
	})
	return decodeAccount(attributes), ok, err
}

// Release implements reconcile.Accounts.
func (a *Accounts) Release(ctx context.Context, account, owner string, state reconcile.AccountState) error {
	values := item{}
	values.setInt("failures", int64(state.Failures))
	values.setText("cause", string(state.Cause))
	values.setTime("pausedUntil", state.PausedUntil)
	values.setTime("answeredAt", state.AnsweredAt)
	names := []string{"failures", "cause", "pausedUntil", "answeredAt", "owner", "leaseUntil"}
	input := replace(a.Table, item{"account": text(account)}, names, values)
	input.ConditionExpression = aws.String("#owner = :ownerBefore")
	input.ExpressionAttributeValues[":ownerBefore"] = text(owner)
	_, _, err := updateIf(ctx, a.Client, input)
	return err
}

// States implements reconcile.Accounts. It reads the whole table, which has few items.
func (a *Accounts) States(ctx context.Context) (map[string]reconcile.AccountState, error) {
	states := map[string]reconcile.AccountState{}
	for i, err := range scanAll(ctx, a.Client, &dynamodb.ScanInput{TableName: &a.Table}) {
		if err != nil {
			return nil, wrap(err, "scan accounts")
		}
		states[i.text("account")] = decodeAccount(i)
	}
	return states, nil
}

func decodeAccount(i item) reconcile.AccountState {
	return reconcile.AccountState{
		Failures:    int(i.int("failures")),
		Cause:       reconcile.Outcome(i.text("cause")),
		PausedUntil: i.time("pausedUntil"),
		AnsweredAt:  i.time("answeredAt"),
	}
}
