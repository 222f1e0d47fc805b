package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/aws/httpclient"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/testkit/templatetest"
)

// speedup is how much faster than the clock the schedule runs. Deadlines of
// requests keep their length.
const speedup = 60

// maxReceives is how often a message is received before it is a dead letter:
// fewer times than in the template, because outages last seconds.
const maxReceives = 2

// endpoints are the addresses of DynamoDB and SQS on this machine.
type endpoints struct{ dynamodb, sqs *url.URL }

func readEndpoints(env func(string) string) (endpoints, error) {
	dynamodb, err := readEndpoint(env, "AWS_ENDPOINT_URL_DYNAMODB")
	if err != nil {
		return endpoints{}, err
	}
	sqs, err := readEndpoint(env, "AWS_ENDPOINT_URL_SQS")
	return endpoints{dynamodb, sqs}, err
}

func readEndpoint(env func(string) string, variable string) (*url.URL, error) {
	text := env(variable)
	if text == "" {
		return nil, fmt.Errorf("%s is not set; make storm sets it to the local stack", variable)
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "http" || parsed.Port() == "" {
		return nil, fmt.Errorf("%s is not of the form http://127.0.0.1:PORT", variable)
	}
	if host := parsed.Hostname(); host != "127.0.0.1" && host != "localhost" {
		return nil, fmt.Errorf("%s names %s; only 127.0.0.1 is allowed", variable, host)
	}
	return parsed, nil
}

// newClients returns clients of one endpoint each. With a timeout of 0 an attempt
// has the functions' own.
func newClients(dynamodbURL, sqsURL string, timeout time.Duration) functions.Clients {
	configure := func(endpoint string) aws.Config {
		awsConfig := functions.NewAWSConfig(config.AWS{Region: "us-east-1", Endpoint: endpoint, AccessKeyID: "test", SecretKey: "test"})
		if timeout > 0 {
			awsConfig.HTTPClient = httpclient.New(timeout)
		}
		return awsConfig
	}
	return functions.Clients{
		DynamoDB: dynamodb.NewFromConfig(configure(dynamodbURL)),
		SQS: sqs.NewFromConfig(configure(sqsURL), func(o *sqs.Options) {
			o.APIOptions = append(o.APIOptions, shortenVisibility)
		}),
	}
}

// createResources creates tables and queues like the template's, under names of
// this run.
func createResources(ctx context.Context, direct functions.Clients) (config.Config, error) {
	root, err := templatetest.FindRoot()
	if err != nil {
		return config.Config{}, err
	}
	template, err := templatetest.Read(root)
	if err != nil {
		return config.Config{}, err
	}
	suffix := rand.Text()[:10]
	c := config.Config{
		ReceiptsTable: "storm-receipts-" + suffix, PayoutsTable: "storm-payouts-" + suffix,
		MetricsNamespace: "storm", SweepLimit: 1000,
	}
	for resource, name := range map[string]string{"ReceiptsTable": c.ReceiptsTable, "PayoutsTable": c.PayoutsTable} {
		input, err := template.Table(resource, name)
		if err != nil {
			return config.Config{}, err
		}
		if _, err := direct.DynamoDB.CreateTable(ctx, input); err != nil {
			return config.Config{}, fmt.Errorf("create table %s: %w", name, err)
		}
	}
	visibility, ok := template.Resources["EventsQueue"].Properties["VisibilityTimeout"].(uint64)
	if !ok {
		return config.Config{}, errors.New("template.yaml: EventsQueue has no VisibilityTimeout")
	}
	c.EventsQueueURL, c.DeadLetterQueueURL, err = createQueues(ctx, direct.SQS, suffix, visibility/speedup)
	return c, err
}

func createQueues(ctx context.Context, client *sqs.Client, suffix string, visibility uint64) (queueURL, deadLetterURL string, err error) {
	deadLetters, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("storm-dead-letters-" + suffix)})
	if err != nil {
		return "", "", fmt.Errorf("create dead-letter queue: %w", err)
	}
	const arn = types.QueueAttributeNameQueueArn
	created, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: deadLetters.QueueUrl, AttributeNames: []types.QueueAttributeName{arn},
	})
	if err != nil {
		return "", "", fmt.Errorf("get ARN of dead-letter queue: %w", err)
	}
	queue, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("storm-events-" + suffix),
		Attributes: map[string]string{
			"VisibilityTimeout": strconv.FormatUint(visibility, 10),
			"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn": %q, "maxReceiveCount": %d}`, created.Attributes[string(arn)], maxReceives),
		},
	})
	if err != nil {
		return "", "", fmt.Errorf("create events queue: %w", err)
	}
	return *queue.QueueUrl, *deadLetters.QueueUrl, nil
}

// deleteResources deletes what createResources created. Most emulators end after
// the run, so failures do not matter.
func deleteResources(ctx context.Context, direct functions.Clients, c config.Config) {
	for _, table := range []string{c.ReceiptsTable, c.PayoutsTable} {
		_, _ = direct.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &table})
	}
	for _, queue := range []string{c.EventsQueueURL, c.DeadLetterQueueURL} {
		_, _ = direct.SQS.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &queue})
	}
}
