package main_test

import (
	"bytes"
	"strings"
	"testing"

	payoutctl "payout-callbacks/cmd/payoutctl"
)

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
