// Package functions wires the functions together: it alone knows both what the code
// needs and what a deployed stack has.
package functions

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/httpclient"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/lambda/telemetry"
)

// attemptTimeout bounds one attempt of any request to AWS. The SDK would wait
// for an answer for ever; it tries again within the caller's own deadline.
const attemptTimeout = time.Second

// Stack is what every function has at hand. Its functions are those that Lambda
// runs; tools/storm runs them in one process.
type Stack struct {
	Config   config.Config
	Queue    *sqsqueue.Queue
	Inbox    *inbox.Inbox
	Bus      publisher.Bus // of the publisher alone
	Recorder *telemetry.Recorder
}

// Clients are what a stack calls AWS with.
type Clients struct {
	DynamoDB *dynamodb.Client
	SQS      *sqs.Client
}

// NewStack puts a stack together; it calls nothing yet. Lines of log and metric
// go to output.
func NewStack(settings config.Config, clients Clients, output io.Writer) Stack {
	queue := &sqsqueue.Queue{
		Client:         clients.SQS,
		EventsURL:      settings.EventsQueueURL,
		DeadLettersURL: settings.DeadLetterQueueURL,
	}
	return Stack{
		Config: settings,
		Queue:  queue,
		Inbox: &inbox.Inbox{
			Store: &dynamostore.Store{
				Client:   clients.DynamoDB,
				Receipts: settings.ReceiptsTable,
				Payouts:  settings.PayoutsTable,
			},
			Queue:       queue,
			DeadLetters: queue,
			Now:         time.Now,
		},
		Recorder: telemetry.NewRecorder(output, settings.MetricsNamespace, time.Now),
	}
}

// stackOfLambda returns the stack of a function, as its environment describes it.
func loadStack(function config.Function) (Stack, aws.Config, error) {
	settings, err := config.Load(function, os.Getenv)
	if err != nil {
		return Stack{}, aws.Config{}, fmt.Errorf("read configuration: %w", err)
	}
	sdk := NewAWSConfig(settings.AWS)
	clients := Clients{DynamoDB: dynamodb.NewFromConfig(sdk), SQS: sqs.NewFromConfig(sdk)}
	return NewStack(settings, clients, os.Stdout), sdk, nil
}

// NewAWSConfig is made from what Lambda sets and nothing else. The SDK's own
// loader also knows profiles, single sign-on and instance metadata, none of
// which a function has, and makes up a fifth of its binary.
func NewAWSConfig(settings config.AWS) aws.Config {
	c := aws.Config{
		Region:     settings.Region,
		HTTPClient: httpclient.New(attemptTimeout),
		Credentials: credentials.NewStaticCredentialsProvider(
			settings.AccessKeyID, settings.SecretKey, settings.SessionToken),
	}
	if settings.Endpoint != "" {
		c.BaseEndpoint = &settings.Endpoint
	}
	return c
}

// start ends a function that cannot start. Lambda logs the error and starts
// another one; API Gateway answers 500, which is our fault and says so.
func start(function config.Function) (Stack, aws.Config) {
	stack, sdk, err := loadStack(function)
	if err != nil {
		fail(err)
	}
	return stack, sdk
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "cannot start:", err)
	os.Exit(1)
}
