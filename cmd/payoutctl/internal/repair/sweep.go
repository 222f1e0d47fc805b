package repair

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
)

// sweepTimeout exceeds the timeout of the function.
const sweepTimeout = 70 * time.Second

// Sweep runs the sweeper.
type Sweep struct{}

// Help gives examples.
func (Sweep) Help() string {
	return `Runs the sweeper once, even if its schedule is paused: it sends receipts again that were not applied in time, and
recovers dead-letter messages. Several sweeps may run at the same time; each receipt is sent by one of them.

Examples:

	payoutctl --stack payouts-prod sweep
	payoutctl --stack payouts-prod sweep --json

Needs the permissions lambda:InvokeFunction on the sweeper, and cloudformation:DescribeStacks. The
sweeper runs every minute anyway, so the command asks for no reason. Exit code 1 if something needs an operator.`
}

// sweepView is the result of a sweep as --json prints it.
type sweepView struct {
	Due           int  `json:"due"`
	Sent          int  `json:"sent"`
	Unsendable    int  `json:"unsendable"`
	Recovered     int  `json:"recovered"`
	Unreadable    int  `json:"unreadable"`
	Damaged       int  `json:"damaged"`
	Skipped       bool `json:"skipped"`
	OldestSeconds int  `json:"oldestSeconds"`
}

// Run invokes the sweeper.
func (c *Sweep) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	name, err := stack.Output(cli.OutputSweeperFunction)
	if err != nil {
		return err
	}
	result, err := sweep(ctx, stack, name)
	if err != nil {
		return err
	}
	if err := printSweep(s, result); err != nil {
		return err
	}
	switch {
	case result.Damaged > 0:
		return cli.Negativef("see them with: "+s.Program()+" audit", "%s cannot be read", cli.Count(result.Damaged, "receipt"))
	case result.Unreadable > 0:
		return cli.Negativef("see them with: "+s.Program()+" dlq list", "%s unreadable", cli.Count(result.Unreadable, "dead-letter message"))
	}
	return nil
}

func sweep(ctx context.Context, s cli.Stack, name string) (inbox.SweepResult, error) {
	client := lambda.NewFromConfig(s.AWS, func(o *lambda.Options) {
		// The function may run longer than other requests, and a retry would be a
		// second sweep.
		client := cli.HTTPClient().WithTimeout(sweepTimeout)
		if s.Local {
			client = client.WithTransportOptions(cli.DisableProxy)
		}
		o.HTTPClient, o.Retryer = client, aws.NopRetryer{}
	})
	out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name})
	if err != nil {
		return inbox.SweepResult{}, err
	}
	var result inbox.SweepResult
	switch {
	case out.FunctionError != nil:
		return inbox.SweepResult{}, cli.Failuref("see its log: aws logs tail /aws/lambda/"+s.Name+"/sweeper --since 5m", "the sweeper failed")
	case json.Unmarshal(out.Payload, &result) != nil:
		return inbox.SweepResult{}, cli.Failuref("see its log", "the sweeper ran, and its result cannot be read")
	}
	return result, nil
}

func printSweep(s *cli.Session, result inbox.SweepResult) error {
	text := fmt.Sprintf("%s due, %d resent\n", cli.Count(result.Due, "receipt"), result.Resent)
	if result.OldestAge > 0 {
		text += "the oldest was accepted " + cli.FormatAge(result.OldestAge) + " ago\n"
	}
	text += fmt.Sprintf("%s recovered, %d unreadable\n", cli.Count(result.Recovered, "dead-letter message"), result.Unreadable)
	if result.Unsendable > 0 {
		text += cli.Count(result.Unsendable, "receipt") + " rejected by the queue, and applied without it\n"
	}
	if result.Skipped {
		text += "nothing was resent: the queue has a backlog\n"
	}
	view := sweepView{
		result.Due, result.Resent, result.Unsendable, result.Recovered, result.Unreadable, result.Damaged, result.Skipped, int(result.OldestAge.Seconds()),
	}
	return s.PrintResult(view, text)
}
