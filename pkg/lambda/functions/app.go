// Package functions holds the Lambda functions and wires them: it connects the
// application with what a deployed stack has.
//
// It promises that each function reads only its own settings, that its requests
// to AWS have deadlines, and that it has time to answer. What a callback, message
// or record leads to is left to packages callback, consumer, publisher and inbox.
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
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/reconcile"
)

// attemptTimeout bounds each attempt of a request to AWS. The SDK has no such
// bound; it retries within the caller's deadline.
const attemptTimeout = time.Second

// Stack holds what the functions use. Its Handle methods are the handlers that
// Lambda invokes; tools/storm invokes them in one process.
type Stack struct {
	Config   config.Config
	Queue    *sqsqueue.Queue
	Store    *dynamostore.Store
	Inbox    *inbox.Inbox
	Bus      publisher.Bus // of the publisher only
	Recorder *telemetry.Recorder
	Now      func() time.Time

	Expecter   *reconcile.Expecter   // of the function for expectations only
	Reconciler *reconcile.Reconciler // of the reconciler only
}

// Clients are the AWS clients of a stack.
type Clients struct {
	DynamoDB *dynamodb.Client
	SQS      *sqs.Client
}

// NewStack returns a stack that writes its log lines to output. It sends no
// request.
func NewStack(settings config.Config, clients Clients, output io.Writer) Stack {
	queue := &sqsqueue.Queue{
		Client:         clients.SQS,
		EventsURL:      settings.EventsQueueURL,
		DeadLettersURL: settings.DeadLetterQueueURL,
	}
	store := &dynamostore.Store{
		Client:   clients.DynamoDB,
		Receipts: settings.ReceiptsTable,
		Payouts:  settings.PayoutsTable,
	}
	return Stack{
		Config: settings,
		Queue:  queue,
		Store:  store,
		Inbox: &inbox.Inbox{
			Store:       store,
			Queue:       queue,
			DeadLetters: queue,
			Now:         time.Now,
			Queries:     settings.Queries,
		},
		Recorder: telemetry.NewRecorder(output, settings.MetricsNamespace, time.Now),
		Now:      time.Now,
	}
}

// NewAWSConfig returns the SDK's configuration from what Lambda sets. The SDK's
// own loader also reads profiles, single sign-on and instance metadata, which a
// function does not have; it would be a fifth of the binary.
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

// loadStack returns the stack that the environment of a function describes. On
// an error it ends the process: Lambda logs the message and starts another one,
// and API Gateway answers 500.
func loadStack(function config.Function, providers ...provider.Description) (Stack, aws.Config) {
	settings, err := config.Load(function, providers, os.Getenv)
	if err != nil {
		exit(err)
	}
	sdk := NewAWSConfig(settings.AWS)
	clients := Clients{DynamoDB: dynamodb.NewFromConfig(sdk), SQS: sqs.NewFromConfig(sdk)}
	return NewStack(settings, clients, os.Stdout), sdk
}

// loadProvider returns a provider with its settings, and ends the process as loadStack
// does.
func loadProvider(function config.Function, d provider.Description) provider.Description {
	d, err := config.LoadProvider(function, d, os.Getenv)
	if err != nil {
		exit(err)
	}
	return d
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, "read configuration:", err)
	os.Exit(1)
}
