package repair

import (
	"cmp"
	"context"
	"errors"
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

// Resolve ends a conflict by an operator's resolution.
type Resolve struct {
	Target string          `arg:"" optional:"" name:"payout" help:"Id of the payout, or our reference."`
	Trust  []string        `help:"Receipt to trust, as show prints it, or an unambiguous prefix. Repeat it if no receipt alone resolves the conflict. With --all: query or callback." placeholder:"RECEIPT" required:""`
	All    bool            `help:"All payouts whose conflicts are exactly --cause: trust what the source of --trust states in each."`
	Cause  []conflictField `help:"With --all: a field in conflict, as show prints it. Repeat it for several." placeholder:"FIELD"`
	Wait   time.Duration   `help:"How long to wait until the resolution is applied." default:"30s" placeholder:"DURATION"`
	cli.PlannedChangeFlags
}

// Help gives examples.
func (Resolve) Help() string {
	return `If callbacks conflict, ask the provider which of them is correct. The resolution accepts, for each conflicting field, the
value that the trusted receipt claims and rejects every other value. It is a receipt itself: the consumer applies it,
show prints it with actor and reason, and the change is published. A rejected value that arrives again changes nothing;
a new value starts a new conflict. Two different resolutions at the same time leave a conflict: resolve again.

	payoutctl --local resolve order-4711 --trust succeeded/1kJ7 --reason 'the block explorer has it'
	payoutctl --stack payouts-prod resolve cregis/payout/1382528827416576/42 --trust failed/ --dry-run

If many payouts have the same conflict for one cause, for example a wrong amount in callbacks of an hour, --all resolves
them: it prints for each what it would trust, asks once, and applies. A payout for which the source states no value, or
several, is skipped and listed.

	payoutctl --stack payouts-prod resolve --all --trust query --cause amount --dry-run
	payoutctl --stack payouts-prod resolve --all --trust query --cause amount --reason 'Cregis, case 4720: wrong amounts'

Needs the permissions dynamodb:Query and dynamodb:GetItem on both tables and their indexes, dynamodb:PutItem on the
receipts table, sqs:SendMessage on the events queue, cloudformation:DescribeStacks and sts:GetCallerIdentity. Exit code 1
if the receipts do not resolve a conflict, if --all skips a payout, or if it is not resolved within --wait.`
}

// Check returns an error if the payout is not named, or the reason is missing.
func (c *Resolve) Check() error {
	switch {
	case c.All && (c.Target != "" || len(c.Cause) == 0):
		return cli.Usagef("", "--all takes no payout, and needs --cause FIELD")
	case c.All && (len(c.Trust) != 1 || !slices.Contains(trustedSources, payout.Source(c.Trust[0]))):
		return cli.Usagef("", "with --all, --trust is query or callback")
	case !c.All && len(c.Cause) > 0:
		return cli.Usagef("", "--cause is for --all")
	case c.All:
		return c.PlannedChangeFlags.Check()
	}
	return cmp.Or(display.CheckTarget(c.Target), c.PlannedChangeFlags.Check())
}

// Run records the resolution and waits until it is applied.
func (c *Resolve) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	if c.All {
		return c.resolveAll(ctx, s, stack)
	}
	resolution, err := c.resolution(ctx, s, stack.Reader())
	if err != nil {
		return err
	}
	if c.DryRun && s.Flags.JSON {
		return s.PrintJSON(newPlannedResolution(resolution))
	}
	if err := printResolution(s, resolution); err != nil || c.DryRun {
		return err
	}
	by, err := s.Approve(ctx, stack, c.ChangeFlags, "apply this resolution to "+cli.Clean(string(resolution.ID)))
	if err != nil {
		return err
	}
	return record(ctx, s, stack, inbox.NewResolutionReceipt(resolution, by.Note(), by.At), c.Wait)
}

// record accepts the receipt of an operator's decision and waits until it is applied.
func record(ctx context.Context, s *cli.Session, stack cli.Stack, receipt inbox.Receipt, wait time.Duration) error {
	box, err := stack.Inbox(s.Now)
	if err != nil {
		return err
	}
	accepted, err := box.Accept(ctx, receipt)
	if err != nil {
		return cli.WithHint("try again: the same resolution twice counts once", err)
	}
	if accepted.Acceptance == inbox.AcceptedDuplicate {
		s.Notef("the same resolution exists already")
	}
	return awaitResolution(ctx, s, stack.Reader(), receipt.Key, wait)
}

// resolution returns the resolution that trusts the receipts of the flags.
func (c *Resolve) resolution(ctx context.Context, s *cli.Session, reader *dynamostore.Reader) (payout.Resolution, error) {
	history, err := display.FindPayout(ctx, s, reader, c.Target)
	if err != nil {
		return payout.Resolution{}, err
	}
	trusted, err := trustedEvents(s, history, c.Trust)
	if err != nil {
		return payout.Resolution{}, err
	}
	resolution, err := history.Record.NewResolution(trusted...)
	if err != nil {
		return payout.Resolution{}, explainUndecided(s, history.Record.ID, err)
	}
	return resolution, nil
}

// trustedEvents returns the events of the receipts that the flags name.
func trustedEvents(s *cli.Session, t display.History, names []string) ([]payout.Event, error) {
	var events []payout.Event
	for _, name := range names {
		item, err := findReceipt(s, t, name)
		switch {
		case err != nil:
			return nil, err
		case item.Damaged:
			return nil, cli.Negativef("", "receipt %s cannot be read, so its claims are unknown", cli.Clean(item.Key.Receipt))
		case item.Resolution != nil:
			return nil, cli.Usagef("trust the receipt of a callback", "receipt %s is a resolution", cli.Clean(item.Key.Receipt))
		case item.State != inbox.Applied:
			return nil, cli.Negativef("try again in a moment", "receipt %s is not applied yet", cli.Clean(item.Key.Receipt))
		}
		events = append(events, item.Event)
	}
	return events, nil
}

// findReceipt returns the receipt whose key has the prefix.
func findReceipt(s *cli.Session, t display.History, name string) (display.Entry, error) {
	var matches []display.Entry
	for _, item := range t.Entries {
		if item.Key.Receipt == name {
			return item, nil
		}
		if fingerprint := item.Key.Receipt[strings.LastIndex(item.Key.Receipt, "/")+1:]; strings.HasPrefix(item.Key.Receipt, name) || strings.HasPrefix(fingerprint, name) {
			matches = append(matches, item)
		}
	}
	switch {
	case name == "" || len(matches) == 0:
		return display.Entry{}, cli.Usagef("list them with: "+s.Program()+" show "+cli.Quote(string(t.Record.ID)), "%s has no receipt %q", cli.Clean(string(t.Record.ID)), cli.Clean(name))
	case len(matches) > 1:
		return display.Entry{}, cli.Usagef("", "%q is ambiguous: %s and %s", cli.Clean(name), t.ShortReceipt(matches[0]), t.ShortReceipt(matches[1]))
	}
	return matches[0], nil
}

// explainUndecided adds a hint to the reason why the receipts do not resolve the
// conflict.
func explainUndecided(s *cli.Session, id payout.ID, err error) error {
	hint := "see: " + s.Program() + " show " + cli.Quote(string(id))
	if undecided, ok := errors.AsType[*payout.UndecidedError](err); ok && len(undecided.Overflowed) == 0 && len(undecided.Conflicting) == 0 {
		hint = "trust another receipt as well: --trust RECEIPT --trust RECEIPT"
	}
	return cli.Negativef(hint, "%s: %w", cli.Clean(string(id)), err)
}

// printResolution prints what the resolution trusts and rejects, as text.
func printResolution(s *cli.Session, resolution payout.Resolution) error {
	if s.Flags.JSON {
		return nil
	}
	t := cli.Table{Style: s.Style(), Header: []string{"FIELD", "TRUSTED", "REJECTED"}}
	for _, field := range slices.Sorted(maps.Keys(resolution.Trusted)) {
		var rejected []string
		for _, value := range resolution.Rejected[field] {
			rejected = append(rejected, display.FormatValue(t.Style, field, value))
		}
		t.AddTexts(string(field), display.FormatValue(t.Style, field, resolution.Trusted[field]), strings.Join(rejected, " | "))
	}
	return s.Print(t.String())
}

// awaitResolution waits until the consumer has applied the resolution, and prints the
// payout.
func awaitResolution(ctx context.Context, s *cli.Session, reader *dynamostore.Reader, key inbox.Key, timeout time.Duration) error {
	applied, err := display.AwaitApplied(ctx, reader, key, timeout)
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
	view := struct {
		Receipt string         `json:"receipt"`
		Applied bool           `json:"applied"`
		Payout  display.Payout `json:"payout"`
	}{key.Receipt, applied, display.NewPayout(history.Record)}
	if err := s.PrintResult(view, "\n"+text); err != nil {
		return err
	}
	switch {
	case !applied:
		return cli.Negativef("do not resolve again; is the consumer paused? See: "+s.Program()+" doctor",
			"the resolution is recorded and was not applied within %s; the consumer will apply it, until then the payout is %s",
			timeout, history.Record.Status())
	case history.Record.Status() == payout.Conflicted:
		return cli.Negativef("see the remaining conflict: "+s.Program()+" show "+cli.Quote(key.Payout),
			"the resolution is applied, and the payout still has a conflict: another event or resolution was applied meanwhile")
	}
	return nil
}
