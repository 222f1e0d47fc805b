package repair

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/notification"
)

// Publish publishes the notifications of payouts again.
type Publish struct {
	Since    string `required:"" help:"Only payouts updated since: ${when}." placeholder:"WHEN"`
	Provider string `help:"Only payouts of this provider." placeholder:"NAME"`
	DryRun   bool   `help:"Count the notifications and publish nothing."`
	cli.ReasonFlags
}

// Help gives examples.
func (Publish) Help() string {
	return `For services that missed notifications (docs/EVENTS.md): the stream keeps changes for a day, or a queue or a table of a
service was lost. For each payout updated since then, the command publishes the notification of its current status,
marked as republished with the reason; earlier statuses are not published. A payout without a final status has no
notification.

The command can be interrupted and started again: a consumer that follows EVENTS.md acts once on each notification. It
scans the whole table of payouts, whatever --since is, which takes time and costs money on a large table.

Examples:

	payoutctl --stack payouts-prod publish --since 36h --dry-run --reason 'what would it be?'
	payoutctl --stack payouts-prod publish --since 2026-11-21T08:00:00Z --reason 'queue of the ledger was purged, INC-17'
	payoutctl --local publish --since 1h --provider pivot --reason test --json

Needs the permissions dynamodb:Scan on the payouts table, events:PutEvents on the bus (not with --dry-run) and
cloudformation:DescribeStacks. Exit code 0, also if there is nothing to publish; 1 if a payout cannot be read.`
}

// Run publishes the notifications.
func (c *Publish) Run(ctx context.Context, s *cli.Session) error {
	since, err := c.check(s)
	if err != nil {
		return err
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	bus := stack.Outputs[cli.OutputBus]
	if bus == "" {
		return cli.Failuref("deploy the template of this version", "stack %s has no output %s", stack.Name, cli.OutputBus)
	}
	if !c.DryRun {
		question := fmt.Sprintf("publish the notifications of payouts updated since %s UTC to bus %s again", cli.FormatTime(since), bus)
		if err := s.Confirm(c.Yes, question); err != nil {
			return err
		}
	}
	p := &republisher{
		Session: s, bus: eventbus.New(stack.AWS, bus), dryRun: c.DryRun, reason: c.Reason, progress: s.StartProgress(),
		result: republished{Stack: stack.Name, Since: since, DryRun: c.DryRun, Reason: c.Reason, Notifications: map[notification.Type]int{}},
	}
	err = p.publishAll(ctx, stack.Reader().List(ctx, dynamostore.Filter{Since: since, Provider: c.Provider}))
	if shown := printRepublished(s, p.result); err == nil {
		err = shown
	}
	return err
}

func (c *Publish) check(s *cli.Session) (time.Time, error) {
	if err := c.Check(); err != nil {
		return time.Time{}, err
	}
	if c.Provider != "" {
		if _, err := cli.FindProvider(c.Provider); err != nil {
			return time.Time{}, err
		}
	}
	since, err := s.ParseTime("--since", c.Since)
	if err != nil {
		return since, err
	}
	if since.IsZero() || since.After(s.Now()) {
		return since, cli.Usagef("", "--since: %s UTC is in the future", cli.FormatTime(since))
	}
	return since, nil
}

// republished is the result as --json prints it.
type republished struct {
	Stack         string                    `json:"stack"`
	Since         time.Time                 `json:"since"`
	DryRun        bool                      `json:"dryRun"`
	Reason        string                    `json:"reason"`
	Payouts       int                       `json:"payouts"` // that were read
	Pending       int                       `json:"pending"` // without a final status
	Damaged       int                       `json:"damaged"` // that cannot be read
	Notifications map[notification.Type]int `json:"notifications"`
}

func (r republished) total() int {
	total := 0
	for _, n := range r.Notifications {
		total += n
	}
	return total
}

func printRepublished(s *cli.Session, r republished) error {
	if s.Flags.JSON {
		return s.PrintJSON(r)
	}
	did := "published"
	if r.DryRun {
		did = "would publish"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s of %s updated since %s UTC\n", did, cli.Count(r.total(), "notification"), cli.Count(r.Payouts, "payout"), cli.FormatTime(r.Since))
	rows := cli.Table{Style: s.Style(), Indent: "  "}
	for _, kind := range slices.Sorted(maps.Keys(r.Notifications)) {
		rows.Add(cli.Cells(string(kind), strconv.Itoa(r.Notifications[kind]))...)
	}
	if r.Pending > 0 {
		rows.Add(cli.Cells("no final status, not published", strconv.Itoa(r.Pending))...)
	}
	return s.Print(out.String() + rows.String())
}

// damagedPayouts returns an error if payouts could not be read.
func (r republished) damagedPayouts() error {
	if r.Damaged == 0 {
		return nil
	}
	return cli.Negativef("they are listed above; a later version of this program wrote them, or they were edited by hand",
		"%s cannot be read, and not published", cli.Count(r.Damaged, "payout"))
}
