package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/lambda/providers"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// assume returns a configuration with the credentials of a function's role.
func (d *deployed) assume(t *testing.T, function string) aws.Config {
	t.Helper()
	root := aws.Config{
		Region: d.stack.Region, BaseEndpoint: &d.stack.EndpointURL, HTTPClient: d.http, Credentials: emulatorCredentials(),
	}
	var entry struct{ Configuration struct{ Role string } }
	call := apiCall{method: http.MethodGet, path: "/2015-03-31/functions/" + d.stack.function(function)}
	if err := callLambda(t.Context(), d.workspace, call, &entry); err != nil {
		t.Fatal(err)
	}
	assumed, err := sts.NewFromConfig(root).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &entry.Configuration.Role, RoleSessionName: aws.String("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	root.Credentials = credentials.NewStaticCredentialsProvider(
		*assumed.Credentials.AccessKeyId, *assumed.Credentials.SecretAccessKey, *assumed.Credentials.SessionToken)
	return root
}

// roleAction is an action that a role may or may not do. None of them changes anything.
type roleAction func(ctx context.Context, role aws.Config) error

// stringKey is a key of one attribute.
func stringKey(pairs ...string) map[string]types.AttributeValue {
	key := map[string]types.AttributeValue{}
	for n := 0; n < len(pairs); n += 2 {
		key[pairs[n]] = &types.AttributeValueMemberS{Value: pairs[n+1]}
	}
	return key
}

func readItem(table string, key map[string]types.AttributeValue) roleAction {
	return func(ctx context.Context, role aws.Config) error {
		_, err := dynamodb.NewFromConfig(role).GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key})
		return err
	}
}

func scanTable(table string) roleAction {
	return func(ctx context.Context, role aws.Config) error {
		_, err := dynamodb.NewFromConfig(role).Scan(ctx, &dynamodb.ScanInput{TableName: &table, Limit: aws.Int32(1)})
		return err
	}
}

func putItem(table string, key map[string]types.AttributeValue) roleAction {
	return func(ctx context.Context, role aws.Config) error {
		_, err := dynamodb.NewFromConfig(role).PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &table, Item: key, ConditionExpression: aws.String("attribute_exists(payout)"),
		})
		return err
	}
}

func updateItem(table string, key map[string]types.AttributeValue) roleAction {
	return func(ctx context.Context, role aws.Config) error {
		_, err := dynamodb.NewFromConfig(role).UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &table, Key: key, UpdateExpression: aws.String("SET changed = :true"), ConditionExpression: aws.String("attribute_exists(absent)"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":true": &types.AttributeValueMemberBOOL{Value: true}},
		})
		return err
	}
}

func queryIndex(table, index, attribute string) roleAction {
	return func(ctx context.Context, role aws.Config) error {
		_, err := dynamodb.NewFromConfig(role).Query(ctx, &dynamodb.QueryInput{
			TableName: &table, IndexName: &index, KeyConditionExpression: aws.String("#key = :value"),
			ExpressionAttributeNames:  map[string]string{"#key": attribute},
			ExpressionAttributeValues: stringKey(":value", "none"),
		})
		return err
	}
}

func readSecret(name string) roleAction {
	return func(ctx context.Context, role aws.Config) error {
		_, err := secretsmanager.NewFromConfig(role).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
		return err
	}
}

func (d *deployed) roleActions() map[string]roleAction {
	payouts, receipts, accounts := d.stack.PayoutsTable, d.stack.ReceiptsTable, d.stack.Outputs["AccountsTableName"]
	key, account := stringKey("payout", "absent"), stringKey("account", "absent")
	receipt := stringKey("payout", "iam/"+d.run, "receipt", "none")
	actions := map[string]roleAction{
		"read a payout": readItem(payouts, key),
		"list payouts":  scanTable(payouts),
		"delete a payout": func(ctx context.Context, role aws.Config) error {
			_, err := dynamodb.NewFromConfig(role).DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &payouts, Key: key})
			return err
		},
		"write a payout":    putItem(payouts, key),
		"update a payout":   updateItem(payouts, key),
		"read a receipt":    readItem(receipts, receipt),
		"write a receipt":   putItem(receipts, receipt),
		"update a receipt":  updateItem(receipts, receipt),
		"find by reference": queryIndex(payouts, "reference", "reference"),
		"list due payouts":  queryIndex(payouts, "queries", "queryShard"),
		"list conflicts":    queryIndex(payouts, "conflicted", "conflicted"),
		"list unapplied":    queryIndex(receipts, "unapplied", "dueShard"),
		"lease an account":  updateItem(accounts, account),
		"list accounts":     scanTable(accounts),
		"send an event": func(ctx context.Context, role aws.Config) error {
			_, err := sqs.NewFromConfig(role).SendMessage(ctx, &sqs.SendMessageInput{
				// The role is checked before the delay, which is rejected: no message is sent.
				QueueUrl: &d.stack.EventsQueueURL, MessageBody: aws.String("none"), DelaySeconds: 10_000,
			})
			return err
		},
		"receive dead letters": func(ctx context.Context, role aws.Config) error {
			_, err := sqs.NewFromConfig(role).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
				QueueUrl: &d.stack.DeadLetterQueueURL, VisibilityTimeout: 0,
			})
			return err
		},
	}
	for _, p := range providers.All() {
		actions["read keys: "+p.Name()] = readSecret(d.stack.KeySecrets[p.Name()])
		if p.Queries != nil {
			actions["read API: "+p.Name()] = readSecret(d.stack.Outputs[p.APIOutput()])
		}
	}
	return actions
}

// I10, on the deployed roles: a function can do what it needs, and nothing that
// only another function needs.
func TestRoles_OnlyOwnActions(t *testing.T) {
	d := newDeployed(t)
	allowed := map[string][]string{
		"consumer": {"write a receipt", "update a receipt", "read a payout", "write a payout"},
		"sweeper": {
			"write a receipt", "update a receipt", "read a payout", "write a payout", "send an event", "receive dead letters", "list unapplied",
		},
		// Lambda reads the stream with its role; the tests of notifications cover what it publishes.
		"publisher": {},
		"expected":  {"write a receipt", "update a receipt", "read a payout", "write a payout", "find by reference"},
		"reconciler": {
			"write a receipt", "update a receipt", "read a payout", "write a payout", "update a payout", "find by reference",
			"list due payouts", "list unapplied", "lease an account", "list accounts", "send an event",
		},
	}
	for _, p := range providers.All() {
		allowed[p.Name()] = []string{"write a receipt", "send an event", "read keys: " + p.Name()}
		if p.Queries != nil {
			allowed["reconciler"] = append(allowed["reconciler"], "read API: "+p.Name())
		}
	}
	for _, function := range functionFolders() {
		role := d.assume(t, function)
		for action, do := range d.roleActions() {
			want := slices.Contains(allowed[function], action)
			if got := !isDenied(do(t.Context(), role)); got != want {
				t.Errorf("%s: may %s is %v, want %v", function, action, got, want)
			}
		}
	}
}

func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied")
}
