// Package operate holds the commands of daily operation: rotate keys, pause and resume
// parts of a stack, and send callbacks as a provider does.
package operate

import (
	"context"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// part is the argument that names a part of a stack.
type part struct {
	Part string `arg:"" enum:"consumer,sweeper,publisher,reconciler" help:"consumer: applies events to payouts. sweeper: sends unapplied receipts again. publisher: publishes notifications. reconciler: asks providers about payouts."`
}

// Pause stops a part of a stack.
type Pause struct {
	part
	cli.ChangeFlags
}

const pausePermissions = `
Needs cloudformation:DescribeStacks, and for the consumer and the publisher the permissions
lambda:UpdateEventSourceMapping, lambda:GetEventSourceMapping and lambda:TagResource on the event source mapping, for the
sweeper and the reconciler scheduler:GetSchedule and scheduler:UpdateSchedule on the schedule and iam:PassRole on its role. --reason is
stored in the mapping's tag, or the schedule's description. A deploy that changes the mapping or the schedule ends a pause.`

// Help gives examples.
func (Pause) Help() string {
	return `Stops a part of the stack. Callbacks are still verified, stored and acknowledged; the paused work is done after resume,
in any order, with the same result.

	consumer    no payout changes. Messages wait in the queue for 4 days, receipts without limit. The sweeper keeps
	            sending them again, so pause it as well if the pause takes longer than minutes.
	sweeper     receipts without a message are not sent again; dead-letter messages are not recovered.
	publisher   no notifications. The stream keeps changes for 24 hours: publish older ones with publish.
	reconciler  no provider is asked, and no payout becomes overdue; reconcile still asks.

	payoutctl --stack payouts-prod pause consumer --reason "wrong amounts, INC-12"
	payoutctl --stack payouts-prod pause sweeper --reason "wrong amounts, INC-12"
` + pausePermissions
}

// Run pauses the part.
func (c *Pause) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	return change{s, stack, c.Part, false, c.ChangeFlags}.run(ctx)
}

// Resume starts a part of a stack again.
type Resume struct {
	part
	cli.ChangeFlags
}

// Help gives examples.
func (Resume) Help() string {
	return `Ends a pause. The backlog is processed at the rate that ConsumerConcurrency allows.

	payoutctl --stack payouts-prod resume consumer --reason "fixed by deploy 81, INC-12"
` + pausePermissions
}

// Run resumes the part.
func (c *Resume) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	return change{s, stack, c.Part, true, c.ChangeFlags}.run(ctx)
}

// change starts or stops a part of a stack.
type change struct {
	*cli.Session

	stack cli.Stack
	part  string
	on    bool
	flags cli.ChangeFlags
}

func (c change) run(ctx context.Context) error {
	part, err := c.stack.Part(c.part)
	if err != nil {
		return err
	}
	verb := map[bool]string{true: "resume", false: "pause"}[c.on]
	running, _, err := part.State(ctx)
	if err != nil {
		return err
	}
	if running != c.on {
		if err := c.Confirm(c.flags.Yes, verb+" the "+c.part+" of stack "+c.stack.Name); err != nil {
			return err
		}
		if err := part.Set(ctx, c.on, cli.FormatChange(c.Now(), verb+" "+c.part, c.flags.Reason)); err != nil {
			return err
		}
	} else {
		c.Notef("no change needed")
	}
	state := ""
	done, err := cli.Poll(ctx, time.Second, switchTimeout, func() (_ bool, err error) {
		running, state, err = part.State(ctx)
		return running == c.on, err
	})
	if err == nil && !done {
		err = cli.Failuref("check again in a minute", "the change was requested, but the state is still %s", state)
	}
	if err != nil {
		return err
	}
	view := struct {
		Part    string `json:"part"`
		Running bool   `json:"running"`
	}{c.part, running}
	return c.PrintResult(view, c.part+"  "+map[bool]string{true: "running", false: "paused"}[running]+"\n")
}

// switchTimeout is how long a mapping may take to be enabled or disabled.
const switchTimeout = 2 * time.Minute
