package templatetest

import (
	"crypto/rand"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// DynamoDB returns a client of the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB
// names, and skips the test where it names none. It never talks to AWS: the
// credentials are dummies.
func DynamoDB(t testing.TB) *dynamodb.Client {
	t.Helper()
	return dynamodb.NewFromConfig(emulator(t, "AWS_ENDPOINT_URL_DYNAMODB"))
}

// SQS does the same for AWS_ENDPOINT_URL_SQS.
func SQS(t testing.TB) *sqs.Client {
	t.Helper()
	return sqs.NewFromConfig(emulator(t, "AWS_ENDPOINT_URL_SQS"))
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
		// A connection that the emulator closes while it is idle fails the next
		// request, which the SDK then repeats: a conditional write would meet itself.
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.DisableKeepAlives = true }),
	}
}

// UniqueName returns a name that no other test uses, for tables and queues.
func UniqueName(prefix string) string { return prefix + "-" + rand.Text()[:10] }
