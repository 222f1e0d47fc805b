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

// Outputs of template.yaml that are used. keysSecretSuffix follows a
// provider's name.
const (
	outputAPI         = "ApiUrl"
	outputNextAPI     = "ApiUrlNext" // there while two path tokens are accepted
	outputReceipts    = "ReceiptsTableName"
	outputPayouts     = "PayoutsTableName"
	outputEvents      = "EventsQueueUrl"
	outputDeadLetters = "DeadLetterQueueUrl"
	keysSecretSuffix  = "KeysSecret"
)

// deployedStack reads the outputs of a stack that was deployed to AWS.
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
			return Stack{}, Failuref("is it a stack of this application? Deploy its template.yaml again if it is an old one",
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

// awsConfig reads the usual AWS configuration. Credentials are fetched here,
// where their absence can be told from a refusal.
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
		return sdk, Failuref("sign in (aws sso login), or set AWS_PROFILE or --profile", "there are no AWS credentials")
	}
	return sdk, nil
}

// readOutputs returns the outputs of a stack. Whatever CloudFormation calls
// invalid in a request that holds a name only is the name.
func readOutputs(ctx context.Context, sdk aws.Config, name string) (map[string]string, error) {
	client := cloudformation.NewFromConfig(sdk)
	describeStacksOutput, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationError" || err == nil && len(describeStacksOutput.Stacks) == 0 {
		return nil, Failuref("list them with: aws cloudformation describe-stacks --query 'Stacks[].StackName'",
			"there is no stack %s in %s", name, sdk.Region)
	}
	if err != nil {
		return nil, err
	}
	outputs := map[string]string{}
	for _, output := range describeStacksOutput.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return outputs, nil
}

// secretsIn finds the secrets by their outputs' names: CregisKeysSecret is that
// of provider cregis.
func secretsIn(outputs map[string]string) map[string]string {
	secrets := map[string]string{}
	for output, value := range outputs {
		if provider, item := strings.CutSuffix(output, keysSecretSuffix); item {
			secrets[strings.ToLower(provider)] = value
		}
	}
	return secrets
}

// outputTopic names the topic that alarms go to.
const OutputTopic = "AlarmTopicArn"

const OutputBus = "PayoutBusName"

// outputSweeperFunction names the sweeper's function.
const OutputSweeperFunction = "SweeperFunctionName"
