package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

// clone is a copy of the repository, in which the commands of docs/CONTRIBUTING.md run.
type clone struct {
	*testing.T

	root string
}

// The commands of docs/CONTRIBUTING.md add a provider, which verifies callbacks and holds
// them. A patch of its own package teaches it a status. Its callback then becomes a record
// and an event of the deployed stack. The last command takes it out again.
func TestContributing_AddProvider(t *testing.T) {
	if os.Getenv("PAYOUT_CALLBACKS_STACK") == "" {
		t.Skip("PAYOUT_CALLBACKS_STACK is not set; make test sets it")
	}
	c := newClone(t)
	lines := c.documented()
	c.run(lines["make provider NAME"])
	before := c.outputOf(lines["make provider-check"])
	if !strings.Contains(before, "not written") || strings.Contains(before, "failed  ") {
		t.Errorf("of a new provider:\n%s", before)
	}

	patch, err := filepath.Abs("testdata/acmepay.patch")
	if err != nil {
		t.Fatal(err)
	}
	c.run("git apply " + patch)
	c.run("git add -A && git commit -qm 'add acmepay'")
	if changed := c.outputOf("git diff --name-only HEAD~1 -- '*.go' ':!*/acmepay/*'"); strings.TrimSpace(changed) != registry {
		t.Errorf("other code changed: %s", changed)
	}
	c.run(lines["make provider-check"])

	s := c.startStack(lines["make run"])
	l := listen(t, s, "acmepay/")
	c.run(lines["go run ./cmd/payoutctl --local send"])
	const id payout.ID = "acmepay/payout/acmepay-demo-account/2001"
	reader := dynamostore.Reader{Client: dynamodb.NewFromConfig(configOf(s)), Receipts: s.ReceiptsTable, Payouts: s.PayoutsTable}
	eventually(t, "the payout has succeeded", func(ctx context.Context) bool {
		record, ok, err := reader.Record(ctx, id)
		return err == nil && ok && record.Status() == payout.Succeeded && record.Version == 1
	})
	eventually(t, "the event is published", func(ctx context.Context) bool { return l.hasSucceeded(ctx, t, id) })
	if history := c.run(lines["go run ./cmd/payoutctl --local show"]); !strings.Contains(history, "succeeded") {
		t.Errorf("show:\n%s", history)
	}

	c.run(lines["make provider REMOVE"])
	c.run("git add -A && git diff --cached --exit-code HEAD~1")
}

// newClone copies the files of the repository that git does not ignore. The copy uses the
// tools of the repository.
func newClone(t *testing.T) clone {
	t.Helper()
	root := templatetest.Root(t)
	c := clone{t, t.TempDir()}
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Skipf("the repository is not a clone of git: %v", err)
	}
	for name := range strings.SplitSeq(strings.Trim(string(names), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not yet from the index
		}
		info, statErr := os.Stat(filepath.Join(root, name))
		if err := errors.Join(err, statErr); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(c.root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, text, info.Mode().Perm())); err != nil {
			t.Fatal(err)
		}
	}
	venv := filepath.Join(".local", "venv")
	if err := errors.Join(os.Mkdir(filepath.Join(c.root, ".local"), 0o755), os.Symlink(filepath.Join(root, venv), filepath.Join(c.root, venv))); err != nil {
		t.Fatal(err)
	}
	c.run("git init -q && git add -A && git -c user.name=test -c user.email=test commit -qm before && git config user.name test && git config user.email test")
	return c
}

// documented returns the commands of the part of docs/CONTRIBUTING.md that adds a provider,
// by their beginnings.
func (c clone) documented() map[string]string {
	c.Helper()
	text, err := os.ReadFile(filepath.Join(c.root, "docs", "CONTRIBUTING.md"))
	if err != nil {
		c.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "## Add a provider\n")
	part, _, _ = strings.Cut(part, "\n## ")
	beginnings := []string{
		"make provider NAME", "make provider-check", "make run", "go run ./cmd/payoutctl --local send", "go run ./cmd/payoutctl --local show",
		"make provider REMOVE",
	}
	lines := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(part, -1) {
		for line := range strings.Lines(block[1]) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), "  #")
			isKnown := command == ""
			for _, beginning := range beginnings {
				if strings.HasPrefix(command, beginning) {
					isKnown, lines[beginning] = true, strings.TrimSpace(command)
				}
			}
			if !isKnown {
				c.Errorf("docs/CONTRIBUTING.md has the command %q, which no test runs", command)
			}
		}
	}
	if len(lines) != len(beginnings) {
		c.Fatalf("docs/CONTRIBUTING.md has the commands %q, want %q", lines, beginnings)
	}
	return lines
}

// command returns a command that runs in the copy, and does not use another stack.
func (c clone) command(line string) *exec.Cmd {
	command := exec.Command("sh", "-c", line)
	command.Dir = c.root
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); !strings.HasPrefix(name, "AWS_") && name != "PAYOUT_CALLBACKS_STACK" && name != "MAKEFLAGS" {
			command.Env = append(command.Env, pair)
		}
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

func (c clone) run(line string) string {
	c.Helper()
	out, err := c.command(line).CombinedOutput()
	if err != nil {
		c.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// outputOf runs a command that may fail.
func (c clone) outputOf(line string) string {
	out, _ := c.command(line).CombinedOutput()
	return string(out)
}

// startStack runs the command that runs the application on a free port, and waits until it
// is ready.
func (c clone) startStack(line string) localstack.Stack {
	c.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	command := c.command(fmt.Sprintf("exec %s PORT=%d", line, port))
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		c.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	c.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGINT)
		if err := <-ended; err != nil {
			c.Logf("%s: %v", line, err)
		}
	})
	var s localstack.Stack
	eventually(c.T, "the stack is ready", func(context.Context) bool {
		select {
		case err := <-ended:
			ended <- err
			c.Fatalf("%s: %v\n%s", line, err, out.String())
		default:
		}
		s, err = localstack.Read(filepath.Join(c.root, ".local", "stack.json"))
		return err == nil
	})
	return s
}

// eventually waits until a condition holds. The time is for busy machines.
func eventually(t *testing.T, condition string, holds func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !holds(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("not in time: %s", condition)
		case <-tick.C:
		}
	}
}

func configOf(s localstack.Stack) aws.Config {
	return aws.Config{BaseEndpoint: &s.EndpointURL, Region: s.Region, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// listener is a queue that receives the events of some payouts.
type listener struct {
	client *sqs.Client
	queue  string
}

func listen(t *testing.T, s localstack.Stack, prefix string) listener {
	t.Helper()
	client, bus := sqs.NewFromConfig(configOf(s)), eventbridge.NewFromConfig(configOf(s))
	name, busName := aws.String("listener"), aws.String(s.Outputs["PayoutBusName"])
	queue, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: name})
	if err != nil {
		t.Fatal(err)
	}
	arn := fmt.Sprintf("arn:aws:sqs:%s:000000000000:%s", s.Region, *name)
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"%s"}]}`, arn)
	_, policyErr := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: queue.QueueUrl, Attributes: map[string]string{"Policy": policy}})
	pattern := fmt.Sprintf(`{"source":["payout-callbacks"],"detail":{"payout":[{"prefix":"%s"}]}}`, prefix)
	_, ruleErr := bus.PutRule(t.Context(), &eventbridge.PutRuleInput{EventBusName: busName, Name: name, EventPattern: &pattern})
	targets := []types.Target{{Id: aws.String("queue"), Arn: &arn}}
	_, targetErr := bus.PutTargets(t.Context(), &eventbridge.PutTargetsInput{EventBusName: busName, Rule: name, Targets: targets})
	if err := errors.Join(policyErr, ruleErr, targetErr); err != nil {
		t.Fatal(err)
	}
	return listener{client, *queue.QueueUrl}
}

// hasSucceeded reports whether the event that a payout succeeded has arrived.
func (l listener) hasSucceeded(ctx context.Context, t *testing.T, id payout.ID) bool {
	t.Helper()
	out, err := l.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &l.queue, MaxNumberOfMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range out.Messages {
		var event struct {
			Detail notification.Notification `json:"detail"`
		}
		if err := json.Unmarshal([]byte(*message.Body), &event); err != nil {
			t.Fatalf("%s: %v", *message.Body, err)
		}
		if event.Detail.Payout == id && event.Detail.Status == payout.Succeeded {
			return true
		}
	}
	return false
}
