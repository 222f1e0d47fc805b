package repair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
)

// refoldCommand repairs what is derived from receipts.
type Rebuild struct {
	Target string `arg:"" optional:"" name:"payout" help:"Id of the payout, or of a held callback (held/…)."`
	All    bool   `help:"Whatever audit finds that this repairs."`
	DryRun bool   `help:"Say what is different, and change nothing."`
	cli.ReasonFlags
}

// Help gives examples.
func (Rebuild) Help() string {
	return `A payout is what its receipts say. This works it out from them once more and writes it where it is something else:
after damage by hand, or after a restore. It writes on the condition that nothing was applied meanwhile, and tries
again where something was. Receipts that have lost their place in the index, so that no sweep and no list finds them,
get it back.

A callback that is applied in the very moment may bring the damage back: pause the consumer, or look with --dry-run
afterwards. Where receipts are gone for good, the payout shrinks to what is left, and its version goes down: restore the
receipts first if you can, and publish afterwards, for services that remember versions (docs/EVENTS.md, After a restore).
A payout without any applied receipt is left alone. One that has a receipt which cannot be read is left alone, too.

Examples:

	payoutctl --local rebuild cregis/payout/1382528827416576/42 --dry-run
	payoutctl --stack payouts-prod rebuild cregis/payout/1382528827416576/42 --reason 'ticket 4711: edited in the console'
	payoutctl --stack payouts-prod rebuild --all --dry-run

Needs the permissions dynamodb:GetItem, dynamodb:Query, dynamodb:PutItem (payouts) and dynamodb:UpdateItem (receipts),
for --all dynamodb:Scan on both tables, cloudformation:DescribeStacks and sts:GetCallerIdentity. Exit code 1 where
something is left that this cannot repair.`
}

// Run repairs.
func (c *Rebuild) Run(ctx context.Context, s *cli.Session) error {
	if err := c.check(); err != nil {
		return err
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	run := rebuildRun{Session: s, editor: stack.Editor()}
	run.repairs = &repair.Repairs{Store: run.editor}
	ids, err := c.ids(ctx, &run)
	if err != nil {
		return err
	}
	ids, err = run.plan(ctx, ids)
	if err != nil || c.DryRun || len(ids) == 0 {
		return errors.Join(err, run.verdict())
	}
	if run.changedBy, err = s.ChangedBy(ctx, stack, c.Reason); err != nil {
		return err
	}
	if err := s.Confirm(c.Yes, "repair "+cli.Count(len(ids), "payout")+" from receipts"); err != nil {
		return err
	}
	for _, id := range ids {
		if err := run.repair(ctx, id); err != nil {
			return cli.WithHint("what was written is right; run it again", err)
		}
	}
	return run.verdict()
}

func (c *Rebuild) check() error {
	if (c.Target == "") != c.All {
		return cli.Usagef("", "which payout? Give its id, or --all")
	}
	if c.DryRun {
		return nil
	}
	return c.ReasonFlags.Check()
}

func (c *Rebuild) ids(ctx context.Context, run *rebuildRun) ([]string, error) {
	if c.All {
		return run.damaged(ctx)
	}
	return []string{c.Target}, nil
}

// refoldRun looks at payouts, then repairs them.
type rebuildRun struct {
	*cli.Session

	editor    *dynamostore.Editor
	repairs   *repair.Repairs
	changedBy inbox.ChangedBy
	left      int // what cannot be repaired
}

// damaged lists what an audit finds that can be repaired here, each once.
func (r *rebuildRun) damaged(ctx context.Context) ([]string, error) {
	progress := r.StartProgress()
	var ids []string
	a := &audit.Audit{
		Source: r.editor, Now: r.Now(),
		Report: func(f audit.Finding) {
			switch f.Kind {
			case audit.PayoutAltered, audit.PayoutDamaged, audit.PayoutMissing, audit.FactMissing, audit.FactUnproven,
				audit.PayoutUnchecked, audit.ReceiptIndexMismatch:
				ids = append(ids, f.Payout)
			}
		},
		Progress: func(summary audit.Summary) { progress("%d receipts, %d payouts", summary.Receipts, summary.Payouts) },
	}
	if _, err := a.Run(ctx); err != nil {
		return nil, err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		r.Notef("there is nothing to repair")
	}
	return ids, nil
}

// refoldView is what a payout needs, and whether it got it.
type rebuildView struct {
	Payout        string             `json:"payout"`
	Verdict       repair.Verdict     `json:"verdict"`
	Damage        string             `json:"damage,omitempty"`
	Differences   []differenceView   `json:"differences,omitempty"`
	From          int64              `json:"fromVersion"`
	To            int64              `json:"toVersion"`
	IndexRepaired []string           `json:"indexMismatch,omitempty"` // receipts that are not in their place in the index
	Written       bool               `json:"written"`
	ChangedBy     *display.ChangedBy `json:"changedBy,omitempty"`
}

// differenceView is a part of a payout that is not what its receipts say.
type differenceView struct {
	Part  string       `json:"part"`
	Have  string       `json:"have"`
	Want  string       `json:"want"`
	Field payout.Field `json:"field,omitzero"` // of a claim
}

// look reads a payout, its receipts, and the places of those in the index.
func (r *rebuildRun) look(ctx context.Context, id string) (rebuildView, error) {
	view := rebuildView{Payout: id, Verdict: repair.Equal}
	receipts := 0
	for receipt, err := range r.editor.ReceiptsWithIndex(ctx, id) {
		receipts++
		switch {
		case errors.Is(err, inbox.ErrIndexMismatch):
			view.IndexRepaired = append(view.IndexRepaired, receipt.Key.Receipt)
		case err != nil && !errors.Is(err, inbox.ErrDamagedReceipt):
			return view, err
		}
	}
	if receipts > 0 && strings.HasPrefix(id, display.HeldPrefix) {
		return view, nil
	}
	plan, err := r.repairs.Plan(ctx, payout.ID(id))
	if err != nil {
		return view, err
	}
	if plan.Verdict == repair.Unknown && receipts > 0 {
		return view, nil // its receipts wait: there is nothing to fold yet
	}
	return r.viewOf(view, plan), nil
}

func (r *rebuildRun) viewOf(view rebuildView, plan repair.Plan) rebuildView {
	view.Verdict, view.Differences = plan.Verdict, nil
	for _, difference := range plan.Differences {
		view.Differences = append(view.Differences, differenceView(difference))
	}
	view.From, view.To = plan.Read.Record.Version, plan.Fold.Record.Version
	if plan.Read.Damage != nil {
		view.Damage = plan.Read.Damage.Error()
	}
	return view
}

// plan tells what each payout needs, and returns those for which that can be done.
func (r *rebuildRun) plan(ctx context.Context, ids []string) (needy []string, err error) {
	for _, id := range ids {
		view, err := r.look(ctx, id)
		if err != nil {
			return nil, err
		}
		switch view.Verdict {
		case repair.NoReceipts, repair.Unreadable, repair.Unknown:
			r.left++
		}
		if view.Verdict == repair.Differs || len(view.IndexRepaired) > 0 {
			needy = append(needy, id)
		}
		if err := r.printResult(view); err != nil {
			return nil, err
		}
	}
	return needy, nil
}

func (r *rebuildRun) repair(ctx context.Context, id string) error {
	view, err := r.look(ctx, id)
	if err != nil {
		return err
	}
	for _, receipt := range view.IndexRepaired {
		moved, err := r.editor.Reindex(ctx, inbox.Key{Payout: id, Receipt: receipt}, r.changedBy.At)
		if err != nil {
			return fmt.Errorf("put receipt into the index: %w", err)
		}
		view.Written = view.Written || moved
	}
	if view.Verdict == repair.Differs {
		plan, err := r.repairs.Rebuild(ctx, payout.ID(id), r.changedBy)
		if err != nil {
			return err
		}
		view = r.viewOf(view, plan)
		view.Written = view.Written || plan.Verdict == repair.Differs
	}
	if view.Written {
		view.ChangedBy = display.NewChangedBy(r.changedBy)
	}
	return r.printResult(view)
}

func (r *rebuildRun) printResult(view rebuildView) error {
	if r.Flags.JSON {
		return r.PrintJSON(view)
	}
	if view.Written {
		return r.Print("repaired  " + cli.Clean(view.Payout) + "\n")
	}
	rows := cli.Table{Style: r.Style(), Indent: "  "}
	for _, difference := range view.Differences {
		rows.Add(cli.Cells(difference.Part, display.FormatValue(rows.Style, difference.Field, difference.Have), "→", display.FormatValue(rows.Style, difference.Field, difference.Want))...)
	}
	for _, receipt := range view.IndexRepaired {
		rows.Add(cli.Cells("receipt", cli.Clean(receipt), "→", "its place in the index")...)
	}
	if view.Damage != "" {
		rows.Add(cli.Cells("damaged", cli.Clean(view.Damage))...)
	}
	if view.Verdict == repair.Differs && view.To < view.From {
		rows.Add(cli.Cell{Text: "warning"}, cli.Cell{
			Text:   fmt.Sprintf("%s gone: the version goes down from %d to %d", cli.Count(int(view.From-view.To), "receipt"), view.From, view.To),
			Colour: cli.Red,
		})
	}
	return r.Print(cli.Clean(view.Payout) + ": " + verdictText(view) + "\n" + rows.String())
}

func verdictText(view rebuildView) string {
	switch view.Verdict {
	case repair.Equal:
		return "it is what its receipts say"
	case repair.NoReceipts:
		return "it exists, and no receipt of it is applied: nothing says what it should be. Restore the receipts table"
	case repair.Unreadable:
		return "a receipt of it cannot be read, so that nobody knows what it should be. Restore that receipt"
	case repair.Unknown:
		return "there is neither a payout of that id nor a receipt"
	}
	return "it is not what its receipts say"
}

func (r *rebuildRun) verdict() error {
	if r.left > 0 {
		return cli.Negativef("restore the tables to a moment before the damage, and copy back what is missing", "%s cannot be repaired from receipts", cli.Count(r.left, "payout"))
	}
	return nil
}
