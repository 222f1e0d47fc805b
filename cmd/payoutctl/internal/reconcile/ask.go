package reconcile

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// Reconcile has the reconciler ask providers now.
type Reconcile struct {
	Payouts []string      `arg:"" optional:"" name:"payout" help:"Ids of payouts, or our references."`
	Overdue bool          `help:"All overdue payouts."`
	Account string        `help:"All open and scheduled payouts of this account; with --overdue, its overdue ones." placeholder:"ID"`
	DryRun  bool          `help:"Print the answers, and write nothing."`
	Wait    time.Duration `help:"How long to wait until an answer is applied." default:"30s" placeholder:"DURATION"`
}

// Help gives examples.
func (Reconcile) Help() string {
	return `Invokes the reconciler, which asks the provider about each payout now: whatever is due, whether queries are on or off,
and also while the account is paused after failures. Only the function has the credentials and the address that the
provider admits. An answer is a receipt: the consumer applies it, as it applies callbacks. The command prints what the
record and the answer state, and what to do next.

	payoutctl --local reconcile order-4711
	payoutctl --stack payouts-prod reconcile cregis/payout/1382528827416576/42 --dry-run
	payoutctl --stack payouts-prod reconcile --overdue
	payoutctl --stack payouts-prod reconcile --account 1382528827416576 --json

Needs the permissions lambda:InvokeFunction on the reconciler, dynamodb:Query and dynamodb:GetItem on both tables and
their indexes (with --account alone: dynamodb:Scan), and cloudformation:DescribeStacks. Exit code 1 if an answer
differs from the record, if the provider did not answer about a payout, or if an answer was not applied within --wait.`
}

// Check returns an error if the flags select no payouts.
func (c *Reconcile) Check() error {
	all := c.Overdue || c.Account != ""
	if all == (len(c.Payouts) > 0) {
		return cli.Usagef("", "give either payouts, or --overdue or --account")
	}
	return nil
}

// askedAtOnce is the number of payouts in a request: the function has a minute, and a
// provider that does not answer takes ten seconds of it for each.
const askedAtOnce = 5

// Run asks about the payouts.
func (c *Reconcile) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	ids, err := c.ids(ctx, s, stack.Reader())
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		s.Notef("no payouts")
	}
	run := &askRun{Session: s, stack: stack, command: c, hasQueries: display.HasQueries}
	progress := s.StartProgress()
	asked := 0
	for batch := range slices.Chunk(ids, askedAtOnce) {
		var response reconcile.AskResponse
		if err := stack.Invoke(ctx, "reconciler", reconcile.AskRequest{Payouts: batch, DryRun: c.DryRun}, &response); err != nil {
			return err
		}
		for _, result := range response.Payouts {
			if err := run.show(ctx, result); err != nil {
				return err
			}
		}
		asked += len(batch)
		progress("%d of %d", asked, len(ids))
	}
	return run.verdict()
}

// ids returns the payouts that the flags select.
func (c *Reconcile) ids(ctx context.Context, s *cli.Session, reader *dynamostore.Reader) ([]payout.ID, error) {
	var ids []payout.ID
	for _, target := range c.Payouts {
		history, err := display.FindPayout(ctx, s, reader, target)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, history.Record.ID) {
			ids = append(ids, history.Record.ID)
		}
	}
	if len(c.Payouts) > 0 {
		return ids, nil
	}
	filter := dynamostore.Filter{Overdue: c.Overdue, Account: c.Account}
	selected := func(yield func(dynamostore.Stored, error) bool) {
		for stored, err := range reader.List(ctx, filter) {
			isSelected := err != nil || c.Overdue || stored.IsOpen() || !stored.Schedule.At.IsZero()
			if isSelected && !yield(stored, err) {
				return
			}
		}
	}
	payouts, _, err := display.TakePayouts(s, maxSelected, filter, iter.Seq2[dynamostore.Stored, error](selected))
	for _, stored := range payouts {
		ids = append(ids, stored.ID)
	}
	return ids, err
}

// maxSelected bounds the payouts of --overdue and --account.
const maxSelected = 100_000

// askRun counts what needs attention.
type askRun struct {
	*cli.Session

	stack   cli.Stack
	command *Reconcile
	// hasQueries reports whether the provider of a payout can be asked at all.
	hasQueries func(payout.ID) bool

	differing, unanswered, unapplied int
}

// asked is a result as --json prints it.
type asked struct {
	reconcile.AskResult
	Applied bool          `json:"applied"`        // the answer's receipts are applied
	After   payout.Status `json:"after,omitzero"` // status of the record afterwards
	Next    string        `json:"next,omitzero"`  // what to do, if anything
}

// show waits until the answer is applied and prints the result.
func (r *askRun) show(ctx context.Context, result reconcile.AskResult) error {
	view := asked{AskResult: result, Applied: !r.command.DryRun && len(result.Statements) > 0, After: result.Status}
	for _, stated := range result.Statements {
		if slices.ContainsFunc(stated.Fields, func(f reconcile.FieldComparison) bool { return f.Differs }) {
			r.differing++
		}
		if stated.HeldReason != "" || r.command.DryRun {
			continue
		}
		key := inbox.Key{Payout: string(stated.Payout), Receipt: stated.Receipt}
		applied, err := display.AwaitApplied(ctx, r.stack.Reader(), key, r.command.Wait)
		if err != nil {
			return err
		}
		if !applied {
			view.Applied = false
			r.unapplied++
		}
	}
	if view.Applied {
		record, _, err := r.stack.Reader().Record(ctx, result.Payout)
		if err != nil {
			return err
		}
		view.After = record.Status()
	}
	if result.Outcome != reconcile.Answered && result.Outcome != reconcile.InProcess {
		r.unanswered++
	}
	view.Next = r.next(view)
	return r.PrintResult(view, r.text(view))
}

// verdict returns the error of a run that needs attention.
func (r *askRun) verdict() error {
	var problems []string
	for _, count := range []struct {
		n            int
		noun, suffix string
	}{
		{r.differing, "answer", " differing from the record"},
		{r.unanswered, "payout", " without an answer"},
		{r.unapplied, "answer", " not applied within " + r.command.Wait.String()},
	} {
		if count.n > 0 {
			problems = append(problems, cli.Count(count.n, count.noun)+count.suffix)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return cli.Negativef("", "%s", strings.Join(problems, ", "))
}

// text formats a result.
func (r *askRun) text(view asked) string {
	style := r.Style()
	line := cli.Clean(string(view.Payout)) + "  " + string(view.Outcome)
	if view.Detail != "" {
		line += "  (" + cli.Clean(view.Detail) + ")"
	}
	parts := []string{line + "\n"}
	for _, stated := range view.Statements {
		parts = append(parts, statementText(style, view, stated))
	}
	if view.Applied {
		parts = append(parts, "  status is "+style.Paint(cli.StatusColour(view.After), string(view.After))+" now\n")
	}
	if view.Next != "" {
		parts = append(parts, "  → "+view.Next+"\n")
	}
	return strings.Join(parts, "")
}

// statementText formats what the record and the answer state.
func statementText(style cli.Style, view asked, stated reconcile.StatementResult) string {
	out := ""
	if stated.Payout != view.Payout {
		out = "  " + cli.Clean(string(stated.Payout)) + "\n"
	}
	if stated.HeldReason != "" {
		return out + "  held: " + cli.Clean(stated.HeldReason) + "\n"
	}
	rows := cli.Table{Style: style, Indent: "  ", Header: []string{"FIELD", "RECORD", "ANSWER"}}
	before := ""
	if stated.Payout == view.Payout {
		before = string(view.Status)
	}
	rows.AddTexts("status", before, string(stated.Status))
	for _, f := range stated.Fields {
		if f.Field == payout.FieldStatus {
			continue // the first row
		}
		var values []string
		for _, value := range f.Record {
			values = append(values, display.FormatValue(style, f.Field, value))
		}
		colour := ""
		if f.Differs {
			colour = cli.Red
		}
		rows.Add(cli.Cell{Text: string(f.Field)}, cli.Cell{Text: strings.Join(values, " | ")}, cli.Cell{Text: display.FormatValue(style, f.Field, f.Answer), Colour: colour})
	}
	return out + rows.String() + fmt.Sprintf("  receipt %s%s\n", cli.Clean(stated.Receipt), acceptanceTexts[stated.Acceptance])
}

// acceptanceTexts say what the answer's receipt is, "" in a dry run.
var acceptanceTexts = map[inbox.Acceptance]string{
	"":                      ", not written",
	inbox.AcceptedDuplicate: ", known before",
}

// nextSteps say what to do about an outcome that is not an answer. PROGRAM, PROVIDER,
// ACCOUNT and STACK stand for those of the payout.
var nextSteps = map[reconcile.Outcome]string{
	reconcile.NotFound: "the provider does not know it. This is not a failed payout: never order it again before the provider has denied it " +
		"after its idempotency window (docs/OPERATIONS.md, \"The provider does not know this payout\")",
	reconcile.InProcess:      "the provider cannot say yet; it is asked again by itself",
	reconcile.ByReference:    "the provider knows our reference, but the answer names no request, so it is not applied: state the provider's id with PROGRAM expect … --id ID",
	reconcile.Unavailable:    "the provider did not answer; the payout stays as it is: ask again in some minutes",
	reconcile.RateLimited:    "the provider limits the rate; the payout stays as it is: ask again in some minutes",
	reconcile.KeyRefused:     "store the right credentials of the API: PROGRAM keys add PROVIDER ACCOUNT --api --reason TEXT",
	reconcile.NoCredentials:  "store the credentials of the API: PROGRAM keys add PROVIDER ACCOUNT --api --reason TEXT",
	reconcile.AddressRefused: "the provider admits listed addresses only: have it list the address of the NAT gateway that the reconciler uses (docs/DEPLOY.md)",
	reconcile.NoID:           "the provider cannot be asked without its id: state it with PROGRAM expect … --id ID",
	reconcile.NotAsked:       "this stack cannot ask PROVIDER about payouts",
	reconcile.Unusable: "the answer cannot be read, or is not about this payout: nothing was applied; see: " +
		"aws logs tail /aws/lambda/STACK/reconciler --since 5m",
}

// next says what to do about a result.
func (r *askRun) next(view asked) string {
	id, program := view.Payout, r.Program()
	if view.Outcome == reconcile.NotAsked && !r.hasQueries(id) {
		return display.WithoutQueriesText(id, program)
	}
	if view.Outcome != reconcile.Answered {
		return strings.NewReplacer("PROGRAM", program, "PROVIDER", cli.Clean(id.Provider()), "ACCOUNT", cli.Quote(id.Account()), "STACK", r.stack.Name).
			Replace(nextSteps[view.Outcome])
	}
	if view.After == payout.Conflicted {
		return "the values differ; ask the provider which is correct: " + program + " show " + cli.Quote(string(id))
	}
	for _, stated := range view.Statements {
		if stated.HeldReason != "" {
			return "the answer is not understood and kept: " + program + " show " + cli.Quote(string(stated.Payout))
		}
	}
	return ""
}
