package main_test

import (
	"bytes"
	"strings"
	"testing"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/pkg/lambda/providers"
)

// If one of two alarms does not arrive, the exit code is 1. In any case states, queue
// and subscription are restored.
func TestDrill_MissingNotification(t *testing.T) {
	for name, test := range map[string]struct {
		reaches []string
		code    int
		text    string
	}{
		"both": {[]string{"prod-held", "prod-refused"}, 0, ""},
		"one":  {[]string{"prod-held"}, 1, "payoutctl: 1 alarm did not reach the topic\n  check the alarm's action; a longer --wait may help\n"},
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

// The alarm on refused callbacks of each provider is triggered by forged callbacks.
func TestDrill_ForgedCallbacks(t *testing.T) {
	stack := newHealthyStack()
	stack.alarms = nil
	for _, d := range providers.All() {
		stack.alarms = append(stack.alarms, alarmState{"prod-" + d.Name() + "-refused", "OK", true})
		stack.reaches = append(stack.reaches, "prod-"+d.Name()+"-refused")
	}
	stack.serve(t)
	var out, problems bytes.Buffer
	args := []string{"--stack", "prod", "--json", "drill", "--wait", "1ms", "--reason", "why", "--yes", "--yes-production"}
	if code := payoutctl.Run(args, &out, &problems); code != 0 {
		t.Fatalf("exit code %d: %s", code, &problems)
	}
	for _, d := range providers.All() {
		if got := strings.Count(strings.Join(stack.sent, ";")+";", "callback of "+d.Name()+";"); got != 20 {
			t.Errorf("%d forged callbacks of %s, want 20", got, d.Name())
		}
	}
}
