package operate

import (
	"context"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// part is what can be paused.
type part struct {
	Part string `arg:"" enum:"consumer,sweeper,publisher" help:"consumer: applies events to payouts. sweeper: sends again what was not applied. publisher: tells other services."`
}

type Pause struct {
	part
	cli.ReasonFlags
}

const pausePermissions = `
Needs cloudformation:DescribeStacks, and for the consumer and the publisher the permissions
lambda:UpdateEventSourceMapping, lambda:GetEventSourceMapping and lambda:TagResource on the event source mapping, for the
sweeper scheduler:GetSchedule and scheduler:UpdateSchedule on the schedule and iam:PassRole on its role. --reason is kept
in the mapping's tag, or the schedule's description. A deploy that changes the mapping or the schedule takes a pause back.`

// Help gives examples.
func (Pause) Help() string {
	return `The kill switch: callbacks go on being verified, kept and acknowledged; what is paused happens later, in any order, with
the same result.

	consumer   no payout changes. Events wait in the queue for 4 days, and their receipts for ever. The sweeper goes on
	           sending what waits, so pause it as well if it is for more than minutes.
	sweeper    what the queue lost, or never got, is not sent again; dead letters are not taken in.
	publisher  other services hear nothing. The stream keeps changes for 24 hours: publish what is older again by hand.

Examples:

	payoutctl --stack payouts-prod pause consumer --reason "wrong amounts, INC-12"
	payoutctl --stack payouts-prod pause sweeper --reason "wrong amounts, INC-12"
` + pausePermissions
}

// Run pauses.
func (c *Pause) Run(ctx context.Context, s *cli.Session) error {
	return switchPart(ctx, s, c.Part, false, c.ReasonFlags)
}

type Resume struct {
	part
	cli.ReasonFlags
}

// Help gives examples.
func (Resume) Help() string {
	return `Takes a pause back. What waited is worked off at the pace that ConsumerConcurrency allows.

Examples:

	payoutctl --stack payouts-prod resume consumer --reason "fixed by deploy 81, INC-12"
` + pausePermissions
}

// Run resumes.
func (c *Resume) Run(ctx context.Context, s *cli.Session) error {
	return switchPart(ctx, s, c.Part, true, c.ReasonFlags)
}

func switchPart(ctx context.Context, s *cli.Session, part string, on bool, purpose cli.ReasonFlags) error {
	if err := purpose.Check(); err != nil {
		return err
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	it, err := stack.Part(part)
	if err != nil {
		return err
	}
	verb := map[bool]string{true: "resume", false: "pause"}[on]
	is, _, err := it.State(ctx)
	if err != nil {
		return err
	}
	if is != on {
		if err := s.Confirm(purpose.Yes, verb+" the "+part+" of stack "+stack.Name); err != nil {
			return err
		}
		if err := it.Set(ctx, on, cli.FormatChange(s.Now(), verb+" "+part, purpose.Reason)); err != nil {
			return err
		}
	} else {
		s.Notef("that is so already; nothing was changed")
	}
	if is, err = untilSwitched(ctx, it, on); err != nil {
		return err
	}
	return printPart(s, part, is)
}

func printPart(s *cli.Session, part string, on bool) error {
	if s.Flags.JSON {
		return s.PrintJSON(map[string]any{"part": part, "running": on})
	}
	return s.Print(part + "  " + map[bool]string{true: "running", false: "paused"}[on] + "\n")
}

// switchedWithin is how long a mapping may take to be enabled or disabled.
const switchedWithin = 2 * time.Minute

func untilSwitched(ctx context.Context, it cli.Part, on bool) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, switchedWithin)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		is, note, err := it.State(ctx)
		if err != nil || is == on {
			return is, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return is, cli.Failuref("look again in a minute", "it was asked for, but the state is still %s", note)
		}
	}
}
