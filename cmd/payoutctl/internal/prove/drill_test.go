package prove_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"payout-callbacks/cmd/payoutctl/internal/prove"
)

func TestAlarmIn(t *testing.T) {
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
		if got := prove.AlarmIn(text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// If a step fails, the queue is deleted.
func TestListen_FailedStep(t *testing.T) {
	for _, fails := range []string{"GetQueueAttributes", "SetQueueAttributes", "Subscribe"} {
		t.Run(fails, func(t *testing.T) {
			deleted := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				operation := operationOf(r)
				deleted = deleted || operation == "DeleteQueue"
				if operation == fails {
					w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				_, _ = io.WriteString(w, map[string]string{
					"CreateQueue":        `{"QueueUrl": "http://` + r.Host + `/1/q"}`,
					"GetQueueAttributes": `{"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:1:q"}}`,
				}[operation])
			}))
			defer server.Close()
			err := prove.Listen(t.Context(), aws.Config{
				Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			}, "arn:aws:sns:us-east-1:1:topic")
			if err == nil {
				t.Error("no error")
			}
			if !deleted {
				t.Error("the queue is not deleted")
			}
		})
	}
}

func TestCheckAlarms(t *testing.T) {
	alarm := func(name string, enabled bool, state types.StateValue, actions ...string) types.MetricAlarm {
		return types.MetricAlarm{AlarmName: aws.String("s-" + name), ActionsEnabled: &enabled, StateValue: state, AlarmActions: actions}
	}
	quiet := alarm("held", true, types.StateValueOk, "topic")
	for name, test := range map[string]struct {
		alarms []types.MetricAlarm
		want   string
	}{
		"none":  {nil, "fail: the stack has no alarms"},
		"quiet": {[]types.MetricAlarm{quiet}, "ok: 1 alarm, all quiet"},
		"on":    {[]types.MetricAlarm{quiet, alarm("damaged", true, types.StateValueAlarm, "topic")}, "warn: 1 alarm on: damaged"},
		"blind": {[]types.MetricAlarm{alarm("damaged", true, types.StateValueInsufficientData, "topic")}, "unknown: none of 1 alarm has data yet"},
		"partly blind": {
			[]types.MetricAlarm{quiet, alarm("damaged", true, types.StateValueInsufficientData, "topic")},
			"warn: 1 of 2 alarms with no data yet: damaged",
		},
		"switched off":           {[]types.MetricAlarm{quiet, alarm("damaged", false, types.StateValueOk, "topic")}, "fail: notify nobody: damaged"},
		"notifies another topic": {[]types.MetricAlarm{alarm("damaged", true, types.StateValueAlarm, "other")}, "fail: notify nobody: damaged"},
	} {
		if got := prove.CheckAlarms("s", "topic", test.alarms); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := prove.CheckLocalAlarms("topic", []types.MetricAlarm{quiet}); !strings.HasPrefix(got, "unknown: 1 alarm; the emulator computes no metrics") {
		t.Errorf("of the local stack: %q", got)
	}
	for want, args := range map[string][2]int{
		"ok: 2 subscribers": {2, 0}, "warn: 1 subscriber, and 1 not confirmed": {1, 1}, "fail: none: 1 subscription not confirmed": {0, 1},
		"fail: none": {0, 0},
	} {
		if got := prove.CheckSubscribers(args[0], args[1]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// operationOf names the operation of a request to SQS or SNS.
func operationOf(r *http.Request) string {
	if _, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return operation
	}
	return r.PostFormValue("Action")
}
