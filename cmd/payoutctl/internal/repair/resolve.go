package repair

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// resolveCommand ends a conflict by a person's decision.
type Resolve struct {
	Target string        `arg:"" name:"payout" help:"Id of the payout, or our reference of it."`
	Trust  []string      `help:"Receipt whose word counts, as show names it; enough of it to be the only one. Twice, where one alone does not tell all." placeholder:"RECEIPT" required:""`
	DryRun bool          `help:"Say what would be decided, and change nothing."`
	Wait   time.Duration `help:"How long to wait until the decision is applied." default:"30s" placeholder:"TIME"`
	cli.ReasonFlags
}

// Help gives examples.
func (Resolve) Help() string {
	return `Where callbacks contradict each other, somebody has to find out which is true. The decision says, of every field that
they disagree in, that what the trusted receipt claims is believed and every other value is not. It is a receipt
itself: applied by the consumer, told in show with who and why, published like any change. A rejected value that is
told again changes nothing; a value never seen before makes a new conflict. Two people who decide differently at the
same time leave a conflict, not the last one's word; the same decision made twice is one. Resolve again to change your
mind.

Examples:

	payoutctl --local show order-4711
	payoutctl --local resolve order-4711 --trust succeeded/1kJ7 --reason 'the block explorer has it'
	payoutctl --stack payouts-prod resolve cregis/payout/1382528827416576/42 --trust failed/ --dry-run

Needs the permissions dynamodb:Query and dynamodb:GetItem on both tables and their indexes, dynamodb:PutItem on the
receipts table, sqs:SendMessage on the events queue, cloudformation:DescribeStacks and sts:GetCallerIdentity. Exit
code 1 where the payout is in no conflict, the receipts do not decide it, or it still is in conflict afterwards: also
where the decision is recorded and was not applied within --wait.`
}

// Run decides.
func (c *Resolve) Run(ctx context.Context, s *cli.Session) error {
	if c.Target == "" {
		return display.ErrNoTarget
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	reader := stack.Reader()
	decision, err := c.decision(ctx, s, reader)
	if err != nil {
		return err
	}
	if err := printDecision(s, decision); err != nil || c.DryRun {
		return err
	}
	by, err := s.ChangedBy(ctx, stack, c.Reason)
	if err != nil {
		return err
	}
	if err := s.Confirm(c.Yes, "believe that about "+cli.Clean(string(decision.ID))); err != nil {
		return err
	}
	key, err := decide(ctx, s, stack, decision, by)
	if err != nil {
		return err
	}
	return awaitDecision(ctx, s, reader, key, c.Wait)
}

// decision is what would be decided.
func (c *Resolve) decision(ctx context.Context, s *cli.Session, reader *dynamostore.Reader) (payout.Resolution, error) {
	history, err := display.FindPayout(ctx, s, reader, c.Target)
	if err != nil {
		return payout.Resolution{}, err
	}
	trusted, err := trustedEvents(history, c.Trust)
	if err != nil {
		return payout.Resolution{}, err
	}
	decision, err := history.Record.NewResolution(trusted...)
	if err != nil {
		return payout.Resolution{}, explainUndecided(s, history, err)
	}
	return decision, nil
}

// decide makes the decision durable: a receipt like any other.
func decide(ctx context.Context, s *cli.Session, stack cli.Stack, decision payout.Resolution, changedBy inbox.ChangedBy) (inbox.Key, error) {
	box, err := stack.Inbox(s.Now)
	if err != nil {
		return inbox.Key{}, err
	}
	receipt := inbox.NewResolutionReceipt(decision, changedBy.Note(), changedBy.At)
	accepted, err := box.Accept(ctx, receipt)
	if err != nil {
		return inbox.Key{}, cli.WithHint("try again: the same decision made twice is one", err)
	}
	if accepted.Acceptance == inbox.AcceptedDuplicate {
		s.Notef("somebody has decided exactly that before")
	}
	return receipt.Key, nil
}

// trusted returns the events of the receipts that the flags name.
func trustedEvents(t display.History, names []string) ([]payout.Event, error) {
	var events []payout.Event
	for _, name := range names {
		item, err := findReceipt(t, name)
		switch {
		case err != nil:
			return nil, err
		case item.Damaged:
			return nil, cli.Negativef("", "receipt %s cannot be read: nobody knows what it claims", cli.Clean(item.Key.Receipt))
		case item.Resolution != nil:
			return nil, cli.Usagef("trust the receipt of a callback", "receipt %s is a person's decision", cli.Clean(item.Key.Receipt))
		case item.State != inbox.Applied:
			return nil, cli.Negativef("try again in a moment", "receipt %s is not applied yet", cli.Clean(item.Key.Receipt))
		}
		events = append(events, item.Event)
	}
	return events, nil
}

// named returns the one receipt whose key begins so.
func findReceipt(t display.History, name string) (display.Entry, error) {
	var e []display.Entry
	for _, item := range t.Entries {
		if item.Key.Receipt == name {
			return item, nil
		}
		if _, fingerprint, _ := strings.Cut(item.Key.Receipt, "/"); strings.HasPrefix(item.Key.Receipt, name) || strings.HasPrefix(fingerprint, name) {
			e = append(e, item)
		}
	}
	var names []string
	for _, value := range e {
		names = append(names, t.ShortReceipt(value))
	}
	switch {
	case name == "" || len(e) == 0:
		return display.Entry{}, cli.Usagef("they are listed by show", "%s has no receipt %q", cli.Clean(string(t.Record.ID)), cli.Clean(name))
	case len(e) > 1:
		return display.Entry{}, cli.Usagef("", "%q may be any of %s", cli.Clean(name), strings.Join(names, ", "))
	}
	return e[0], nil
}

// undecided says why there is no decision, and what to do.
func explainUndecided(s *cli.Session, history display.History, err error) error {
	if errors.Is(err, payout.ErrNoConflict) {
		return cli.Negativef("see: "+s.Program()+" show "+cli.Quote(string(history.Record.ID)), "%s: %w", cli.Clean(string(history.Record.ID)), err)
	}
	if undecided, ok := errors.AsType[*payout.UndecidedError](err); ok && len(undecided.Overflowed) == 0 && len(undecided.Conflicting) == 0 {
		return cli.Negativef("trust another receipt as well: --trust RECEIPT --trust RECEIPT", "%w", err)
	}
	return cli.Negativef("see: "+s.Program()+" show "+cli.Quote(string(history.Record.ID)), "%w", err)
}

func printDecision(s *cli.Session, decision payout.Resolution) error {
	if s.Flags.JSON {
		return nil
	}
	t := cli.Table{Style: s.Style(), Header: []string{"FIELD", "BELIEVED", "NOT BELIEVED"}}
	for _, field := range slices.Sorted(maps.Keys(decision.Trusted)) {
		var rejected []string
		for _, value := range decision.Rejected[field] {
			rejected = append(rejected, display.FormatValue(t.Style, field, value))
		}
		t.Add(cli.Cells(string(field), display.FormatValue(t.Style, field, decision.Trusted[field]), strings.Join(rejected, " | "))...)
	}
	return s.Print(t.String())
}

// awaitDecision waits until the consumer has applied it, and says what the
// payout shows then.
func awaitDecision(ctx context.Context, s *cli.Session, reader *dynamostore.Reader, key inbox.Key, patience time.Duration) error {
	applied, err := awaitApplied(ctx, reader, key, patience)
	if err != nil {
		return err
	}
	history, err := display.LoadHistory(ctx, reader, payout.ID(key.Payout))
	if err != nil {
		return err
	}
	text := "recorded  " + cli.Clean(key.Payout) + "  " + cli.Clean(key.Receipt) + "\n"
	if applied {
		text = history.Text(s.Style(), s.Now(), s.Program())
	}
	shown := struct {
		Receipt string          `json:"receipt"`
		Applied bool            `json:"applied"`
		Payout  *display.Payout `json:"payout"`
	}{Receipt: key.Receipt, Applied: applied}
	if s.Flags.JSON {
		view := display.NewPayout(history.Record)
		shown.Payout = &view
		if err := s.PrintJSON(shown); err != nil {
			return err
		}
	} else if err := s.Print("\n" + text); err != nil {
		return err
	}
	switch {
	case !applied:
		return cli.Negativef("there is nothing to decide again; is the consumer paused? See: "+s.Program()+" doctor",
			"the decision is recorded and will be applied by the consumer, which has not done so within %s: until then the payout is %s",
			patience, history.Record.Status())
	case history.Record.Status() == payout.Conflicted:
		return cli.Negativef("see what contradicts now: "+s.Program()+" show "+cli.Quote(key.Payout),
			"the decision is applied, and the payout still is in conflict: something else was told or decided meanwhile")
	}
	return nil
}

// lookEvery is how often a receipt is looked at that is waited for.
const lookEvery = 300 * time.Millisecond

func awaitApplied(ctx context.Context, reader *dynamostore.Reader, key inbox.Key, patience time.Duration) (bool, error) {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		receipt, _, err := reader.Receipt(ctx, key)
		if err != nil || receipt.State == inbox.Applied {
			return err == nil, err
		}
		select {
		case <-tick.C:
		case <-end.C:
			return false, nil
		case <-ctx.Done():
			return false, fmt.Errorf("wait for decision: %w", ctx.Err())
		}
	}
}
