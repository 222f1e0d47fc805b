package repair

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/ops/repair"
)

// releaseCommand reads held callbacks again.
type Release struct {
	Held       []string `arg:"" optional:"" name:"held" help:"Ids of held callbacks, as receipts held lists them."`
	All        bool     `help:"All that are held and pass --provider and --held-reason."`
	Provider   string   `help:"With --all: of this provider." placeholder:"NAME"`
	HeldReason string   `help:"With --all: held for this reason: ${reasons}." placeholder:"WHY"`
	DryRun     bool     `help:"Say how they are read today, and change nothing."`
	cli.ReasonFlags
}

// Help gives examples.
func (Release) Help() string {
	return `A callback that is authentic and not understood is held. Once there is code that understands it, this reads it again
with that code, from the body as it was kept: what it tells becomes a receipt of its own, is applied like any other,
and the held one is marked as released. It is this program's code that reads: deploy the same version first, or
functions and tool disagree. Fields that the stack's parameter CregisKnownFields names are known. What is still not understood stays held, and so does a body that was cut because it was
too large. A signature that covers two readings stays held as well: ask the provider, then dismiss it.

It may be stopped and run again, by two people at once: each callback is applied once.

Examples:

	payoutctl --local receipts held
	payoutctl --local release --all --dry-run
	payoutctl --stack payouts-prod release --all --provider pivot --held-reason unknown-status --reason 'v2.3 knows REVERSED'
	payoutctl --stack payouts-prod release held/pivot/payout/M/x8Z --reason 'v2.3 knows REVERSED' --yes

Needs the permissions dynamodb:Query, dynamodb:GetItem, dynamodb:PutItem and dynamodb:UpdateItem on the receipts table
and its index, sqs:SendMessage on the events queue, cloudformation:DescribeStacks and sts:GetCallerIdentity. Exit code
1 where one that was named is still held, is not there or was taken up by somebody else.`
}

// Run releases.
func (c *Release) Run(ctx context.Context, s *cli.Session) error {
	if err := c.check(); err != nil {
		return err
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	editor := stack.Editor()
	run := releaseRun{Session: s, provider: stack.Provider, list: func() iter.Seq2[inbox.Receipt, error] { return c.list(ctx, editor) }}
	understood, err := run.plan()
	if err != nil || c.DryRun {
		return err
	}
	if understood == 0 {
		return run.verdict(len(c.Held) > 0)
	}
	if run.changedBy, err = s.ChangedBy(ctx, stack, c.Reason); err != nil {
		return err
	}
	if err := s.Confirm(c.Yes, fmt.Sprintf("release %s", cli.Count(understood, "callback"))); err != nil {
		return err
	}
	box, err := stack.Inbox(s.Now)
	if err != nil {
		return err
	}
	run.repairs = &repair.Repairs{Store: editor, Inbox: box}
	if err := run.release(ctx); err != nil {
		return err
	}
	return run.verdict(len(c.Held) > 0)
}

func (c *Release) check() error {
	switch {
	case len(c.Held) == 0 && !c.All:
		return cli.Usagef("name them, or take --all", "which held callbacks?")
	case len(c.Held) > 0 && (c.All || c.Provider != "" || c.HeldReason != ""):
		return cli.Usagef("", "name held callbacks, or choose them by --all, --provider and --held-reason: not both")
	}
	if err := c.ReasonFlags.Check(); err != nil && !c.DryRun {
		return err
	}
	for _, id := range c.Held {
		if !strings.HasPrefix(id, display.HeldPrefix) {
			return cli.Usagef("they are listed by: payoutctl receipts held", "%q is not the id of a held callback", cli.Clean(id))
		}
	}
	return cli.CheckHeldFilter(c.Provider, c.HeldReason)
}

func (c *Release) list(ctx context.Context, editor *dynamostore.Editor) iter.Seq2[inbox.Receipt, error] {
	if len(c.Held) > 0 {
		return heldNamed(ctx, editor, c.Held)
	}
	return func(yield func(inbox.Receipt, error) bool) {
		for receipt, err := range editor.Unapplied(ctx, inbox.Held) {
			if (err != nil || c.admits(receipt)) && !yield(receipt, err) {
				return
			}
		}
	}
}

// admits reports whether --all means this receipt.
func (c *Release) admits(receipt inbox.Receipt) bool {
	return (c.Provider == "" || c.Provider == receipt.Provider()) &&
		(c.HeldReason == "" || c.HeldReason == receipt.Reason)
}

// heldNamed reads held callbacks by their ids. One that is not there has no state.
func heldNamed(ctx context.Context, editor *dynamostore.Editor, ids []string) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for _, id := range ids {
			key := inbox.Key{Payout: id, Receipt: string(inbox.Held)}
			receipt, item, err := editor.Receipt(ctx, key)
			if err == nil && !item {
				receipt.Key = key
			}
			if !yield(receipt, err) {
				return
			}
		}
	}
}

// releaseRun goes through held callbacks twice: to say what would be, and to do it.
type releaseRun struct {
	*cli.Session

	provider  func(name string) (functions.SigningProvider, error) // as the stack's functions parse callbacks
	list      func() iter.Seq2[inbox.Receipt, error]
	changedBy inbox.ChangedBy
	repairs   *repair.Repairs

	left int // callbacks that are not what was asked for
}

// heldView is a held callback as it is read today, and what became of it.
type heldView struct {
	Held    string         `json:"held"`
	Was     string         `json:"was,omitempty"` // why it is held
	Outcome repair.Outcome `json:"outcome"`
	Payout  string         `json:"payout,omitempty"`
	Receipt string         `json:"receipt,omitempty"`
	Reason  string         `json:"reason,omitempty"` // why it is held still
}

// wouldRelease is the outcome of a plan.
const wouldRelease repair.Outcome = "would-release"

// plan says how each is read today, and returns how many are understood.
func (r *releaseRun) plan() (understood int, err error) {
	progress := r.StartProgress()
	n := 0
	for held, err := range r.list() {
		view, readErr := readHeld(held, err)
		if readErr != nil {
			return 0, readErr
		}
		outcome, parsed := r.reparse(held, err)
		view.Outcome = outcome
		switch outcome {
		case wouldRelease:
			understood++
			view.Payout, view.Receipt = parsed.Key.Payout, parsed.Key.Receipt
		case repair.StillHeld, repair.Dismissed:
			view.Reason = parsed.Reason
			r.left++
		default:
			r.left++
		}
		if err := r.printHeld(view); err != nil {
			return 0, err
		}
		n++
		progress("%d read", n)
	}
	if n == 0 {
		r.Notef("nothing of that choice is held")
	}
	return understood, nil
}

// readHeld begins the view of a receipt that was read, damaged or not.
func readHeld(held inbox.Receipt, err error) (heldView, error) {
	if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
		return heldView{}, err
	}
	return heldView{Held: held.Key.Payout, Was: held.Reason}, nil
}

// reparse reads a held callback with the code of this program.
func (r *releaseRun) reparse(held inbox.Receipt, err error) (repair.Outcome, inbox.Receipt) {
	switch {
	case err != nil:
		return repair.StillHeld, inbox.Receipt{Reason: "damaged"}
	case held.State == "":
		return repair.Missing, held
	}
	provider, err := r.provider(held.Provider())
	if err != nil {
		return repair.StillHeld, inbox.Receipt{Reason: "unknown-provider"}
	}
	parsed := callback.Reparse(provider, held, r.Now())
	switch {
	case parsed.WasHeld() && held.State == inbox.Dismissed:
		return repair.Dismissed, parsed
	case parsed.WasHeld():
		return repair.StillHeld, parsed
	}
	return wouldRelease, parsed
}

func (r *releaseRun) release(ctx context.Context) error {
	progress := r.StartProgress()
	n := 0
	for held, err := range r.list() {
		view, readErr := readHeld(held, err)
		if readErr != nil {
			return readErr
		}
		outcome, parsed := r.reparse(held, err)
		if outcome != wouldRelease || held.AcceptedAt.After(r.changedBy.At) {
			continue // it is told by the plan, and stays; or it came after the plan
		}
		if view.Outcome, err = r.repairs.Release(ctx, held, parsed, r.changedBy); err != nil {
			return cli.WithHint("nothing is lost: run it again", err)
		}
		view.Payout, view.Receipt = parsed.Key.Payout, parsed.Key.Receipt
		if view.Outcome != repair.Released {
			r.left++
		}
		if err := r.printHeld(view); err != nil {
			return err
		}
		n++
		progress("%d released", n)
	}
	return nil
}

func (r *releaseRun) printHeld(view heldView) error {
	if r.Flags.JSON {
		return r.PrintJSON(view)
	}
	line := fmt.Sprintf("%-13s  %s", view.Outcome, cli.Clean(view.Held))
	switch {
	case view.Receipt != "":
		line += "  →  " + cli.Clean(view.Payout) + "  " + cli.Clean(view.Receipt)
	case view.Reason != "":
		line += "  (" + cli.Clean(view.Reason) + ")"
	}
	return r.Print(line + "\n")
}

// verdict is no for what was named and is not released; --all promises nothing
// of what is not understood.
func (r *releaseRun) verdict(named bool) error {
	if named && r.left > 0 {
		return cli.Negativef("look at them with: "+r.Program()+" show held/… --full", "%s not released", cli.Count(r.left, "callback"))
	}
	return nil
}
