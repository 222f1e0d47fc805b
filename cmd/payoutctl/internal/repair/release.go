package repair

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/repair"
)

// Release parses held callbacks again and applies those that are understood now.
type Release struct {
	Held       []string       `arg:"" optional:"" name:"held" help:"Ids of held callbacks, as listed by receipts held."`
	All        bool           `help:"All held callbacks that match --provider and --held-reason."`
	Provider   cli.Provider   `help:"With --all: only callbacks of this provider." placeholder:"NAME"`
	HeldReason cli.HeldReason `help:"With --all: only callbacks held for this reason: ${reasons}." placeholder:"REASON"`
	cli.PlannedChangeFlags
}

// Help gives examples.
func (Release) Help() string {
	return `An authentic callback that is not understood is held. Once this program's code understands it, release parses the
stored body again: the event gets its own receipt and is applied as usual. Deploy the same version first, or functions
and program disagree. A callback stays held if it is still not understood, if its body was cut because it was too large,
or if its signature covers two readings: ask the provider, then dismiss it. The command can be interrupted and run
again, also by two operators at once: each callback is applied once.

	payoutctl --local release --all --dry-run
	payoutctl --stack payouts-prod release --all --provider pivot --held-reason unknown-status --reason 'v2.3 knows REVERSED'
	payoutctl --stack payouts-prod release held/pivot/payout/M/x8Z --reason 'v2.3 knows REVERSED' --yes

Needs the permissions dynamodb:Query, dynamodb:GetItem, dynamodb:PutItem and dynamodb:UpdateItem on the receipts table
and its index, sqs:SendMessage on the events queue, cloudformation:DescribeStacks and sts:GetCallerIdentity. Exit code
1 if a named callback is still held, does not exist or was changed by another operator.`
}

// Check returns an error if the flags do not select callbacks, or the reason is missing.
func (c *Release) Check(s *cli.Session) error {
	switch {
	case len(c.Held) == 0 && !c.All:
		return cli.Usagef("give their ids, or --all", "no held callback given")
	case len(c.Held) > 0 && (c.All || c.Provider != "" || c.HeldReason != ""):
		return cli.Usagef("", "give either ids of held callbacks, or --all with --provider and --held-reason")
	}
	return cmp.Or(c.PlannedChangeFlags.Check(), checkHeldIDs(s, c.Held))
}

func checkHeldIDs(s *cli.Session, ids []string) error {
	for _, id := range ids {
		if !strings.HasPrefix(id, display.HeldPrefix) {
			return cli.Usagef("list them with: "+s.Program()+" receipts held", "%q is not the id of a held callback", cli.Clean(id))
		}
	}
	return nil
}

// Run prints how the callbacks are parsed today, and then releases those that are
// understood.
func (c *Release) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	run := releaseRun{Session: s, stack: stack}
	understood, err := run.each(c.list(ctx, stack), nil)
	if err != nil || c.DryRun {
		return err
	}
	if understood > 0 {
		if err := c.release(ctx, &run, understood); err != nil {
			return err
		}
	}
	// With --all, callbacks that are not understood are expected to stay.
	if len(c.Held) > 0 && run.remaining > 0 {
		return cli.Negativef("see: "+s.Program()+" show held/… --full", "%s not released", cli.Count(run.remaining, "callback"))
	}
	return nil
}

func (c *Release) release(ctx context.Context, run *releaseRun, understood int) error {
	by, err := run.Approve(ctx, run.stack, c.ChangeFlags, "release "+cli.Count(understood, "callback"))
	if err != nil {
		return err
	}
	box, err := run.stack.Inbox(run.Now)
	if err != nil {
		return err
	}
	repairs := &repair.Repairs{Store: run.stack.Editor(), Inbox: box}
	_, err = run.each(c.list(ctx, run.stack), func(held, parsed inbox.Receipt) (repair.Outcome, error) {
		if held.AcceptedAt.After(by.At) {
			return "", nil // the plan has not printed it
		}
		return repairs.Release(ctx, held, parsed, by)
	})
	return err
}

// list reads the selected callbacks. One that does not exist has no state.
func (c *Release) list(ctx context.Context, stack cli.Stack) iter.Seq2[display.Entry, error] {
	return func(yield func(display.Entry, error) bool) {
		for _, id := range c.Held {
			held, _, err := display.ReadHeld(ctx, stack.Reader(), id)
			held.Key.Payout = id
			if !yield(held, err) {
				return
			}
		}
		if !c.All {
			return
		}
		for held, err := range display.Entries(stack.Reader().Unapplied(ctx, inbox.Held)) {
			isSelected := (c.Provider == "" || string(c.Provider) == held.Provider()) && (c.HeldReason == "" || string(c.HeldReason) == held.Reason)
			if (err != nil || held.Damaged || isSelected) && !yield(held, err) {
				return
			}
		}
	}
}

// releaseRun goes through held callbacks twice: to print the plan, and to release.
type releaseRun struct {
	*cli.Session

	stack     cli.Stack
	remaining int // callbacks that are not released
}

// heldView is a held callback as it is parsed today, and the outcome of releasing it.
type heldView struct {
	Held    string         `json:"held"`
	Was     string         `json:"was,omitempty"` // why it was held
	Outcome repair.Outcome `json:"outcome"`
	Payout  string         `json:"payout,omitempty"`
	Receipt string         `json:"receipt,omitempty"`
	Reason  string         `json:"reason,omitempty"` // why it is still held
}

// Outcomes of a dry run.
const (
	wouldRelease repair.Outcome = "would-release"
	wouldDismiss repair.Outcome = "would-dismiss"
)

// each parses each callback again, prints the outcome and returns how many are
// understood. It passes those to release, which is nil for the plan; only they are
// printed then.
func (r *releaseRun) each(list iter.Seq2[display.Entry, error], release func(held, parsed inbox.Receipt) (repair.Outcome, error)) (understood int, err error) {
	progress := r.StartProgress()
	n, isPlan := 0, release == nil
	for held, err := range list {
		if err != nil {
			return 0, err
		}
		n++
		progress("%d read", n)
		view, parsed := r.reparse(held)
		isUnderstood := view.Outcome == wouldRelease
		if isUnderstood {
			understood++
			view.Payout, view.Receipt = parsed.Key.Payout, parsed.Key.Receipt
		}
		if isUnderstood && !isPlan {
			if view.Outcome, err = release(held.Receipt, parsed); err != nil {
				return 0, cli.WithHint("nothing is lost: run the command again", err)
			}
		}
		if !isPlan && parsed.Key == (inbox.Key{}) || view.Outcome == "" {
			continue // the plan has printed it, or the release has skipped it
		}
		if err := r.printOutcome(view); err != nil {
			return 0, err
		}
	}
	if n == 0 {
		r.Notef("no held callback matches")
	}
	return understood, nil
}

// printOutcome prints what became of a callback, and counts those that stay held.
func (r *releaseRun) printOutcome(view heldView) error {
	if view.Outcome != wouldRelease && view.Outcome != repair.Released {
		r.remaining++
	}
	return printHeld(r.Session, view)
}

// reparse parses a held callback with the code of this program.
func (r *releaseRun) reparse(held display.Entry) (view heldView, parsed inbox.Receipt) {
	view = heldView{Held: held.Key.Payout, Was: held.Reason, Outcome: repair.StillHeld}
	provider, err := r.stack.Provider(held.Provider())
	switch {
	case held.Damaged:
		view.Reason = "damaged"
		return view, parsed
	case held.State == "":
		view.Outcome = repair.Missing
		return view, parsed
	case err != nil:
		view.Reason = "unknown-provider"
		return view, parsed
	}
	parsed = callback.Reparse(provider, held.Receipt, r.Now())
	switch {
	case !parsed.WasHeld():
		view.Outcome = wouldRelease
		return view, parsed
	case held.State == inbox.Dismissed:
		view.Outcome = repair.Dismissed
	}
	view.Reason = parsed.Reason
	return view, parsed
}

func printHeld(s *cli.Session, view heldView) error {
	line := fmt.Sprintf("%-13s  %s", view.Outcome, cli.Clean(view.Held))
	switch {
	case view.Receipt != "":
		line += "  →  " + cli.Clean(view.Payout) + "  " + cli.Clean(view.Receipt)
	case view.Reason != "":
		line += "  (" + cli.Clean(view.Reason) + ")"
	}
	return s.PrintResult(view, line+"\n")
}

// Dismiss closes held callbacks that say nothing about a payout.
type Dismiss struct {
	Held []string `arg:"" name:"held" help:"Ids of held callbacks, as listed by receipts held."`
	cli.PlannedChangeFlags
}

// Help gives examples.
func (Dismiss) Help() string {
	return `Dismiss callbacks that say nothing about a payout: a probe, a callback of another kind, an ambiguous callback that the
provider has explained. A dismissed callback is kept with actor and reason, and is no longer listed as held. If it
arrives again, it is acknowledged and stays dismissed.

A mistake is undone by release.

	payoutctl --local dismiss held/pivot/payout/M/x8Z --reason 'the probe at registration'

Needs the permissions dynamodb:GetItem and dynamodb:UpdateItem on the receipts table, cloudformation:DescribeStacks
and sts:GetCallerIdentity. Exit code 1 if a callback is not held.`
}

// Check returns an error if an id is not that of a held callback, or the reason is missing.
func (c *Dismiss) Check(s *cli.Session) error {
	return cmp.Or(checkHeldIDs(s, c.Held), c.PlannedChangeFlags.Check())
}

// Run dismisses the callbacks.
func (c *Dismiss) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	held, err := c.read(ctx, s, stack)
	if err != nil {
		return err
	}
	if c.DryRun {
		for _, receipt := range held {
			if err := printHeld(s, heldView{Held: receipt.Key.Payout, Was: receipt.Reason, Outcome: wouldDismiss}); err != nil {
				return err
			}
		}
		return nil
	}
	by, err := s.Approve(ctx, stack, c.ChangeFlags, "dismiss "+cli.Count(len(held), "callback"))
	if err != nil {
		return err
	}
	repairs, remaining := &repair.Repairs{Store: stack.Editor()}, 0
	for _, receipt := range held {
		outcome, err := repairs.Dismiss(ctx, receipt, by)
		if err != nil {
			return cli.WithHint("run the command again", err)
		}
		if err := printHeld(s, heldView{Held: receipt.Key.Payout, Was: receipt.Reason, Outcome: outcome}); err != nil {
			return err
		}
		if outcome != repair.Dismissed {
			remaining++
		}
	}
	if remaining > 0 {
		return cli.Negativef("", "%s changed by another operator meanwhile", cli.Count(remaining, "callback"))
	}
	return nil
}

// read reads the callbacks, which must be held, and prints a note about each.
func (c *Dismiss) read(ctx context.Context, s *cli.Session, stack cli.Stack) ([]inbox.Receipt, error) {
	var held []inbox.Receipt
	for _, id := range c.Held {
		receipt, err := display.FindHeld(ctx, s, stack.Reader(), id)
		switch {
		case err != nil:
			return nil, err
		case receipt.State != inbox.Held:
			return nil, cli.Negativef("", "%s is %s already: %s", cli.Clean(id), receipt.State, display.FormatChangedBy(s.Style(), receipt.ChangedBy))
		}
		held = append(held, receipt)
		s.Notef("%s: held for %s, %d bytes", cli.Clean(id), cli.Clean(receipt.Reason), len(receipt.Body))
	}
	return held, nil
}
