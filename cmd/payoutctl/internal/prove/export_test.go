package prove

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/ops/localstack"
)

// AlarmIn is what the tests use of the unexported names.
var AlarmIn = alarmIn

// CheckAudit returns what audit prints of a summary, and its exit code.
func CheckAudit(summary audit.Summary, from time.Time) (string, int) {
	view := auditView{Summary: summary, From: from, NotProven: notProven(summary)}
	code := 0
	if err := view.problem(); err != nil {
		code = cli.AsExitError(err).Code
	}
	return auditText(cli.Style{}, view, from), code
}

// Remedy returns the command that repairs a finding.
func Remedy(f audit.Finding) string { return remedy(&cli.Session{}, f) }

// Listen subscribes a listener.
func Listen(ctx context.Context, config aws.Config, topic string) error {
	d := &drill{Session: &cli.Session{Now: time.Now}, stack: cli.Stack{Stack: localstack.Stack{Name: "s"}, AWS: config}}
	_, err := d.listen(ctx, topic)
	return err
}

func newStack(name, topic string) cli.Stack {
	return cli.Stack{Stack: localstack.Stack{Name: name, Outputs: map[string]string{cli.OutputTopic: topic}}}
}

// CheckAlarms returns the finding about the alarms of a deployed stack, in words.
func CheckAlarms(name, topic string, all []types.MetricAlarm) string {
	return checkAlarms(newStack(name, topic), all).words()
}

// CheckLocalAlarms returns the finding about the alarms of the local stack, in words.
func CheckLocalAlarms(topic string, all []types.MetricAlarm) string {
	stack := newStack("s", topic)
	stack.Local = true
	return checkAlarms(stack, all).words()
}

// CheckSubscribers returns the finding about the subscribers of a deployed stack, in words.
func CheckSubscribers(confirmed, pending int) string {
	return checkSubscribers(false, confirmed, pending).words()
}

func (f finding) words() string { return string(f.Health) + ": " + f.Detail }
