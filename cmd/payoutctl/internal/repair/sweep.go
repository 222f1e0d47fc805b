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

// sweepTimeout is longer than the function may run.
const sweepTimeout = 70 * time.Second

// sweepCommand runs the sweeper now.
type Sweep struct{}

// Help gives examples.
func (Sweep) Help() string {
	return `Runs the sweeper once, at once, also where its schedule is paused: what was not applied in time is sent again, and dead
letters that are ours are taken in. Any number of sweeps may run at the same time; each receipt is sent by one of them.

Examples:

	payoutctl --stack payouts-prod sweep
	payoutctl --stack payouts-prod sweep --json

Needs the permissions lambda:InvokeFunction on the sweeper, and cloudformation:DescribeStacks. It does what happens every
minute anyway, so that it asks for no reason. Exit code 1 where something is left for a person.`
}

// sweptView is what a sweep found, as --json shows it.
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

// Run sweeps.
func (c *Sweep) Run(ctx context.Context, s *cli.Session) error {
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	name := stack.Outputs[cli.OutputSweeperFunction]
	if name == "" {
		return cli.Failuref("deploy the template of this version", "stack %s does not tell its sweeper", stack.Name)
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
		return cli.Negativef("see them with: "+s.Program()+" dlq list", "%s not ours", cli.Count(result.Unreadable, "dead letter"))
	}
	return nil
}

func sweep(ctx context.Context, s cli.Stack, name string) (inbox.SweepResult, error) {
	client := lambda.NewFromConfig(s.AWS, func(o *lambda.Options) {
		// The function may run for longer than any other request is given, and a
		// second try would be a second sweep.
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
		return inbox.SweepResult{}, cli.Failuref("see its log", "the sweeper ran, but did not answer with what it found")
	}
	return result, nil
}

func printSweep(s *cli.Session, result inbox.SweepResult) error {
	if s.Flags.JSON {
		return s.PrintJSON(sweepView{
			result.Due, result.Resent, result.Unsendable, result.Recovered, result.Unreadable, result.Damaged, result.Skipped, int(result.OldestAge.Seconds()),
		})
	}
	text := fmt.Sprintf("%s due, %d sent again\n", cli.Count(result.Due, "receipt"), result.Resent)
	if result.OldestAge > 0 {
		text += "the oldest was accepted " + cli.FormatAge(result.OldestAge) + " ago\n"
	}
	text += fmt.Sprintf("%s taken in, %d not ours\n", cli.Count(result.Recovered, "dead letter"), result.Unreadable)
	if result.Unsendable > 0 {
		text += cli.Count(result.Unsendable, "receipt") + " refused by the queue, and applied without it\n"
	}
	if result.Skipped {
		text += "nothing was sent: the queue is full of work\n"
	}
	return s.Print(text)
}
