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
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"payout-callbacks/pkg/lambda/providers"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// functionFolders lists the folders of functions/. The template calls each function <Name>Function.
func functionFolders() []string {
	var folders []string
	for _, d := range providers.All() {
		folders = append(folders, d.Name())
	}
	return append(folders, "consumer", "sweeper", "publisher", "expected", "reconciler")
}

func logicalID(function string) string {
	return strings.ToUpper(function[:1]) + function[1:] + "Function"
}

// hostArchitecture returns the architecture of this machine, on which the emulator runs the functions, as the template
// calls it.
func hostArchitecture() string { return strings.Replace(runtime.GOARCH, "amd64", "x86_64", 1) }

// architecture returns the parameter that build, deploy and `sam local` must share.
func architecture() string { return "Architecture=" + hostArchitecture() }

// fetchModules downloads the modules of the functions and of payoutctl, so that the build needs no network.
func fetchModules(ctx context.Context, w workspace) error {
	cmd := exec.Command("go", "list", "-deps", "./functions/...", "./cmd/payoutctl")
	cmd.Dir = w.root
	cmd.Env = downloading(os.Environ())
	return runLogged(ctx, cmd, w.log("modules"))
}

func build(ctx context.Context, w workspace) error {
	goEnv, err := goEnvironment(ctx)
	if err != nil {
		return err
	}
	env := compiling(w, goEnv)
	// The build cache is filled before SAM builds, because SAM omits the compiler's error messages.
	if err := compile(ctx, w, env, "linux", "./functions/..."); err != nil {
		return err
	}
	if err := compile(ctx, w, env, runtime.GOOS, "-o", w.payoutctl(), "./cmd/payoutctl"); err != nil {
		return err
	}
	if err := samBuild(ctx, w, env); err != nil || runtime.GOOS == "linux" {
		return err
	}
	// The emulator runs the functions on this machine: it needs other binaries than those that SAM builds.
	for _, function := range functionFolders() {
		if err := compile(ctx, w, env, runtime.GOOS, "-o", filepath.Join(w.build(), logicalID(function), "bootstrap"), "./functions/"+function); err != nil {
			return err
		}
	}
	return nil
}

func compile(ctx context.Context, w workspace, env []string, system string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Dir = w.root
	cmd.Env = slices.Concat(env, []string{"GOOS=" + system, "GOARCH=" + runtime.GOARCH})
	return runLogged(ctx, cmd, w.log("build"))
}

// buildForContainer builds for Linux, which containers run on every machine.
func buildForContainer(ctx context.Context, w workspace) error {
	goEnv, err := goEnvironment(ctx)
	if err != nil {
		return err
	}
	return samBuild(ctx, w, compiling(w, goEnv))
}

func samBuild(ctx context.Context, w workspace, env []string) error {
	// By default SAM reads samconfig.toml, which configures real deployments.
	if err := os.WriteFile(w.samConfig(), []byte("version = 0.1\n"), 0o600); err != nil {
		return err
	}
	return runLogged(ctx, buildCommand(w, env), w.log("build"))
}

func buildCommand(w workspace, env []string) *exec.Cmd {
	return sam(w, env, "build", "--template", "template.yaml", "--build-dir", w.build(),
		"--parameter-overrides", architecture(), "OnEmulator=true")
}

func sam(w workspace, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(venvBin(w.root), "sam"), append(args, "--config-file", w.samConfig())...)
	cmd.Dir = w.root
	cmd.Env = env
	return cmd
}

const stackName = "payout-callbacks"

func deploy(ctx context.Context, w workspace) error {
	return runLogged(ctx, deployCommand(w, stackName), w.log("deploy"))
}

// deployCommand deploys the build as a stack that queries the providers; parameters have the form Name=value.
func deployCommand(w workspace, name string, parameters ...string) *exec.Cmd {
	args := []string{
		"deploy", "--template-file", w.build() + "/template.yaml", "--stack-name", name, "--region", region,
		"--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-confirm-changeset", "--no-progressbar",
		"--parameter-overrides", architecture(), "OnEmulator=true",
	}
	for _, d := range providers.All() {
		if d.Queries != nil {
			args = append(args, d.QueriesParameter()+"=all")
		}
	}
	return sam(w, isolated(w), append(args, parameters...)...)
}

func readOutputs(ctx context.Context, w workspace, name string) (map[string]string, error) {
	client := cloudformation.NewFromConfig(emulatorConfig(w.endpoint()))
	description, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return nil, err
	}
	outputs := map[string]string{}
	for _, output := range description.Stacks[0].Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return outputs, nil
}

// storeKeys stores the keys of the demo accounts.
func storeKeys(ctx context.Context, w workspace, s stack) error {
	client := secretsmanager.NewFromConfig(emulatorConfig(w.endpoint()))
	for _, d := range providers.All() {
		text, err := json.Marshal(d.Demo)
		if err != nil {
			return err
		}
		input := &secretsmanager.PutSecretValueInput{SecretId: aws.String(s.KeySecrets[d.Name()]), SecretString: aws.String(string(text))}
		if _, err := client.PutSecretValue(ctx, input); err != nil {
			return fmt.Errorf("store demo keys of %s: %w", d.Name(), err)
		}
	}
	return nil
}

// correctSweeper allows the sweeper to send messages in batches. The emulator requires an action of the name of that
// request, which AWS does not have: there, sqs:SendMessage covers it.
func correctSweeper(ctx context.Context, w workspace, s stack) error {
	var entry struct{ Configuration struct{ Role string } }
	call := apiCall{method: http.MethodGet, path: "/2015-03-31/functions/" + s.function("sweeper")}
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
	if err := callLambda(ctx, w, apiCall{method: http.MethodGet, path: mappings + query}, &list); err != nil {
		return err
	}
	if len(list.EventSourceMappings) != 1 {
		return errors.New("the consumer does not have exactly one event source mapping")
	}
	mapping := list.EventSourceMappings[0]
	number := strings.Trim(string(mapping.ScalingConfig.MaximumConcurrency), `"`)
	body := fmt.Sprintf(`{"ScalingConfig":{"MaximumConcurrency":%s}}`, number)
	return callLambda(ctx, w, apiCall{method: http.MethodPut, path: mappings + mapping.UUID, body: body}, &struct{}{})
}
