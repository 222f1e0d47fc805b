package cli

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/redrive"
)

// StackVariable is the environment variable with the path of a local
// stack's description.
const StackVariable = "PAYOUT_CALLBACKS_STACK"

// attemptTimeout bounds one attempt of a request: the SDK itself sets no limit.
const attemptTimeout = 10 * time.Second

// Stack describes the stack that a command works on.
type Stack struct {
	Name               string
	Local              bool
	APIURL             string // callback paths are appended to it; it ends with the first path token, if any
	NextAPIURL         string // the same with the second path token, or ""
	ReceiptsTable      string
	PayoutsTable       string
	EventsQueueURL     string
	DeadLetterQueueURL string
	Secrets            map[string]string                  // provider → name of the secret that holds its keys
	DemoKeys           map[string]map[string]callback.Key // provider → account → key; local stack only
	Outputs            map[string]string                  // of the CloudFormation stack, by name
	AWS                aws.Config
}

// OpenStack loads the stack that the flags name.
func (s *Session) OpenStack(ctx context.Context) (Stack, error) {
	switch {
	case s.Flags.Stack != "":
		return s.loadDeployed(ctx, s.Flags.Stack)
	case s.Flags.Local || s.Env(StackVariable) != "":
		return s.loadLocal(ctx)
	}
	return Stack{}, Usagef("", "no stack given: --local for the one that make run starts, or --stack NAME for a deployed one")
}

// Output returns an output of the stack, which another version of the template may
// lack.
func (s Stack) Output(name string) (string, error) {
	if s.Outputs[name] == "" {
		return "", Failuref("deploy the template of this version", "stack %s has no output %s", s.Name, name)
	}
	return s.Outputs[name], nil
}

// Provider returns a provider with the settings of the stack's functions.
func (s Stack) Provider(name string) (functions.SigningProvider, error) {
	if _, err := FindProvider(Provider(name)); err != nil {
		return nil, err
	}
	providers, err := functions.ProvidersFromOutputs(s.Outputs)
	if err != nil {
		return nil, Failuref("deploy the template of this version", "%w", err)
	}
	return providers[slices.IndexFunc(providers, func(p functions.SigningProvider) bool { return p.Name() == name })], nil
}

// Reader returns a reader of the stack's tables.
func (s Stack) Reader() *dynamostore.Reader {
	return &dynamostore.Reader{
		Client:   dynamodb.NewFromConfig(s.AWS),
		Receipts: s.ReceiptsTable,
		Payouts:  s.PayoutsTable,
	}
}

// Editor returns a reader that also makes the changes reserved to operators.
func (s Stack) Editor() *dynamostore.Editor { return &dynamostore.Editor{Reader: *s.Reader()} }

// Inbox returns an inbox that accepts receipts as the functions do.
func (s Stack) Inbox(now func() time.Time) (*inbox.Inbox, error) {
	if err := s.checkQueues(); err != nil {
		return nil, err
	}
	return &inbox.Inbox{
		Store: &dynamostore.Store{Client: dynamodb.NewFromConfig(s.AWS), Receipts: s.ReceiptsTable, Payouts: s.PayoutsTable},
		Queue: &sqsqueue.Queue{Client: sqs.NewFromConfig(s.AWS), EventsURL: s.EventsQueueURL, DeadLettersURL: s.DeadLetterQueueURL},
		Now:   now,
	}, nil
}

// Redriver returns a redriver of the stack's dead-letter queue.
func (s Stack) Redriver() (*redrive.Redriver, error) {
	if err := s.checkQueues(); err != nil {
		return nil, err
	}
	queue := redrive.SQS{Client: sqs.NewFromConfig(s.AWS), EventsURL: s.EventsQueueURL, DeadLettersURL: s.DeadLetterQueueURL}
	return &redrive.Redriver{Queue: queue, Receipts: s.Reader()}, nil
}

func (s Stack) checkQueues() error {
	if s.EventsQueueURL == "" || s.DeadLetterQueueURL == "" {
		return Failuref("deploy the template of this version", "stack %s has no outputs %s and %s", s.Name, outputEvents, outputDeadLetters)
	}
	return nil
}

// HTTPClient returns a client with a timeout for each attempt.
func HTTPClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(attemptTimeout)
}

// DisableProxy keeps requests to a local stack away from the user's proxy.
func DisableProxy(transport *http.Transport) { transport.Proxy = nil }
