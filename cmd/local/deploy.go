package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const stackName = "payout-callbacks"

func deploy(ctx context.Context, w workspace) error {
	return runLogged(ctx, deployCommand(w, stackName), w.log("deploy"))
}

// deployCommand deploys the build as a stack; parameters have the form Name=value.
func deployCommand(w workspace, name string, parameters ...string) *exec.Cmd {
	return sam(w, isolated(w), append([]string{
		"deploy", "--template-file", w.build() + "/template.yaml", "--stack-name", name, "--region", region,
		"--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-confirm-changeset", "--no-progressbar",
		"--parameter-overrides", architecture(), "OnEmulator=true",
	}, parameters...)...)
}

func readOutputs(ctx context.Context, w workspace, name string) (map[string]string, error) {
	cmd := sam(w, isolated(w), "list", "stack-outputs", "--stack-name", name, "--region", region, "--output", "json")
	log, err := os.Create(w.log("outputs"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, nil
	c, err := start(cmd)
	if err != nil {
		return nil, err
	}
	if err := c.wait(ctx); err != nil {
		return nil, fmt.Errorf("sam list stack-outputs: %w\n%s", err, tail(w.log("outputs")))
	}
	content, err := os.ReadFile(w.log("outputs"))
	if err != nil {
		return nil, err
	}
	var list []struct {
		Key   string `json:"OutputKey"`
		Value string `json:"OutputValue"`
	}
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, fmt.Errorf("sam list stack-outputs: %w\n%s", err, tail(w.log("outputs")))
	}
	outputs := make(map[string]string, len(list))
	for _, o := range list {
		outputs[o.Key] = o.Value
	}
	return outputs, nil
}

// storeKeys stores the keys of the demo accounts.
func storeKeys(ctx context.Context, w workspace, s stack) error {
	for provider := range s.KeySecrets {
		value := map[string]map[string]string{}
		for account, keys := range storedKeys(provider) {
			value[account] = map[string]string{"current": string(keys.Current), "previous": string(keys.Previous)}
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		_, err = newSecrets(w).PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
			SecretId:     aws.String(s.KeySecrets[provider]),
			SecretString: aws.String(string(text)),
		})
		if err != nil {
			return fmt.Errorf("store demo keys of %s: %w", provider, err)
		}
	}
	return nil
}

// correctSweeper allows the sweeper to send messages in batches. The emulator requires an action of the name of that
// request, which AWS does not have: there, sqs:SendMessage covers it.
func correctSweeper(ctx context.Context, w workspace, s stack) error {
	var entry struct{ Configuration struct{ Role string } }
	call := lambdaCall{method: http.MethodGet, path: "/2015-03-31/functions/" + s.function("sweeper")}
	if err := callLambda(ctx, w, call, &entry); err != nil {
		return err
	}
	_, role, _ := strings.Cut(entry.Configuration.Role, ":role/")
	queue := s.EventsQueueURL[strings.LastIndex(s.EventsQueueURL, "/")+1:]
	return callIAM(ctx, w, "PutRolePolicy", url.Values{
		"RoleName":   {role},
		"PolicyName": {"emulator"},
		"PolicyDocument": {fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+
			`"Action":"sqs:SendMessageBatch","Resource":"arn:aws:sqs:%s:000000000000:%s"}]}`, region, queue)},
	})
}

// correctMapping sets the consumer's MaximumConcurrency again, as a number. Unlike AWS, the emulator keeps a parameter of
// type Number as text, and then its poller delivers no message.
func correctMapping(ctx context.Context, w workspace, s stack) error {
	const mappings = "/2015-03-31/event-source-mappings/"
	var list struct {
		EventSourceMappings []struct {
			UUID          string
			ScalingConfig struct{ MaximumConcurrency json.RawMessage }
		}
	}
	query := "?FunctionName=" + url.QueryEscape(s.function("consumer"))
	if err := callLambda(ctx, w, lambdaCall{method: http.MethodGet, path: mappings + query}, &list); err != nil {
		return err
	}
	if len(list.EventSourceMappings) != 1 {
		return errors.New("the consumer does not have exactly one event source mapping")
	}
	mapping := list.EventSourceMappings[0]
	number := strings.Trim(string(mapping.ScalingConfig.MaximumConcurrency), `"`)
	body := fmt.Sprintf(`{"ScalingConfig":{"MaximumConcurrency":%s}}`, number)
	return callLambda(ctx, w, lambdaCall{http.MethodPut, mappings + mapping.UUID, body}, &struct{}{})
}
