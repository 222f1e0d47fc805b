package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/ops/redrive"
	"payout-callbacks/pkg/provider"
)

// StackVariable is the environment variable with the path of a local
// stack's description.
const StackVariable = "PAYOUT_CALLBACKS_STACK"

// attemptTimeout bounds one attempt of a request: the SDK itself sets no limit.
const attemptTimeout = 10 * time.Second

// Stack describes the stack that a command works on. EndpointURL, DemoKeys and PID are
// set for the local stack only.
type Stack struct {
	localstack.Stack

	Local      bool
	NextAPIURL string // APIURL with the second path token, or ""
	AWS        aws.Config
}

// OpenStack loads the stack that the flags name.
func (s *Session) OpenStack(ctx context.Context) (Stack, error) {
	switch {
	case s.Opened != nil:
		return *s.Opened, nil
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
func (s Stack) Provider(name string) (provider.Description, error) {
	d, err := FindProvider(Provider(name))
	if err != nil {
		return d, err
	}
	if d, err = d.WithOutputs(s.Outputs); err != nil {
		return d, Failuref("deploy the template of this version", "%w", err)
	}
	return d, nil
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

// Outputs of template.yaml that the program reads, beside those of each provider.
const (
	OutputTopic = "AlarmTopicArn"
	OutputBus   = "PayoutBusName"

	outputAPI         = "ApiUrl"
	outputNextAPI     = "ApiUrlNext" // present while the stack accepts two path tokens
	outputReceipts    = "ReceiptsTableName"
	outputPayouts     = "PayoutsTableName"
	outputEvents      = "EventsQueueUrl"
	outputDeadLetters = "DeadLetterQueueUrl"
)

// loadDeployed reads the outputs of a stack that is deployed to AWS.
func (s *Session) loadDeployed(ctx context.Context, name string) (Stack, error) {
	sdk, err := s.awsConfig(ctx)
	if err != nil {
		return Stack{}, err
	}
	outputs, err := readOutputs(ctx, sdk, name)
	if err != nil {
		return Stack{}, err
	}
	for _, output := range []string{outputAPI, outputReceipts, outputPayouts} {
		if outputs[output] == "" {
			return Stack{}, Failuref("is it a stack of this application? If it is an old one, deploy template.yaml again",
				"stack %s has no output %s", name, output)
		}
	}
	return Stack{
		Stack: localstack.Stack{
			Name: name, APIURL: outputs[outputAPI],
			ReceiptsTable: outputs[outputReceipts], PayoutsTable: outputs[outputPayouts],
			EventsQueueURL: outputs[outputEvents], DeadLetterQueueURL: outputs[outputDeadLetters],
			KeySecrets: secretsIn(outputs), Outputs: outputs,
		},
		NextAPIURL: outputs[outputNextAPI],
		AWS:        sdk,
	}, nil
}

// awsConfig reads the usual AWS configuration. It retrieves credentials at once, so
// that missing credentials are not reported as a denied request.
func (s *Session) awsConfig(ctx context.Context) (aws.Config, error) {
	sdk, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithRegion(s.Flags.Region),
		awsconfig.WithSharedConfigProfile(s.Flags.Profile),
		awsconfig.WithHTTPClient(HTTPClient()),
	)
	if err != nil {
		return sdk, Failuref("check AWS_PROFILE or --profile, and ~/.aws/config", "read AWS configuration: %w", err)
	}
	if sdk.Region == "" {
		return sdk, Usagef("add --region, or set AWS_REGION", "no AWS region is configured")
	}
	if _, err := sdk.Credentials.Retrieve(ctx); err != nil {
		return sdk, Failuref("sign in (aws sso login), or set AWS_PROFILE or --profile", "no AWS credentials found")
	}
	return sdk, nil
}

// readOutputs returns the outputs of a stack. A ValidationError means that the
// stack does not exist: the request holds nothing but its name.
func readOutputs(ctx context.Context, sdk aws.Config, name string) (map[string]string, error) {
	client := cloudformation.NewFromConfig(sdk)
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationError" || err == nil && len(out.Stacks) == 0 {
		return nil, Failuref("list them with: aws cloudformation describe-stacks --query 'Stacks[].StackName'",
			"stack %s does not exist in %s", name, sdk.Region)
	}
	if err != nil {
		return nil, err
	}
	outputs := map[string]string{}
	for _, output := range out.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return outputs, nil
}

// secretsIn returns the secret with the keys of each provider, from the outputs.
func secretsIn(outputs map[string]string) map[string]string {
	secrets := map[string]string{}
	for _, d := range providers.All() {
		secrets[d.Name()] = outputs[d.KeysOutput()]
	}
	return secrets
}

const startHint = "start one with: make run"

// loadLocal reads the description of the local stack. Its clients use the
// emulator's endpoint and credentials only, never the user's configuration, which
// may lead to a real account.
func (s *Session) loadLocal(ctx context.Context) (Stack, error) {
	path, err := s.localPath()
	if err != nil {
		return Stack{}, err
	}
	l, err := readLocal(path)
	if err != nil {
		return Stack{}, err
	}
	if err := checkEndpoint(ctx, l.EndpointURL); err != nil {
		return Stack{}, Failuref(startHint, "the local stack of %s does not answer: %w", path, err)
	}
	return Stack{
		Stack: l,
		Local: true,
		AWS: aws.Config{
			Region:       l.Region,
			BaseEndpoint: &l.EndpointURL,
			Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
			HTTPClient:   HTTPClient().WithTransportOptions(DisableProxy),
		},
	}, nil
}

func (s *Session) localPath() (string, error) {
	if path := s.Env(StackVariable); path != "" {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find working directory: %w", err)
	}
	for {
		path := filepath.Join(dir, ".local", "stack.json")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", Failuref(startHint, "no local stack is running: no .local/stack.json in this directory or a parent")
		}
		dir = parent
	}
}

func readLocal(path string) (localstack.Stack, error) {
	l, err := localstack.Read(path)
	switch {
	case errors.As(err, new(*fs.PathError)):
		return l, Failuref(startHint, "read local stack: %w", err)
	case err != nil:
		return l, Failuref(startHint, "read local stack %s: not written by make run", path)
	}
	for name, value := range map[string]string{
		"stackName": l.Name, "apiUrl": l.APIURL, "endpointUrl": l.EndpointURL,
		"region": l.Region, "receiptsTable": l.ReceiptsTable, "payoutsTable": l.PayoutsTable,
	} {
		if value == "" {
			return l, Failuref(startHint, "read local stack %s: it has no %s", path, name)
		}
	}
	return l, nil
}

// checkEndpoint connects to the endpoint once, so that a stopped stack is reported
// at once and not as a failed request.
func checkEndpoint(ctx context.Context, endpoint string) error {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" {
		return errors.New("its endpointUrl is not a URL")
	}
	dialer := net.Dialer{Timeout: 2 * time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", parsed.Host)
	if err != nil {
		return err
	}
	return connection.Close()
}
