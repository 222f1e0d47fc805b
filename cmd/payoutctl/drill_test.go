package main_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	payoutctl "payout-callbacks/cmd/payoutctl"
)

func TestAnAlarmIsHeardWhenItGoesOff(t *testing.T) {
	notification := func(message string) string {
		text, _ := json.Marshal(map[string]string{"Type": "Notification", "Message": message})
		return string(text)
	}
	for text, want := range map[string]string{
		notification(`{"AlarmName":"s-held","NewStateValue":"ALARM"}`): "s-held",
		notification(`{"AlarmName":"s-held","NewStateValue":"OK"}`):    "",
		notification(`hello`): "",
		`hello`:               "",
	} {
		if got := payoutctl.AlarmIn(text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// Whatever step of listening fails, the queue that was made is removed.
func TestAListenerThatCannotListenLeavesNoQueue(t *testing.T) {
	for _, fails := range []string{"GetQueueAttributes", "SetQueueAttributes", "Subscribe"} {
		t.Run(fails, func(t *testing.T) {
			dir := t.TempDir()
			server := httptest.NewServer(scripted(dir))
			defer server.Close()
			for name, text := range map[string]string{
				"CreateQueue.json":        `{"QueueUrl": "` + server.URL + `/1/q"}`,
				"GetQueueAttributes.json": `{"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:1:q"}}`,
				"SetQueueAttributes.json": `{}`,
				"DeleteQueue.json":        `{}`,
				fails + ".error":          "AccessDeniedException",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := payoutctl.Listen(t.Context(), aws.Config{
				Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			}, "arn:aws:sns:us-east-1:1:topic")
			if err == nil {
				t.Error("it cannot listen, and nobody says so")
			}
			if _, err := os.Stat(filepath.Join(dir, "DeleteQueue.sent")); err != nil {
				t.Error("the queue stays")
			}
		})
	}
}

func TestAlarmsAreJudgedByWhomTheyTell(t *testing.T) {
	alarm := func(name string, enabled bool, state types.StateValue, actions ...string) types.MetricAlarm {
		return types.MetricAlarm{AlarmName: aws.String("s-" + name), ActionsEnabled: &enabled, StateValue: state, AlarmActions: actions}
	}
	quiet := alarm("held", true, types.StateValueOk, "topic")
	for name, test := range map[string]struct {
		alarms []types.MetricAlarm
		want   string
	}{
		"none":  {nil, "fail: there are none"},
		"quiet": {[]types.MetricAlarm{quiet}, "ok: 1 alarm, all quiet"},
		"on":    {[]types.MetricAlarm{quiet, alarm("damaged", true, types.StateValueAlarm, "topic")}, "warn: 1 alarm on: damaged"},
		"blind": {[]types.MetricAlarm{alarm("damaged", true, types.StateValueInsufficientData, "topic")}, "cannot tell: none of 1 alarm has data yet"},
		"partly blind": {
			[]types.MetricAlarm{quiet, alarm("damaged", true, types.StateValueInsufficientData, "topic")},
			"warn: 1 of 2 alarms with no data yet: damaged",
		},
		"switched off":  {[]types.MetricAlarm{quiet, alarm("damaged", false, types.StateValueOk, "topic")}, "fail: tell nobody: damaged"},
		"tells another": {[]types.MetricAlarm{alarm("damaged", true, types.StateValueAlarm, "other")}, "fail: tell nobody: damaged"},
	} {
		if got := payoutctl.CheckAlarms("s", "topic", test.alarms); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := payoutctl.CheckLocalAlarms("topic", []types.MetricAlarm{quiet}); !strings.HasPrefix(got, "cannot tell: 1 alarm, and the emulator computes no metrics") {
		t.Errorf("of the local stack: %q", got)
	}
	for want, args := range map[string][2]int{
		"ok: 2 subscribers": {2, 0}, "warn: 1 subscriber, and 1 not confirmed": {1, 1}, "fail: nobody: 1 subscription not confirmed": {0, 1},
		"fail: nobody: the topic has no subscribers": {0, 0},
	} {
		if got := payoutctl.CheckSubscribers(args[0], args[1]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// One alarm of two that is not heard of is exit code 1; whatever the drill ends
// with, states, queue and subscription are as they were.
func TestDrill_ReportsOneAlarmThatDoesNotReachTheTopic(t *testing.T) {
	for name, test := range map[string]struct {
		reaches []string
		code    int
		text    string
	}{
		"both": {[]string{"prod-held", "prod-refused"}, 0, ""},
		"one":  {[]string{"prod-held"}, 1, "payoutctl: 1 alarm did not reach the topic\n  is the alarm's action the topic? Was --wait long enough?\n"},
	} {
		t.Run(name, func(t *testing.T) {
			stack := newHealthyStack()
			stack.reaches = test.reaches
			stack.serve(t)
			var out, problems bytes.Buffer
			args := []string{"--stack", "prod", "--json", "drill", "--wiring", "--wait", "1ms", "--reason", "why", "--yes", "--yes-production"}
			if code := payoutctl.Run(args, &out, &problems); code != test.code || problems.String() != test.text {
				t.Errorf("exit code %d, %q, want %d, %q", code, problems.String(), test.code, test.text)
			}
			if got := strings.Count(out.String(), `"arrived":true`); got != len(test.reaches) {
				t.Errorf("%d arrived, want %d\n%s", got, len(test.reaches), out.String())
			}
			for operation, want := range map[string]int{"SetAlarmState": 4, "DeleteQueue": 1, "Unsubscribe": 1} {
				if got := strings.Count(strings.Join(stack.sent, " ")+" ", operation+" "); got != want {
					t.Errorf("%s was sent %d times, want %d", operation, got, want)
				}
			}
		})
	}
}
