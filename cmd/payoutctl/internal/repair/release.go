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

// Release parses held callbacks again and applies those that are understood now.
type Release struct {
	Held       []string `arg:"" optional:"" name:"held" help:"Ids of held callbacks, as listed by receipts held."`
	All        bool     `help:"All held callbacks that match --provider and --held-reason."`
	Provider   string   `help:"With --all: only callbacks of this provider." placeholder:"NAME"`
	HeldReason string   `help:"With --all: only callbacks held for this reason: ${reasons}." placeholder:"REASON"`
	DryRun     bool     `help:"Print how they are parsed today and change nothing."`
	cli.ReasonFlags
}

// Help gives examples.
func (Release) Help() string {
	return `An authentic callback that is not understood is held. Once this program's code understands it, release parses the
stored body again: the event gets its own receipt, is applied as usual, and the held callback is marked as released.
Deploy the same version first, or functions and program disagree. Fields in the stack's parameter CregisKnownFields are
known. A callback stays held if it is still not understood, if its body was cut because it was too large, or if its
signature covers two readings: ask the provider, then dismiss it.

The command can be interrupted and run again, also by two operators at once: each callback is applied once.

Examples:

	payoutctl --local receipts held
	payoutctl --local release --all --dry-run
	payoutctl --stack payouts-prod release --all --provider pivot --held-reason unknown-status --reason 'v2.3 knows REVERSED'
	payoutctl --stack payouts-prod release held/pivot/payout/M/x8Z --reason 'v2.3 knows REVERSED' --yes

Needs the permissions dynamodb:Query, dynamodb:GetItem, dynamodb:PutItem and dynamodb:UpdateItem on the receipts table
and its index, sqs:SendMessage on the events queue, cloudformation:DescribeStacks and sts:GetCallerIdentity. Exit code
1 if a named callback is still held, does not exist or was changed by another operator.`
}

// Run releases the callbacks.
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
		return run.result(len(c.Held) > 0)
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
	return run.result(len(c.Held) > 0)
}

func (c *Release) check() error {
	switch {
	case len(c.Held) == 0 && !c.All:
		return cli.Usagef("give their ids, or --all", "no held callback given")
	case len(c.Held) > 0 && (c.All || c.Provider != "" || c.HeldReason != ""):
		return cli.Usagef("", "give either ids of held callbacks, or --all with --provider and --held-reason")
	}
	if err := c.Check(); err != nil && !c.DryRun {
		return err
	}
	for _, id := range c.Held {
		if !strings.HasPrefix(id, display.HeldPrefix) {
			return cli.Usagef("list them with: payoutctl receipts held", "%q is not the id of a held callback", cli.Clean(id))
		}
	}
	return cli.CheckHeldFilter(c.Provider, c.HeldReason)
}

func (c *Release) list(ctx context.Context, editor *dynamostore.Editor) iter.Seq2[inbox.Receipt, error] {
	if len(c.Held) > 0 {
		return readHeldByID(ctx, editor, c.Held)
	}
	return func(yield func(inbox.Receipt, error) bool) {
		for receipt, err := range editor.Unapplied(ctx, inbox.Held) {
			if (err != nil || c.admits(receipt)) && !yield(receipt, err) {
				return
			}
		}
	}
}

// admits reports whether --all selects the receipt.
func (c *Release) admits(receipt inbox.Receipt) bool {
	return (c.Provider == "" || c.Provider == receipt.Provider()) &&
		(c.HeldReason == "" || c.HeldReason == receipt.Reason)
}

// readHeldByID reads held callbacks by their ids. One that does not exist has no state.
func readHeldByID(ctx context.Context, editor *dynamostore.Editor, ids []string) iter.Seq2[inbox.Receipt, error] {
	return func(yield func(inbox.Receipt, error) bool) {
		for _, id := range ids {
			key := inbox.Key{Payout: id, Receipt: string(inbox.Held)}
			receipt, ok, err := editor.Receipt(ctx, key)
			if err == nil && !ok {
				receipt.Key = key
			}
			if !yield(receipt, err) {
				return
			}
		}
	}
}

// releaseRun goes through held callbacks twice: to print the plan, and to release.
type releaseRun struct {
	*cli.Session

	provider  func(name string) (functions.SigningProvider, error) // with the settings of the stack
	list      func() iter.Seq2[inbox.Receipt, error]
	changedBy inbox.ChangedBy
	repairs   *repair.Repairs

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

// wouldRelease is the outcome of a dry run.
const wouldRelease repair.Outcome = "would-release"

// plan prints how each callback is parsed today, and returns how many are understood.
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
			r.remaining++
		default:
			r.remaining++
		}
		if err := r.printHeld(view); err != nil {
			return 0, err
		}
		n++
		progress("%d read", n)
	}
	if n == 0 {
		r.Notef("no held callback matches")
	}
	return understood, nil
}

// readHeld returns the view of a receipt, which may be damaged.
func readHeld(held inbox.Receipt, err error) (heldView, error) {
	if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
		return heldView{}, err
	}
	return heldView{Held: held.Key.Payout, Was: held.Reason}, nil
}

// reparse parses a held callback with the code of this program.
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
			continue // the plan has printed it, or it was accepted after the plan
		}
		if view.Outcome, err = r.repairs.Release(ctx, held, parsed, r.changedBy); err != nil {
			return cli.WithHint("nothing is lost: run the command again", err)
		}
		view.Payout, view.Receipt = parsed.Key.Payout, parsed.Key.Receipt
		if view.Outcome != repair.Released {
			r.remaining++
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

// result returns an error if a named callback is not released. With --all, callbacks
// that are not understood are expected to stay.
func (r *releaseRun) result(named bool) error {
	if named && r.remaining > 0 {
		return cli.Negativef("see: "+r.Program()+" show held/… --full", "%s not released", cli.Count(r.remaining, "callback"))
	}
	return nil
}
