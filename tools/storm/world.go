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

// speedup is how much faster the schedule goes than the clock: what waits for
// two minutes in production waits for two seconds here. Deadlines of requests
// stay as they are.
const speedup = 60

// receives is after how many receives a message is a dead letter: fewer than in
// the template, or no outage of seconds would make one.
const receives = 2

// endpoints are where DynamoDB and SQS are, and must be on this machine.
type endpoints struct{ dynamodb, sqs *url.URL }

func endpointsOf(env func(string) string) (endpoints, error) {
	dynamodb, err := endpoint(env, "AWS_ENDPOINT_URL_DYNAMODB")
	if err != nil {
		return endpoints{}, err
	}
	sqs, err := endpoint(env, "AWS_ENDPOINT_URL_SQS")
	return endpoints{dynamodb, sqs}, err
}

func endpoint(env func(string) string, variable string) (*url.URL, error) {
	text := env(variable)
	if text == "" {
		return nil, fmt.Errorf("%s names no endpoint; make storm runs this on the local stack", variable)
	}
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "http" || parsed.Port() == "" {
		return nil, fmt.Errorf("%s is not of the form http://127.0.0.1:PORT", variable)
	}
	if host := parsed.Hostname(); host != "127.0.0.1" && host != "localhost" {
		return nil, fmt.Errorf("%s names %s: a storm stays on this machine (127.0.0.1)", variable, host)
	}
	return parsed, nil
}

// clients talk to one endpoint each. What an attempt may take is the functions'
// own, or, for those who poll and look on, enough.
func clients(dynamodbURL, sqsURL string, patient bool) functions.Clients {
	sdk := func(endpoint string) aws.Config {
		awsConfig := functions.NewAWSConfig(config.AWS{Region: "us-east-1", Endpoint: endpoint, AccessKeyID: "test", SecretKey: "test"})
		if patient {
			awsConfig.HTTPClient = httpclient.New(10 * time.Second)
		}
		return awsConfig
	}
	return functions.Clients{
		DynamoDB: dynamodb.NewFromConfig(sdk(dynamodbURL)),
		SQS: sqs.NewFromConfig(sdk(sqsURL), func(o *sqs.Options) {
			o.APIOptions = append(o.APIOptions, hurry)
		}),
	}
}

// build makes tables and queues like the template's, under names of their own.
func build(ctx context.Context, direct functions.Clients) (config.Config, error) {
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
		ReceiptsTable:    "storm-receipts-" + suffix,
		PayoutsTable:     "storm-payouts-" + suffix,
		MetricsNamespace: "storm",
		SweepLimit:       1000,
	}
	for resource, name := range map[string]string{"ReceiptsTable": c.ReceiptsTable, "PayoutsTable": c.PayoutsTable} {
		input, err := template.Table(resource, name)
		if err != nil {
			return config.Config{}, err
		}
		if _, err := direct.DynamoDB.CreateTable(ctx, input); err != nil {
			return config.Config{}, fmt.Errorf("create table like %s: %w", resource, err)
		}
	}
	err = buildQueues(ctx, direct.SQS, template, &c, suffix)
	return c, err
}

func buildQueues(ctx context.Context, client *sqs.Client, template templatetest.Template, c *config.Config, suffix string) error {
	visibility, ok := template.Resources["EventsQueue"].Properties["VisibilityTimeout"].(uint64)
	if !ok {
		return errors.New("template.yaml: EventsQueue has no VisibilityTimeout")
	}
	dead, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("storm-dead-letters-" + suffix)})
	if err != nil {
		return fmt.Errorf("create dead-letter queue: %w", err)
	}
	queueAttributes, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: dead.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return fmt.Errorf("ask for the dead-letter queue: %w", err)
	}
	queue, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("storm-events-" + suffix),
		Attributes: map[string]string{
			"VisibilityTimeout": strconv.FormatUint(visibility/speedup, 10),
			"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn": %q, "maxReceiveCount": %d}`,
				queueAttributes.Attributes[string(types.QueueAttributeNameQueueArn)], receives),
		},
	})
	if err != nil {
		return fmt.Errorf("create queue of events: %w", err)
	}
	c.EventsQueueURL, c.DeadLetterQueueURL = *queue.QueueUrl, *dead.QueueUrl
	return nil
}

// demolish removes what build made, as far as it can: the emulator is thrown
// away after most storms.
func demolish(ctx context.Context, direct functions.Clients, c config.Config) {
	for _, table := range []string{c.ReceiptsTable, c.PayoutsTable} {
		_, _ = direct.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &table})
	}
	for _, queue := range []string{c.EventsQueueURL, c.DeadLetterQueueURL} {
		_, _ = direct.SQS.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &queue})
	}
}
