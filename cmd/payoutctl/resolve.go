package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// resolveCommand ends a conflict by a person's decision.
type resolveCommand struct {
	Target string        `arg:"" name:"payout" help:"Id of the payout, or our reference of it."`
	Trust  []string      `help:"Receipt whose word counts, as show names it; enough of it to be the only one. Twice, where one alone does not tell all." placeholder:"RECEIPT" required:""`
	Reason string        `help:"Why: recorded with the decision." placeholder:"TEXT"`
	DryRun bool          `help:"Say what would be decided, and change nothing."`
	Yes    bool          `help:"Do not ask before changing a deployed stack."`
	Wait   time.Duration `help:"How long to wait until the decision is applied." default:"30s" placeholder:"TIME"`
}

// Help gives examples.
func (resolveCommand) Help() string {
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
func (c *resolveCommand) Run(ctx context.Context, s *session) error {
	if c.Target == "" {
		return errWhich
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	reader := stack.reader()
	decision, err := c.decision(ctx, s, reader)
	if err != nil {
		return err
	}
	if err := s.printDecision(decision); err != nil || c.DryRun {
		return err
	}
	by, err := s.changedBy(ctx, stack, c.Reason)
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, "believe that about "+clean(string(decision.ID))); err != nil {
		return err
	}
	key, err := s.decide(ctx, stack, decision, by)
	if err != nil {
		return err
	}
	return s.awaitDecision(ctx, reader, key, c.Wait)
}

// decision is what would be decided.
func (c *resolveCommand) decision(ctx context.Context, s *session, reader *dynamostore.Reader) (payout.Resolution, error) {
	history, err := s.find(ctx, reader, c.Target)
	if err != nil {
		return payout.Resolution{}, err
	}
	trusted, err := history.trusted(c.Trust)
	if err != nil {
		return payout.Resolution{}, err
	}
	decision, err := history.record.NewResolution(trusted...)
	if err != nil {
		return payout.Resolution{}, s.undecided(history, err)
	}
	return decision, nil
}

// decide makes the decision durable: a receipt like any other.
func (s *session) decide(ctx context.Context, stack stack, decision payout.Resolution, changedBy inbox.ChangedBy) (inbox.Key, error) {
	box, err := stack.inbox(s.now)
	if err != nil {
		return inbox.Key{}, err
	}
	receipt := inbox.NewResolutionReceipt(decision, changedBy.Note(), changedBy.At)
	accepted, err := box.Accept(ctx, receipt)
	if err != nil {
		return inbox.Key{}, advised("try again: the same decision made twice is one", err)
	}
	if accepted.Acceptance == inbox.AcceptedDuplicate {
		s.notef("somebody has decided exactly that before")
	}
	return receipt.Key, nil
}

// trusted returns the events of the receipts that the flags name.
func (t payoutHistory) trusted(names []string) ([]payout.Event, error) {
	var events []payout.Event
	for _, name := range names {
		item, err := t.named(name)
		switch {
		case err != nil:
			return nil, err
		case item.damaged:
			return nil, no("", "receipt %s cannot be read: nobody knows what it claims", clean(item.Key.Receipt))
		case item.Resolution != nil:
			return nil, usage("trust the receipt of a callback", "receipt %s is a person's decision", clean(item.Key.Receipt))
		case item.State != inbox.Applied:
			return nil, no("try again in a moment", "receipt %s is not applied yet", clean(item.Key.Receipt))
		}
		events = append(events, item.Event)
	}
	return events, nil
}

// named returns the one receipt whose key begins so.
func (t payoutHistory) named(name string) (entry, error) {
	var e []entry
	for _, item := range t.entries {
		if item.Key.Receipt == name {
			return item, nil
		}
		if _, fingerprint, _ := strings.Cut(item.Key.Receipt, "/"); strings.HasPrefix(item.Key.Receipt, name) || strings.HasPrefix(fingerprint, name) {
			e = append(e, item)
		}
	}
	var names []string
	for _, value := range e {
		names = append(names, t.short(value))
	}
	switch {
	case name == "" || len(e) == 0:
		return entry{}, usage("they are listed by show", "%s has no receipt %q", clean(string(t.record.ID)), clean(name))
	case len(e) > 1:
		return entry{}, usage("", "%q may be any of %s", clean(name), strings.Join(names, ", "))
	}
	return e[0], nil
}

// undecided says why there is no decision, and what to do.
func (s *session) undecided(history payoutHistory, err error) error {
	if errors.Is(err, payout.ErrNoConflict) {
		return no("see: "+s.self()+" show "+quoted(string(history.record.ID)), "%s: %w", clean(string(history.record.ID)), err)
	}
	if undecided, ok := errors.AsType[*payout.UndecidedError](err); ok && len(undecided.Overflowed) == 0 && len(undecided.Conflicting) == 0 {
		return no("trust another receipt as well: --trust RECEIPT --trust RECEIPT", "%w", err)
	}
	return no("see: "+s.self()+" show "+quoted(string(history.record.ID)), "%w", err)
}

func (s *session) printDecision(decision payout.Resolution) error {
	if s.flags.JSON {
		return nil
	}
	t := table{style: s.style(), header: []string{"FIELD", "BELIEVED", "NOT BELIEVED"}}
	for _, field := range slices.Sorted(maps.Keys(decision.Trusted)) {
		var rejected []string
		for _, value := range decision.Rejected[field] {
			rejected = append(rejected, shownValue(t.style, field, value))
		}
		t.add(plain(string(field), shownValue(t.style, field, decision.Trusted[field]), strings.Join(rejected, " | "))...)
	}
	return s.print(t.String())
}

// awaitDecision waits until the consumer has applied it, and says what the
// payout shows then.
func (s *session) awaitDecision(ctx context.Context, reader *dynamostore.Reader, key inbox.Key, patience time.Duration) error {
	applied, err := awaitApplied(ctx, reader, key, patience)
	if err != nil {
		return err
	}
	history, err := loadHistory(ctx, reader, payout.ID(key.Payout))
	if err != nil {
		return err
	}
	text := "recorded  " + clean(key.Payout) + "  " + clean(key.Receipt) + "\n"
	if applied {
		text = history.text(s.style(), s.now(), s.self())
	}
	shown := struct {
		Receipt string      `json:"receipt"`
		Applied bool        `json:"applied"`
		Payout  *payoutView `json:"payout"`
	}{Receipt: key.Receipt, Applied: applied}
	if s.flags.JSON {
		view := viewOf(history.record)
		shown.Payout = &view
		if err := s.printJSON(shown); err != nil {
			return err
		}
	} else if err := s.print("\n" + text); err != nil {
		return err
	}
	switch {
	case !applied:
		return no("there is nothing to decide again; is the consumer paused? See: "+s.self()+" doctor",
			"the decision is recorded and will be applied by the consumer, which has not done so within %s: until then the payout is %s",
			patience, history.record.Status())
	case history.record.Status() == payout.Conflicted:
		return no("see what contradicts now: "+s.self()+" show "+quoted(key.Payout),
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

// quoted is a text as a shell takes it for one word.
func quoted(text string) string {
	plain := !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.:%-", r)
	})
	if plain && text != "" {
		return text
	}
	return inQuotes(text)
}

// inQuotes is a text in the quotes of a shell.
func inQuotes(text string) string { return "'" + strings.ReplaceAll(clean(text), "'", `'\''`) + "'" }
