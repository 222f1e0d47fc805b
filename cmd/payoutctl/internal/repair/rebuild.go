// Package repair holds the commands that repair a stack: resolve conflicts, release
// and dismiss held callbacks, rebuild payouts, redrive dead-letter messages, sweep and
// publish again. Each change records actor and reason; the rules of the changes are
// those of pkg/ops.
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

// Rebuild writes payouts again from their receipts.
type Rebuild struct {
	Target string `arg:"" optional:"" name:"payout" help:"Id of the payout, our reference, or the id of a held callback (held/…)."`
	All    bool   `help:"All findings of audit that this command can repair."`
	cli.PlannedChangeFlags
}

// Help gives examples.
func (Rebuild) Help() string {
	return `A payout is the fold of its receipts. This command computes the fold again and writes it if the stored payout differs:
after a manual edit, or after a restore. It writes on the condition that no receipt was applied meanwhile, and retries
otherwise. Receipts that are missing from the index, so that no sweep and no list finds them, are added to it.

If receipts are lost, the payout contains what remains and its version decreases: restore the receipts first if you can,
and publish afterwards (docs/EVENTS.md, After a restore). A payout is left unchanged if it has no applied receipt, or a
receipt that cannot be read.

	payoutctl --stack payouts-prod rebuild cregis/payout/1382528827416576/42 --reason 'ticket 4711: edited in the console'
	payoutctl --stack payouts-prod rebuild --all --dry-run

Needs the permissions dynamodb:GetItem, dynamodb:Query, dynamodb:PutItem (payouts) and dynamodb:UpdateItem (receipts),
for --all dynamodb:Scan on both tables, cloudformation:DescribeStacks and sts:GetCallerIdentity. Exit code 1 if a
payout cannot be repaired.`
}

// Check returns an error if no payout is selected, or the reason is missing.
func (c *Rebuild) Check() error {
	if (c.Target == "") != c.All {
		return cli.Usagef("", "no payout given: give its id or our reference, or --all")
	}
	return c.PlannedChangeFlags.Check()
}

// Run repairs the payouts.
func (c *Rebuild) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	run := rebuildRun{Session: s, editor: stack.Editor(), repairs: &repair.Repairs{Store: stack.Editor()}}
	ids, err := run.find(ctx, c)
	if err != nil {
		return err
	}
	plans, err := run.plan(ctx, ids)
	if err != nil || c.DryRun || len(plans) == 0 {
		return errors.Join(err, run.result())
	}
	if run.changedBy, err = s.Approve(ctx, stack, c.ChangeFlags, "rebuild "+cli.Count(len(plans), "payout")+" from receipts"); err != nil {
		return err
	}
	for _, view := range plans {
		if err := run.repair(ctx, view); err != nil {
			return cli.WithHint("what was written is correct: run the command again", err)
		}
	}
	return run.result()
}

// rebuildRun compares payouts with their receipts, then repairs them.
type rebuildRun struct {
	*cli.Session

	editor    *dynamostore.Editor
	repairs   *repair.Repairs
	changedBy inbox.ChangedBy
	failed    int // payouts that cannot be repaired
}

// find returns the ids of the payouts and held callbacks that the flags select.
func (r *rebuildRun) find(ctx context.Context, flags *Rebuild) ([]string, error) {
	if flags.All {
		return r.damaged(ctx)
	}
	history, err := display.FindPayout(ctx, r.Session, &r.editor.Reader, flags.Target)
	return []string{string(history.Record.ID)}, err
}

// damaged lists the ids of the audit findings that this command can repair.
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
		r.Notef("nothing to repair")
	}
	return ids, nil
}

// rebuildView compares a payout with the fold of its receipts.
type rebuildView struct {
	Payout        string              `json:"payout"`
	Verdict       repair.Verdict      `json:"verdict"`
	Damage        string              `json:"damage,omitempty"`
	Differences   []payout.Difference `json:"differences,omitempty"`
	From          int64               `json:"fromVersion"`
	To            int64               `json:"toVersion"`
	IndexRepaired []string            `json:"indexMismatch,omitempty"` // receipts with a missing or wrong index entry
	Written       bool                `json:"written"`
	ChangedBy     inbox.ChangedBy     `json:"changedBy,omitzero"`
}

// compare reads a payout, its receipts and their index entries.
func (r *rebuildRun) compare(ctx context.Context, id string) (rebuildView, error) {
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
		return view, nil // no receipt is applied yet
	}
	return view.withPlan(plan), nil
}

// withPlan returns the view with a plan.
func (view rebuildView) withPlan(plan repair.Plan) rebuildView {
	view.Verdict, view.Differences = plan.Verdict, plan.Differences
	view.From, view.To = plan.Read.Record.Version, plan.Fold.Record.Version
	if plan.Read.Damage != nil {
		view.Damage = plan.Read.Damage.Error()
	}
	return view
}

// plan prints what differs, and returns what can be repaired.
func (r *rebuildRun) plan(ctx context.Context, ids []string) (repairable []rebuildView, err error) {
	for _, id := range ids {
		view, err := r.compare(ctx, id)
		if err != nil {
			return nil, err
		}
		switch view.Verdict {
		case repair.NoReceipts, repair.Unreadable, repair.Unknown:
			r.failed++
		}
		if view.Verdict == repair.Differs || len(view.IndexRepaired) > 0 {
			repairable = append(repairable, view)
		}
		if err := r.printResult(view); err != nil {
			return nil, err
		}
	}
	return repairable, nil
}

func (r *rebuildRun) repair(ctx context.Context, view rebuildView) error {
	for _, receipt := range view.IndexRepaired {
		moved, err := r.editor.Reindex(ctx, inbox.Key{Payout: view.Payout, Receipt: receipt}, r.changedBy.At)
		if err != nil {
			return fmt.Errorf("put index entry of receipt %s: %w", receipt, err)
		}
		view.Written = view.Written || moved
	}
	if view.Verdict == repair.Differs {
		plan, err := r.repairs.Rebuild(ctx, payout.ID(view.Payout), r.changedBy)
		if err != nil {
			return err
		}
		view = view.withPlan(plan)
		view.Written = view.Written || plan.Verdict == repair.Differs
	}
	if view.Written {
		view.ChangedBy = r.changedBy
	}
	return r.printResult(view)
}

func (r *rebuildRun) printResult(view rebuildView) error {
	if view.Written {
		return r.PrintResult(view, "repaired  "+cli.Clean(view.Payout)+"\n")
	}
	rows := cli.Table{Style: r.Style(), Indent: "  "}
	for _, d := range view.Differences {
		rows.AddTexts(d.Part, display.FormatValue(rows.Style, d.Field, d.Have), "→", display.FormatValue(rows.Style, d.Field, d.Want))
	}
	for _, receipt := range view.IndexRepaired {
		rows.AddTexts("receipt", receipt, "→", "index entry")
	}
	rows.AddField("damaged", view.Damage, "")
	if view.Verdict == repair.Differs && view.To < view.From {
		lost := cli.Count(int(view.From-view.To), "receipt")
		rows.AddField("warning", fmt.Sprintf("%s missing: the version decreases from %d to %d", lost, view.From, view.To), cli.Red)
	}
	return r.PrintResult(view, cli.Clean(view.Payout)+": "+verdictText(view)+"\n"+rows.String())
}

func verdictText(view rebuildView) string {
	switch view.Verdict {
	case repair.Equal:
		return "equals the fold of its receipts"
	case repair.NoReceipts:
		return "has no applied receipt, so its correct content is unknown. Restore the receipts table"
	case repair.Unreadable:
		return "has a receipt that cannot be read, so its correct content is unknown. Restore that receipt"
	case repair.Unknown:
		return "has neither a record nor a receipt"
	}
	return "differs from the fold of its receipts"
}

// result returns an error if a payout cannot be repaired.
func (r *rebuildRun) result() error {
	if r.failed > 0 {
		return cli.Negativef("restore the tables to a time before the damage, and copy what is missing", "%s cannot be repaired from receipts", cli.Count(r.failed, "payout"))
	}
	return nil
}
