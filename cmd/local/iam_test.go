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

// as returns the configuration of somebody who has a function's role and no other.
func (d *deployed) as(t *testing.T, function string) aws.Config {
	t.Helper()
	root := aws.Config{
		Region: d.stack.Region, BaseEndpoint: &d.stack.EndpointURL, HTTPClient: d.http, Credentials: emulatorCredentials(),
	}
	var entry struct{ Configuration struct{ Role string } }
	call := lambdaCall{method: http.MethodGet, path: "/2015-03-31/functions/" + d.stack.function(function)}
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

// I10, on the deployed roles: nobody who takes over one function can do what
// another one does. What it may do stands beside, so that a role that may do
// nothing at all is no proof.
func TestNoFunctionCanDoAnothersWork(t *testing.T) {
	d := newDeployed(t)
	key := map[string]types.AttributeValue{"payout": &types.AttributeValueMemberS{Value: "nobody's"}}
	receipt := map[string]types.AttributeValue{
		"payout": &types.AttributeValueMemberS{Value: "iam/" + d.run}, "receipt": &types.AttributeValueMemberS{Value: "none"},
	}
	acts := map[string]func(context.Context, aws.Config) error{
		"read a payout": func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.stack.PayoutsTable, Key: key})
			return err
		},
		"list payouts": func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).Scan(ctx, &dynamodb.ScanInput{TableName: &d.stack.PayoutsTable})
			return err
		},
		"delete a payout": func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &d.stack.PayoutsTable, Key: key})
			return err
		},
		"write a payout": func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).PutItem(ctx, &dynamodb.PutItemInput{
				TableName: &d.stack.PayoutsTable, Item: key, ConditionExpression: aws.String("attribute_exists(payout)"),
			})
			return err
		},
		"read a receipt": func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.stack.ReceiptsTable, Key: receipt})
			return err
		},
		"write a receipt": func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).PutItem(ctx, &dynamodb.PutItemInput{
				TableName: &d.stack.ReceiptsTable, Item: receipt, ConditionExpression: aws.String("attribute_exists(payout)"),
			})
			return err
		},
		"send an event": func(ctx context.Context, as aws.Config) error {
			_, err := sqs.NewFromConfig(as).SendMessage(ctx, &sqs.SendMessageInput{
				// A delay that is refused after the role was asked: no message is left.
				QueueUrl: &d.stack.EventsQueueURL, MessageBody: aws.String("none"), DelaySeconds: 10_000,
			})
			return err
		},
		"receive dead letters": func(ctx context.Context, as aws.Config) error {
			_, err := sqs.NewFromConfig(as).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
				QueueUrl: &d.stack.DeadLetterQueueURL, VisibilityTimeout: 0,
			})
			return err
		},
		"read the keys of cregis": func(ctx context.Context, as aws.Config) error {
			_, err := secretsmanager.NewFromConfig(as).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(d.stack.KeySecrets["cregis"])})
			return err
		},
		"read the keys of pivot": func(ctx context.Context, as aws.Config) error {
			_, err := secretsmanager.NewFromConfig(as).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(d.stack.KeySecrets["pivot"])})
			return err
		},
	}
	may := map[string][]string{
		"cregis":   {"write a receipt", "send an event", "read the keys of cregis"},
		"pivot":    {"write a receipt", "send an event", "read the keys of pivot"},
		"consumer": {"write a receipt", "write a payout"},
		"sweeper":  {"write a receipt", "write a payout", "send an event", "receive dead letters"},
		// Lambda reads the stream with its role; what it does itself is tested by the notices that arrive.
		"publisher": {},
	}
	for _, function := range functionFolders() {
		as := d.as(t, function)
		for act, do := range acts {
			want := strings.Contains(strings.Join(may[function], ", "), act)
			if got := !denied(do(t.Context(), as)); got != want {
				t.Errorf("%s: may %s: %v, want %v", function, act, got, want)
			}
		}
	}
}

func denied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "AccessDenied")
}
