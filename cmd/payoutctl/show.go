package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// showCommand tells the story of one payout.
type showCommand struct {
	Target string `arg:"" name:"payout" help:"Id of the payout, our reference of it, or the id of a held callback (held/…)."`
}

// Help gives examples.
func (showCommand) Help() string {
	return `Shows what is known of a payout, what contradicts what and the commands that decide it, and when which callback told
it: one line for each distinct callback, in the order in which they were first accepted, with the id of the key that
verified it and what it did to the payout. Redeliveries leave no line. Decisions of people are told with who, when and
why.

Where several payouts have the reference, they are listed. A reference may begin with held/, too. A held callback (authentic, but not understood) belongs to
no payout and has an id of its own; --full shows the callback's body, too.

Examples:

	payoutctl --local show cregis/payout/1382528827416576/1391751691788288
	payoutctl --stack payouts-prod show order-4711
	payoutctl --stack payouts-prod show order-4711 --json

Needs the permissions dynamodb:Query and dynamodb:GetItem on both tables and their indexes, and
cloudformation:DescribeStacks. Exit code 1 where there is no such payout.`
}

const heldPrefix = "held/"

// Run shows the payout, or the held callback.
func (c *showCommand) Run(ctx context.Context, s *session) error {
	if c.Target == "" {
		return errWhich
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return err
	}
	if strings.HasPrefix(c.Target, heldPrefix) {
		if err := s.showHeld(ctx, reader, c.Target); !errors.Is(err, errNotHeld) {
			return err
		}
		// A reference of ours may begin so, too.
	}
	history, err := s.find(ctx, reader, c.Target)
	switch {
	case errors.Is(err, errSeveral):
		return nil // they are listed
	case err != nil:
		return err
	}
	return s.showHistory(history)
}

// find tells the story of the payout that an id or a reference of ours names.
// A reference may look like an id, and an id's receipts may be waiting to be
// applied: the id is tried first, then whatever is told under it.
func (s *session) find(ctx context.Context, reader *dynamostore.Reader, what string) (payoutHistory, error) {
	history, err := loadHistory(ctx, reader, payout.ID(what))
	if err != nil || history.isKnown() {
		return history, err
	}
	// More than a screenful under one reference is a list, whatever comes after.
	const most = 1000
	payouts, _, err := first(most, dynamostore.Filter{}, s.sound(reader.ByReference(ctx, what)))
	switch {
	case err != nil:
		return payoutHistory{}, err
	case len(payouts) == 0:
		return payoutHistory{}, no("an id looks like cregis/payout/PROJECT/CID; see them with: "+s.self()+" payouts. "+
			"A reference is known once a callback with it is applied; what waits: "+s.self()+" receipts received",
			"no payout has the id or the reference %s%s", clean(what), norHeld(what))
	case len(payouts) > 1:
		s.notef("%d payouts have this reference; give the id of one:", len(payouts))
		if err := s.printPayouts(payouts); err != nil {
			return payoutHistory{}, err
		}
		return payoutHistory{}, errSeveral
	}
	return loadHistory(ctx, reader, payouts[0].ID)
}

// norHeld goes on with what was looked for.
func norHeld(what string) string {
	if strings.HasPrefix(what, heldPrefix) {
		return ", and no held callback has that id"
	}
	return ""
}

// errNotHeld means that no held callback has an id.
var errNotHeld = errors.New("no held callback has the id")

var (
	errWhich = usage("", "which payout? Give its id or our reference")
	// errSeveral ends a command that has listed the payouts of a reference.
	errSeveral = no("", "the reference is not of one payout")
)

// story is a payout with its receipts.
type payoutHistory struct {
	record  dynamostore.Stored
	exists  bool
	damage  error   // why the payout cannot be read: then record says nothing
	entries []entry // by the time of their acceptance
}

func (t payoutHistory) isKnown() bool { return t.exists || len(t.entries) > 0 }

func loadHistory(ctx context.Context, reader *dynamostore.Reader, id payout.ID) (payoutHistory, error) {
	record, exists, err := reader.Record(ctx, id)
	damaged := errors.Is(err, inbox.ErrDamagedPayout)
	if err != nil && !damaged {
		return payoutHistory{}, err
	}
	if damaged {
		record = dynamostore.Stored{UpdatedAt: record.UpdatedAt}
	}
	record.ID = id
	history := payoutHistory{record: record, exists: exists, damage: err}
	if history.damage == nil && exists {
		history.damage = soundness(record)
	}
	for receipt, err := range reader.ReceiptsOf(ctx, id) {
		if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
			return payoutHistory{}, err
		}
		history.entries = append(history.entries, entry{Receipt: receipt, damaged: err != nil})
	}
	slices.SortStableFunc(history.entries, func(a, b entry) int { return a.AcceptedAt.Compare(b.AcceptedAt) })
	if history.gone() {
		return reload(ctx, reader, history)
	}
	return history, nil
}

// again reads a payout that was not there before its receipts were read: the
// first of them may have been applied in between.
func reload(ctx context.Context, reader *dynamostore.Reader, history payoutHistory) (payoutHistory, error) {
	record, exists, err := reader.Record(ctx, history.record.ID)
	switch {
	case errors.Is(err, inbox.ErrDamagedPayout):
		history.exists, history.damage = true, err
	case err != nil:
		return payoutHistory{}, err
	case exists:
		history.record, history.exists, history.damage = record, true, soundness(record)
	}
	return history, nil
}

// soundness says why a record that decodes still is none: nothing writes a
// payout before it has been told something.
func soundness(record dynamostore.Stored) error {
	switch {
	case record.Version < 1:
		return errors.New("its version is no number of receipts")
	case record.Status() == "":
		return errors.New("it tells no status")
	}
	return nil
}

// gone reports whether the payout is missing: a receipt of it is applied.
func (t payoutHistory) gone() bool {
	return !t.exists && slices.ContainsFunc(t.entries, func(item entry) bool { return item.State == inbox.Applied })
}

func (s *session) showHistory(history payoutHistory) error {
	if !s.flags.JSON {
		return s.print(history.text(s.style(), s.now(), s.self()))
	}
	shown := struct {
		Payout   *payoutView   `json:"payout"` // null where there is none, or it cannot be read
		Damaged  bool          `json:"damaged,omitzero"`
		Missing  bool          `json:"missing,omitzero"` // receipts of it are applied, and it is not there
		Receipts []receiptView `json:"receipts"`
	}{Damaged: history.damage != nil, Missing: history.gone()}
	if history.damage == nil && history.exists {
		view := viewOf(history.record)
		shown.Payout = &view
	}
	for _, item := range history.entries {
		shown.Receipts = append(shown.Receipts, receiptViewOf(item, s.flags.Full))
	}
	return s.printJSON(shown)
}

func (s *session) showHeld(ctx context.Context, reader *dynamostore.Reader, id string) error {
	receipt, item, err := reader.Receipt(ctx, inbox.Key{Payout: id, Receipt: string(inbox.Held)})
	damaged := errors.Is(err, inbox.ErrDamagedReceipt)
	switch {
	case err != nil && !damaged:
		return err
	case !item:
		return errNotHeld
	case s.flags.JSON:
		return s.printJSON(receiptViewOf(entry{receipt, damaged}, s.flags.Full))
	}
	return s.print(heldText(s.style(), receipt, s.now(), s.self()))
}
