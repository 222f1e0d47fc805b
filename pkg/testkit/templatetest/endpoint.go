package templatetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/httpclient"
)

// DynamoDB returns a client for the endpoint in AWS_ENDPOINT_URL_DYNAMODB, and skips
// the test if the variable is not set. It cannot reach data in AWS, because its
// credentials are dummies.
func DynamoDB(t testing.TB, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	return dynamodb.NewFromConfig(emulator(t, "AWS_ENDPOINT_URL_DYNAMODB"), options...)
}

// SQS returns a client for the endpoint in AWS_ENDPOINT_URL_SQS, and skips the test if
// the variable is not set.
func SQS(t testing.TB, options ...func(*sqs.Options)) *sqs.Client {
	t.Helper()
	return sqs.NewFromConfig(emulator(t, "AWS_ENDPOINT_URL_SQS"), options...)
}

func emulator(t testing.TB, variable string) aws.Config {
	t.Helper()
	endpoint := os.Getenv(variable)
	if endpoint == "" {
		t.Skipf("%s is not set; make test runs this test on the local stack", variable)
	}
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   httpclient.New(0),
	}
}

// NewTable creates a table with the properties of a table of the template, under a
// unique name, and returns the name.
func NewTable(t testing.TB, client *dynamodb.Client, resource string) string {
	t.Helper()
	name, err := Load(t).CreateTable(t.Context(), client, resource)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// CreateTable is NewTable outside of tests.
func (template Template) CreateTable(ctx context.Context, client *dynamodb.Client, resource string) (name string, err error) {
	name = UniqueName(resource)
	input, err := template.Table(resource, name)
	if err != nil {
		return "", err
	}
	if _, err := client.CreateTable(ctx, input); err != nil {
		return "", fmt.Errorf("create table like %s: %w", resource, err)
	}
	return name, nil
}

// NewQueue creates a queue with default properties, and returns its URL.
func NewQueue(t testing.TB, client *sqs.Client, prefix string) string {
	t.Helper()
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(UniqueName(prefix))})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	return *out.QueueUrl
}

// UniqueName returns a name that no other test uses, for tables and queues.
func UniqueName(prefix string) string { return prefix + "-" + rand.Text()[:10] }
