package main

import (
	"context"
	"errors"
	"fmt"
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
// this run. They are left for examination; make storm starts a new emulator.
func createResources(ctx context.Context, direct functions.Clients) (config.Config, error) {
	c := config.Config{MetricsNamespace: "storm", SweepLimit: 1000}
	root, err := templatetest.FindRoot()
	if err != nil {
		return c, err
	}
	template, err := templatetest.Read(root)
	if err != nil {
		return c, err
	}
	if c.ReceiptsTable, err = template.CreateTable(ctx, direct.DynamoDB, "ReceiptsTable"); err != nil {
		return c, err
	}
	if c.PayoutsTable, err = template.CreateTable(ctx, direct.DynamoDB, "PayoutsTable"); err != nil {
		return c, err
	}
	visibility, ok := template.Resources["EventsQueue"].Properties["VisibilityTimeout"].(uint64)
	if !ok {
		return c, errors.New("template.yaml: EventsQueue has no VisibilityTimeout")
	}
	var arn string
	if c.DeadLetterQueueURL, arn, err = createQueue(ctx, direct.SQS, "storm-dead-letters", nil); err != nil {
		return c, err
	}
	c.EventsQueueURL, _, err = createQueue(ctx, direct.SQS, "storm-events", map[string]string{
		"VisibilityTimeout": strconv.FormatUint(visibility/speedup, 10),
		"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn": %q, "maxReceiveCount": %d}`, arn, maxReceives),
	})
	return c, err
}

func createQueue(ctx context.Context, client *sqs.Client, prefix string, attributes map[string]string) (url, arn string, err error) {
	created, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(templatetest.UniqueName(prefix)), Attributes: attributes})
	if err != nil {
		return "", "", fmt.Errorf("create queue %s: %w", prefix, err)
	}
	const name = types.QueueAttributeNameQueueArn
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: created.QueueUrl, AttributeNames: []types.QueueAttributeName{name},
	})
	if err != nil {
		return "", "", fmt.Errorf("get ARN of queue %s: %w", prefix, err)
	}
	return *created.QueueUrl, out.Attributes[string(name)], nil
}
