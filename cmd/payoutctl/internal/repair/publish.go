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

// publishCommand publishes notices again.
type Publish struct {
	Since    string `required:"" help:"Payouts that were updated since then: a time (2026-11-21T08:00:00Z, or 2026-11-21 in UTC), or how long ago (90m, 36h, 2d)." placeholder:"WHEN"`
	Provider string `help:"Those of this provider." placeholder:"NAME"`
	DryRun   bool   `help:"Count, and publish nothing."`
	cli.ReasonFlags
}

// Help gives examples.
func (Publish) Help() string {
	return `For services that react to payouts (docs/EVENTS.md) and missed notices: the stream keeps changes for a day, a queue or
a table of theirs may have been lost. For each payout that was updated since then, the notice of what it shows now is put on
the bus again, marked as republished; what was shown in between is not told. A payout that is still on its way has none.

It may be interrupted and begun anew: a consumer that does as EVENTS.md says acts once, however often it is told.
It reads the whole table of payouts, whatever --since says, which takes time and costs money on a large one.

Examples:

	payoutctl --stack payouts-prod publish --since 36h --dry-run --reason 'what would it be?'
	payoutctl --stack payouts-prod publish --since 2026-11-21T08:00:00Z --reason 'queue of the ledger was purged, INC-17'
	payoutctl --local publish --since 1h --provider pivot --reason test --json

Needs the permissions dynamodb:Scan on the payouts table, events:PutEvents on the bus (not with --dry-run) and
cloudformation:DescribeStacks. Exit code 0, also where there are none; 1 where a payout cannot be read.`
}

// Run publishes.
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
		return cli.Failuref("deploy the template of this version", "stack %s has no bus for notices", stack.Name)
	}
	if !c.DryRun {
		question := fmt.Sprintf("publish the notices of payouts updated since %s UTC again on bus %s", cli.FormatTime(since), bus)
		if err := s.Confirm(c.Yes, question); err != nil {
			return err
		}
	}
	p := &republisher{
		Session: s, bus: eventbus.New(stack.AWS, bus), dryRun: c.DryRun, reason: c.Reason, progress: s.StartProgress(),
		result: republished{Stack: stack.Name, Since: since, DryRun: c.DryRun, Reason: c.Reason, Notices: map[notification.Type]int{}},
	}
	err = p.publishAll(ctx, stack.Reader().List(ctx, dynamostore.Filter{Since: since, Provider: c.Provider}))
	if shown := printRepublished(s, p.result); err == nil {
		err = shown
	}
	return err
}

func (c *Publish) check(s *cli.Session) (time.Time, error) {
	if err := c.ReasonFlags.Check(); err != nil {
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
		return since, cli.Usagef("", "--since: %s UTC is not over yet", cli.FormatTime(since))
	}
	return since, nil
}

// republished is what was done, as --json shows it.
type republished struct {
	Stack    string                    `json:"stack"`
	Since    time.Time                 `json:"since"`
	DryRun   bool                      `json:"dryRun"`
	Reason   string                    `json:"reason"`
	Payouts  int                       `json:"payouts"`  // read
	OnTheWay int                       `json:"onTheWay"` // of which there is nothing to tell yet
	Damaged  int                       `json:"damaged"`  // of which nothing can be told
	Notices  map[notification.Type]int `json:"notices"`
}

func (r republished) total() int {
	total := 0
	for _, n := range r.Notices {
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
	fmt.Fprintf(&out, "%s %s of %s updated since %s UTC\n", did, cli.Count(r.total(), "notice"), cli.Count(r.Payouts, "payout"), cli.FormatTime(r.Since))
	rows := cli.Table{Style: s.Style(), Indent: "  "}
	for _, kind := range slices.Sorted(maps.Keys(r.Notices)) {
		rows.Add(cli.Cells(string(kind), strconv.Itoa(r.Notices[kind]))...)
	}
	if r.OnTheWay > 0 {
		rows.Add(cli.Cells("on their way, nothing to tell", strconv.Itoa(r.OnTheWay))...)
	}
	return s.Print(out.String() + rows.String())
}

// damagedPayouts is what is left to do where some could not be read.
func (r republished) damagedPayouts() error {
	if r.Damaged == 0 {
		return nil
	}
	return cli.Negativef("they are named above; a newer version of this program may have written them, or somebody by hand",
		"%s cannot be read, and nothing was published of what they show", cli.Count(r.Damaged, "payout"))
}
