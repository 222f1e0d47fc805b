package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/notification"
)

const outputBus = "PayoutBusName"

// publishCommand publishes notices again.
type publishCommand struct {
	Since    string `required:"" help:"Payouts that were updated since then: a time (2026-11-21T08:00:00Z, or 2026-11-21 in UTC), or how long ago (90m, 36h, 2d)." placeholder:"WHEN"`
	Provider string `help:"Those of this provider." placeholder:"NAME"`
	DryRun   bool   `help:"Count, and publish nothing."`
	Reason   string `required:"" help:"Why. It is in each notice, for those who meet it a second time." placeholder:"TEXT"`
	Yes      bool   `help:"Do not ask before publishing in a deployed stack."`
}

// Help gives examples.
func (publishCommand) Help() string {
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
func (c *publishCommand) Run(ctx context.Context, s *session) error {
	since, err := c.check(s.now())
	if err != nil {
		return err
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	bus := stack.outputs[outputBus]
	if bus == "" {
		return failure("deploy the template of this version", "stack %s has no bus for notices", stack.name)
	}
	if !c.DryRun {
		question := fmt.Sprintf("publish the notices of payouts updated since %s UTC again on bus %s", instant(since), bus)
		if err := s.confirm(c.Yes, question); err != nil {
			return err
		}
	}
	p := &republisher{
		session: s, bus: eventbus.New(stack.aws, bus), dryRun: c.DryRun, reason: c.Reason, printedAt: s.now(),
		result: republished{Stack: stack.name, Since: since, DryRun: c.DryRun, Reason: c.Reason, Notices: map[notification.Type]int{}},
	}
	err = p.publishAll(ctx, stack.reader().List(ctx, dynamostore.Filter{Since: since, Provider: c.Provider}))
	if shown := p.print(); err == nil {
		err = shown
	}
	return err
}

func (c *publishCommand) check(now time.Time) (time.Time, error) {
	if strings.TrimSpace(c.Reason) == "" {
		return time.Time{}, usage("", "--reason says why: it cannot be empty")
	}
	if c.Provider != "" {
		if _, err := providerNamed(c.Provider); err != nil {
			return time.Time{}, err
		}
	}
	since, err := parseSince(c.Since, now)
	if err != nil {
		return since, usage("a time, such as 2026-11-21T08:00:00Z, or how long ago, such as 36h", "--since: %w", err)
	}
	if since.After(now) {
		return since, usage("", "--since: %s UTC is not over yet", instant(since))
	}
	return since, nil
}

// parseSince reads a time, a day in UTC, or how long ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	if days, item := strings.CutSuffix(text, "d"); item {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n).UTC(), nil
		}
	}
	span, err := time.ParseDuration(text)
	if err != nil || span < 0 {
		return time.Time{}, fmt.Errorf("%q is neither a time nor a span of time", text)
	}
	return now.Add(-span).UTC(), nil
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

func (s *session) printRepublished(r republished) error {
	if s.flags.JSON {
		return s.printJSON(r)
	}
	did := "published"
	if r.DryRun {
		did = "would publish"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s of %s updated since %s UTC\n", did, count(r.total(), "notice"), count(r.Payouts, "payout"), instant(r.Since))
	rows := table{style: s.style(), indent: "  "}
	for _, kind := range slices.Sorted(maps.Keys(r.Notices)) {
		rows.add(plain(string(kind), strconv.Itoa(r.Notices[kind]))...)
	}
	if r.OnTheWay > 0 {
		rows.add(plain("on their way, nothing to tell", strconv.Itoa(r.OnTheWay))...)
	}
	return s.print(out.String() + rows.String())
}

// damagedPayouts is what is left to do where some could not be read.
func (r republished) damagedPayouts() error {
	if r.Damaged == 0 {
		return nil
	}
	return no("they are named above; a newer version of this program may have written them, or somebody by hand",
		"%s cannot be read, and nothing was published of what they show", count(r.Damaged, "payout"))
}
