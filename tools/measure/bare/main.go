// Command bare is a function that reads a secret as it starts, and sends one put
// and one message for each request: the least that a function that accepts
// callbacks can do. It is never deployed.
package main

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
)

func main() {
	env := os.Getenv
	sdk := functions.NewAWSConfig(config.AWS{
		Region: env("AWS_REGION"), Endpoint: env("AWS_ENDPOINT_URL"), AccessKeyID: env("AWS_ACCESS_KEY_ID"), SecretKey: env("AWS_SECRET_ACCESS_KEY"),
	})
	db, queue := dynamodb.NewFromConfig(sdk), sqs.NewFromConfig(sdk)
	_, err := secretsmanager.NewFromConfig(sdk).GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(env("KEYS_SECRET_PREFIX") + "cregis"),
	})
	if err != nil {
		panic(err)
	}
	lambda.Start(func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: aws.String(env("RECEIPTS_TABLE")),
			Item: map[string]types.AttributeValue{
				"payout":  &types.AttributeValueMemberS{Value: "bare/" + time.Now().Format(time.RFC3339Nano)},
				"receipt": &types.AttributeValueMemberS{Value: "bare"},
				"body":    &types.AttributeValueMemberS{Value: event.Body},
			},
		})
		if err == nil {
			_, err = queue.SendMessage(ctx, &sqs.SendMessageInput{
				QueueUrl: aws.String(env("EVENTS_QUEUE_URL")), MessageBody: &event.Body,
			})
		}
		return events.APIGatewayV2HTTPResponse{StatusCode: 200}, err
	})
}
