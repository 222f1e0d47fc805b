package main_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/rogpeppe/go-internal/testscript"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"payoutctl": payoutctl.Main})
}

// Without it, a program with the race detector sleeps for a second at exit.
const noExitSleep = "atexit_sleep_ms=0"

// The scripts in testdata/script need no stack: an application in memory answers
// callbacks, and the scripts contain the answers of AWS.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			fake := newFakes(env)
			env.Setenv("GORACE", noExitSleep)
			env.Setenv("VECTORS", filepath.Join(repository(t), "pkg", "provider"))
			env.Setenv("FAKE_AWS", fake.aws)
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("AWS_CONFIG_FILE", filepath.Join(env.WorkDir, "none"))
			env.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(env.WorkDir, "none"))
			older := fake.writeStack(filepath.Join(env.WorkDir, "older"), "demoKeys")
			return cmp.Or(older, fake.writeStack(filepath.Join(env.WorkDir, "stack")))
		},
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// The scripts in testdata/stack run against the deployed template.
func TestStackScripts(t *testing.T) {
	stack := os.Getenv("PAYOUT_CALLBACKS_STACK")
	if stack == "" {
		t.Skip("PAYOUT_CALLBACKS_STACK names no local stack; make test starts one")
	}
	stack, err := filepath.Abs(stack)
	if err != nil {
		t.Fatal(err)
	}
	var run atomic.Int64
	run.Store(time.Now().UnixNano() / 1000) //nolint:mnd // microseconds: sixteen digits, as ids have
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "stack"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PAYOUT_CALLBACKS_STACK", stack)
			env.Setenv("GORACE", noExitSleep)
			env.Setenv("VECTORS", filepath.Join(repository(t), "pkg", "provider"))
			// Unique ids, so that a script can run repeatedly on one stack.
			env.Setenv("RUN", strconv.FormatInt(run.Add(1), 10))
			env.Setenv("DAY", time.Now().UTC().Format(time.DateOnly))
			// The user's configuration must not matter.
			env.Setenv("AWS_ENDPOINT_URL", "https://hostile.invalid")
			env.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://hostile.invalid")
			env.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "https://hostile.invalid")
			env.Setenv("AWS_PROFILE", "hostile")
			env.Setenv("HTTP_PROXY", "http://hostile.invalid")
			return nil
		},
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "eventually": eventually, "delivered": delivered, "plant": plant, "enqueue": enqueue, "order": order,
		},
	})
}

// exits runs a command and checks its exit code: exits 2 payoutctl show. testscript
// itself only distinguishes 0 from other codes.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = codeOf(err)
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s\n%s%s", got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

func codeOf(err error) string {
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		return strconv.Itoa(exit.ExitCode())
	}
	return fmt.Sprint(err)
}

// patience bounds the waits of a script, for a busy machine.
const patience = 5 * time.Minute

// eventually runs a command until it succeeds and prints something that
// matches: eventually 'REGEXP' COMMAND [ARGUMENT...].
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually REGEXP COMMAND [ARGUMENT...]")
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if err := ts.Exec(args[1], args[2:]...); err == nil && matches(args[0], ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("nothing matched %q:\n%s%s", args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
}

// delivered runs payoutctl send and retries server errors as a provider does: on a busy
// machine the requests of a function may time out. It must end with exit code 0.
func delivered(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: delivered payoutctl [ARGUMENT...] send [ARGUMENT...]")
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		busy := matches(`^5\d\d  |"code":5\d\d,`, ts.ReadFile("stdout"))
		if !busy || time.Now().After(deadline) {
			ts.Fatalf("%v\n%s%s", err, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
		}
	}
}

// enqueue sends a message to a queue of the stack: enqueue deadLetterQueueUrl FILE, or
// enqueue deadLetterQueueUrl --event ID for a message with an event. It prints the
// message id.
func enqueue(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: enqueue QUEUE FILE | enqueue QUEUE --event ID")
	}
	var stack map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(ts.Getenv("PAYOUT_CALLBACKS_STACK"))), &stack))
	text := ""
	if args[1] == "--event" {
		event := payout.Event{ID: payout.ID(args[2]), Status: payout.Succeeded, Amount: "1", Currency: "TRX"}
		encoded, err := sqsqueue.Encode(inbox.NewReceipt(event, []byte("made by a script"), "0a1b2c", time.Now()))
		ts.Check(err)
		text = encoded
	} else {
		text = ts.ReadFile(args[1])
	}
	client := sqs.New(sqs.Options{
		Region: stack["region"].(string), BaseEndpoint: aws.String(stack["endpointUrl"].(string)),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	sent, err := client.SendMessage(context.Background(), &sqs.SendMessageInput{QueueUrl: aws.String(stack[args[0]].(string)), MessageBody: &text})
	ts.Check(err)
	_, err = io.WriteString(ts.Stdout(), *sent.MessageId+"\n")
	ts.Check(err)
	ts.Setenv("MESSAGE", *sent.MessageId)
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}
