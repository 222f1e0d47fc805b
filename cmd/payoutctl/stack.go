package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/keyring"
)

// stackVariable names the environment variable with the path of a local
// stack's description.
const stackVariable = "PAYOUT_CALLBACKS_STACK"

// attemptTimeout bounds one attempt of a request: the SDK would wait for ever.
const attemptTimeout = 10 * time.Second

// stack is what is known of the stack that a command works on.
type stack struct {
	name               string
	local              bool
	apiURL             string // the callbacks' paths are appended to it; it ends with a path token if there is a first one
	nextAPIURL         string // the same with the second path token, "" without one
	receiptsTable      string
	payoutsTable       string
	eventsQueueURL     string
	deadLetterQueueURL string
	secrets            map[string]string                  // provider → name of the secret with its keys
	demoKeys           map[string]map[string]callback.Key // provider → account → key; of a local stack only
	outputs            map[string]string                  // of the template, by name
	aws                aws.Config
}

func (s *session) stack(ctx context.Context) (stack, error) {
	switch {
	case s.flags.Stack != "":
		return s.deployedStack(ctx, s.flags.Stack)
	case s.flags.Local || s.env(stackVariable) != "":
		return s.localStack(ctx)
	}
	return stack{}, usage("", "say which stack: --local for the one that make run started, or --stack NAME for a deployed one")
}

func (s *session) reader(ctx context.Context) (*dynamostore.Reader, error) {
	stack, err := s.stack(ctx)
	if err != nil {
		return nil, err
	}
	return stack.reader(), nil
}

// provider returns a provider as the stack's functions parse its callbacks.
func (s stack) provider(name string) (functions.SigningProvider, error) {
	if _, err := providerNamed(name); err != nil {
		return nil, err
	}
	providers, err := functions.ProvidersOf(s.outputs)
	if err != nil {
		return nil, failure("deploy the template of this version", "%w", err)
	}
	return providers[slices.IndexFunc(providers, func(p functions.SigningProvider) bool { return p.Name() == name })], nil
}

func (s stack) reader() *dynamostore.Reader {
	return &dynamostore.Reader{
		Client:   dynamodb.NewFromConfig(s.aws),
		Receipts: s.receiptsTable,
		Payouts:  s.payoutsTable,
	}
}

// editor writes by hand what the functions never do.
func (s stack) editor() *dynamostore.Editor { return &dynamostore.Editor{Reader: *s.reader()} }

// inbox accepts receipts as the functions do.
func (s stack) inbox(now func() time.Time) (*inbox.Inbox, error) {
	if s.eventsQueueURL == "" {
		return nil, failure("deploy the template of this version", "stack %s does not tell its events queue", s.name)
	}
	return &inbox.Inbox{
		Store: &dynamostore.Store{Client: dynamodb.NewFromConfig(s.aws), Receipts: s.receiptsTable, Payouts: s.payoutsTable},
		Queue: &sqsqueue.Queue{Client: sqs.NewFromConfig(s.aws), EventsURL: s.eventsQueueURL, DeadLettersURL: s.deadLetterQueueURL},
		Now:   now,
	}, nil
}

// keyring is the secret with a provider's keys.
func (s stack) keyring(provider string) (keyring.Store, error) {
	name, err := s.secretOf(provider)
	return keyring.Store{Client: secretsmanager.NewFromConfig(s.aws), Name: name}, err
}

func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(attemptTimeout)
}

// direct takes the user's proxy out of the way to a local stack.
func direct(transport *http.Transport) { transport.Proxy = nil }

func (s stack) secretOf(provider string) (string, error) {
	name := s.secrets[provider]
	if name == "" {
		return "", failure("deploy the template of this version", "stack %s has no secret for the keys of %s", s.name, provider)
	}
	return name, nil
}
