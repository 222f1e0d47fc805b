package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
)

// Outputs of template.yaml that the program reads. keysSecretSuffix follows a
// provider's name.
const (
	outputAPI         = "ApiUrl"
	outputNextAPI     = "ApiUrlNext" // present while the stack accepts two path tokens
	outputReceipts    = "ReceiptsTableName"
	outputPayouts     = "PayoutsTableName"
	outputEvents      = "EventsQueueUrl"
	outputDeadLetters = "DeadLetterQueueUrl"
	keysSecretSuffix  = "KeysSecret"
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
		Name:               name,
		APIURL:             outputs[outputAPI],
		NextAPIURL:         outputs[outputNextAPI],
		ReceiptsTable:      outputs[outputReceipts],
		PayoutsTable:       outputs[outputPayouts],
		EventsQueueURL:     outputs[outputEvents],
		DeadLetterQueueURL: outputs[outputDeadLetters],
		Secrets:            secretsIn(outputs),
		Outputs:            outputs,
		AWS:                sdk,
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

// secretsIn finds the secrets by the names of their outputs: CregisKeysSecret
// belongs to provider cregis.
func secretsIn(outputs map[string]string) map[string]string {
	secrets := map[string]string{}
	for output, value := range outputs {
		if provider, ok := strings.CutSuffix(output, keysSecretSuffix); ok {
			secrets[strings.ToLower(provider)] = value
		}
	}
	return secrets
}

// OutputTopic names the SNS topic of the alarms.
const OutputTopic = "AlarmTopicArn"

// OutputBus names the EventBridge bus.
const OutputBus = "PayoutBusName"

// OutputSweeperFunction names the sweeper's function.
const OutputSweeperFunction = "SweeperFunctionName"
