package repair

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Close ends an open payout by an operator's decision.
type Close struct {
	Target string        `arg:"" name:"payout" help:"Id of the payout, or our reference."`
	Status string        `required:"" enum:"succeeded,failed,rejected,cancelled,done" help:"Final status: succeeded, failed, rejected or cancelled; of a batch done or cancelled." placeholder:"STATUS"`
	Wait   time.Duration `help:"How long to wait until the decision is applied." default:"30s" placeholder:"DURATION"`
	cli.ChangeFlags
}

// Help gives examples.
func (Close) Help() string {
	return `Ends a payout whose end no callback and no query states, for example because the provider has closed the account. Ask
the provider first: reconcile. The decision is a receipt, with actor and reason. A callback or an answer that states
another final status afterwards starts a conflict.

A payout that you close as failed, rejected or cancelled may still be paid. Order it again only after the provider has
denied it after its idempotency window: within 24 hours, Pivot returns the first request for the same X-REQUEST-ID, and
Cregis answers E0009 or E0018 for a third_party_id that it has seen.

	payoutctl --local close order-4711 --status failed --reason 'Cregis, case 4713: never received'
	payoutctl --stack payouts-prod close cregis/payout/1382528827416576/42 --status succeeded --reason 'bank statement of 3 May'

Needs the permissions of resolve. Exit code 1 if the payout does not exist, is final, linked or conflicted, or if the
decision was not applied within --wait.`
}

// Check returns an error if the payout is not named, or the reason is missing.
func (c *Close) Check() error { return cmp.Or(display.CheckTarget(c.Target), c.ChangeFlags.Check()) }

// Run records the decision and waits until it is applied.
func (c *Close) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	history, err := display.FindPayout(ctx, s, stack.Reader(), c.Target)
	if err != nil {
		return err
	}
	if err := c.checkOpen(s, history); err != nil {
		return err
	}
	id, status := history.Record.ID, payout.Status(c.Status)
	if status != payout.Succeeded && status != payout.Done {
		s.Notef("warning: the provider may still pay it. Order it again only after the provider has denied it after its idempotency window")
	}
	by, err := s.Approve(ctx, stack, c.ChangeFlags, fmt.Sprintf("close %s as %s", cli.Clean(string(id)), status))
	if err != nil {
		return err
	}
	receipt := inbox.NewReceipt(payout.Event{ID: id, Source: payout.SourceResolution, Status: status}, nil, "", by.At)
	receipt.Note = by.Note()
	return record(ctx, s, stack, receipt, c.Wait)
}

// checkOpen returns an error if the payout cannot be closed with the status.
func (c *Close) checkOpen(s *cli.Session, history display.History) error {
	record := history.Record
	id := cli.Clean(string(record.ID))
	isBatch, isFromBatch := record.ID.Type() == payout.TypeBatch, c.Status == string(payout.Done)
	show := "see: " + s.Program() + " show " + cli.Quote(string(record.ID))
	switch status := record.Status(); {
	case history.Damage != nil || history.IsMissing():
		return cli.Negativef(show, "the record of %s cannot be read", id)
	case !history.Exists:
		return cli.Negativef(show, "no receipt of %s is applied yet", id)
	case status == payout.Conflicted:
		return cli.Negativef(show+", then: "+s.Program()+" resolve", "%s is conflicted: resolve the conflict", id)
	case status == payout.Linked:
		return cli.Negativef("", "%s is linked to %s: close that payout", id, cli.Clean(record.Value(payout.FieldLinkedTo)))
	case status.IsFinal():
		return cli.Negativef(show, "%s is %s already", id, status)
	case isBatch && !isFromBatch && c.Status != string(payout.Cancelled):
		return cli.Usagef("", "a batch is closed as done or cancelled")
	case !isBatch && isFromBatch:
		return cli.Usagef("", "a payout is closed as succeeded, failed, rejected or cancelled")
	}
	return nil
}
