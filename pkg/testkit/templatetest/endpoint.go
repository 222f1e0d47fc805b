package templatetest

import (
	"crypto/rand"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/httpclient"
)

// DynamoDB returns a client of the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB
// names, and skips the test where it names none. It never talks to AWS: the
// credentials are dummies.
func DynamoDB(t testing.TB, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	return dynamodb.NewFromConfig(emulator(t, "AWS_ENDPOINT_URL_DYNAMODB"), options...)
}

// SQS does the same for AWS_ENDPOINT_URL_SQS.
func SQS(t testing.TB, options ...func(*sqs.Options)) *sqs.Client {
	t.Helper()
	return sqs.NewFromConfig(emulator(t, "AWS_ENDPOINT_URL_SQS"), options...)
}

func emulator(t testing.TB, variable string) aws.Config {
	t.Helper()
	endpoint := os.Getenv(variable)
	if endpoint == "" {
		t.Skipf("%s names no endpoint; make test runs this on the local stack", variable)
	}
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   httpclient.New(0),
	}
}

// NewTable makes a table like the template's, under a name of its own.
func NewTable(t testing.TB, client *dynamodb.Client, resource string) string {
	t.Helper()
	name := UniqueName(resource)
	input, err := Load(t).Table(resource, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateTable(t.Context(), input); err != nil {
		t.Fatalf("create table like %s: %v", resource, err)
	}
	return name
}

// NewQueue makes a queue with what a queue has by default, and returns its URL.
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
