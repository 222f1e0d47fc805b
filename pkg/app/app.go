// Package app wires the functions together: it alone knows both what the code
// needs and what a deployed stack has.
package app

import (
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/config"
	"payout-callbacks/pkg/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/sqsqueue"
	"payout-callbacks/pkg/telemetry"
)

// attemptTimeout bounds one attempt of any request to AWS. The SDK would wait
// for an answer for ever; it tries again within the caller's own deadline.
const attemptTimeout = time.Second

// stack is what every function has at hand.
type stack struct {
	config   config.Config
	aws      aws.Config
	queue    *sqsqueue.Queue
	inbox    *inbox.Inbox
	recorder *telemetry.Recorder
}

// newStack reads the environment and makes the clients; it calls nothing yet.
func newStack() (stack, error) {
	settings, err := config.Load(os.Getenv)
	if err != nil {
		return stack{}, fmt.Errorf("read configuration: %w", err)
	}
	sdk := newAWSConfig(settings.AWS)
	queue := &sqsqueue.Queue{
		Client:         sqs.NewFromConfig(sdk),
		EventsURL:      settings.EventsQueueURL,
		DeadLettersURL: settings.DeadLetterQueueURL,
	}
	return stack{
		config: settings,
		aws:    sdk,
		queue:  queue,
		inbox: &inbox.Inbox{
			Store: &dynamostore.Store{
				Client:   dynamodb.NewFromConfig(sdk),
				Receipts: settings.ReceiptsTable,
				Payouts:  settings.PayoutsTable,
			},
			Queue:       queue,
			DeadLetters: queue,
			Now:         time.Now,
		},
		recorder: telemetry.NewRecorder(os.Stdout, settings.MetricsNamespace, time.Now),
	}, nil
}

// newAWSConfig is made from what Lambda sets and nothing else. The SDK's own
// loader also knows profiles, single sign-on and instance metadata, none of
// which a function has, and makes up a fifth of its binary.
func newAWSConfig(settings config.AWS) aws.Config {
	made := aws.Config{
		Region:     settings.Region,
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(attemptTimeout),
		Credentials: credentials.NewStaticCredentialsProvider(
			settings.AccessKeyID, settings.SecretKey, settings.SessionToken),
	}
	if settings.Endpoint != "" {
		made.BaseEndpoint = &settings.Endpoint
	}
	return made
}

// must ends a function that cannot start. Lambda logs the error and starts
// another one; API Gateway answers 500, which is our fault and says so.
func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot start:", err)
		os.Exit(1)
	}
	return value
}
