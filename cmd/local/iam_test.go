package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

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

// I10, on the deployed roles: a function can do what it needs, and nothing that
// only another function needs.
func TestRoles_OnlyOwnActions(t *testing.T) {
	d := newDeployed(t)
	key := map[string]types.AttributeValue{"payout": &types.AttributeValueMemberS{Value: "absent"}}
	receipt := map[string]types.AttributeValue{
		"payout": &types.AttributeValueMemberS{Value: "iam/" + d.run}, "receipt": &types.AttributeValueMemberS{Value: "none"},
	}
	actions := map[string]func(context.Context, aws.Config) error{
		"read a payout": func(ctx context.Context, role aws.Config) error {
			_, err := dynamodb.NewFromConfig(role).GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.stack.PayoutsTable, Key: key})
			return err
		},
		"list payouts": func(ctx context.Context, role aws.Config) error {
			_, err := dynamodb.NewFromConfig(role).Scan(ctx, &dynamodb.ScanInput{TableName: &d.stack.PayoutsTable})
			return err
		},
		"delete a payout": func(ctx context.Context, role aws.Config) error {
			_, err := dynamodb.NewFromConfig(role).DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &d.stack.PayoutsTable, Key: key})
			return err
		},
		"write a payout": func(ctx context.Context, role aws.Config) error {
			_, err := dynamodb.NewFromConfig(role).PutItem(ctx, &dynamodb.PutItemInput{
				TableName: &d.stack.PayoutsTable, Item: key, ConditionExpression: aws.String("attribute_exists(payout)"),
			})
			return err
		},
		"read a receipt": func(ctx context.Context, role aws.Config) error {
			_, err := dynamodb.NewFromConfig(role).GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.stack.ReceiptsTable, Key: receipt})
			return err
		},
		"write a receipt": func(ctx context.Context, role aws.Config) error {
			_, err := dynamodb.NewFromConfig(role).PutItem(ctx, &dynamodb.PutItemInput{
				TableName: &d.stack.ReceiptsTable, Item: receipt, ConditionExpression: aws.String("attribute_exists(payout)"),
			})
			return err
		},
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
		"read the keys of cregis": func(ctx context.Context, role aws.Config) error {
			_, err := secretsmanager.NewFromConfig(role).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(d.stack.KeySecrets["cregis"])})
			return err
		},
		"read the keys of pivot": func(ctx context.Context, role aws.Config) error {
			_, err := secretsmanager.NewFromConfig(role).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(d.stack.KeySecrets["pivot"])})
			return err
		},
	}
	allowed := map[string][]string{
		"cregis":   {"write a receipt", "send an event", "read the keys of cregis"},
		"pivot":    {"write a receipt", "send an event", "read the keys of pivot"},
		"consumer": {"write a receipt", "write a payout"},
		"sweeper":  {"write a receipt", "write a payout", "send an event", "receive dead letters"},
		// Lambda reads the stream with its role; the tests of notifications cover what it publishes.
		"publisher": {},
	}
	for _, function := range functionFolders() {
		role := d.assume(t, function)
		for action, do := range actions {
			want := strings.Contains(strings.Join(allowed[function], ", "), action)
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
