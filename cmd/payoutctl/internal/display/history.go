package display

import (
	"context"
	"errors"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

const HeldPrefix = "held/"

// find tells the story of the payout that an id or a reference of ours names.
// A reference may look like an id, and an id's receipts may be waiting to be
// applied: the id is tried first, then whatever is told under it.
func FindPayout(ctx context.Context, s *cli.Session, reader *dynamostore.Reader, what string) (History, error) {
	history, err := LoadHistory(ctx, reader, payout.ID(what))
	if err != nil || history.isKnown() {
		return history, err
	}
	// More than a screenful under one reference is a list, whatever comes after.
	const most = 1000
	payouts, _, err := Take(most, dynamostore.Filter{}, SkipDamaged(s, reader.ByReference(ctx, what)))
	switch {
	case err != nil:
		return History{}, err
	case len(payouts) == 0:
		return History{}, cli.Negativef("an id looks like cregis/payout/PROJECT/CID; see them with: "+s.Program()+" payouts. "+
			"A reference is known once a callback with it is applied; what waits: "+s.Program()+" receipts received",
			"no payout has the id or the reference %s%s", cli.Clean(what), norHeld(what))
	case len(payouts) > 1:
		s.Notef("%d payouts have this reference; give the id of one:", len(payouts))
		if err := PrintPayouts(s, payouts); err != nil {
			return History{}, err
		}
		return History{}, ErrAmbiguous
	}
	return LoadHistory(ctx, reader, payouts[0].ID)
}

// norHeld goes on with what was looked for.
func norHeld(what string) string {
	if strings.HasPrefix(what, HeldPrefix) {
		return ", and no held callback has that id"
	}
	return ""
}

var (
	ErrNoTarget = cli.Usagef("", "which payout? Give its id or our reference")
	// errSeveral ends a command that has listed the payouts of a reference.
	ErrAmbiguous = cli.Negativef("", "the reference is not of one payout")
)

// story is a payout with its receipts.
type History struct {
	Record  dynamostore.Stored
	Exists  bool
	Damage  error   // why the payout cannot be read: then record says nothing
	Entries []Entry // by the time of their acceptance
}

func (t History) isKnown() bool { return t.Exists || len(t.Entries) > 0 }

func LoadHistory(ctx context.Context, reader *dynamostore.Reader, id payout.ID) (History, error) {
	record, exists, err := reader.Record(ctx, id)
	damaged := errors.Is(err, inbox.ErrDamagedPayout)
	if err != nil && !damaged {
		return History{}, err
	}
	if damaged {
		record = dynamostore.Stored{UpdatedAt: record.UpdatedAt}
	}
	record.ID = id
	history := History{Record: record, Exists: exists, Damage: err}
	if history.Damage == nil && exists {
		history.Damage = checkRecord(record)
	}
	for receipt, err := range reader.ReceiptsOf(ctx, id) {
		if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
			return History{}, err
		}
		history.Entries = append(history.Entries, Entry{Receipt: receipt, Damaged: err != nil})
	}
	slices.SortStableFunc(history.Entries, func(a, b Entry) int { return a.AcceptedAt.Compare(b.AcceptedAt) })
	if history.IsMissing() {
		return reloadRecord(ctx, reader, history)
	}
	return history, nil
}

// again reads a payout that was not there before its receipts were read: the
// first of them may have been applied in between.
func reloadRecord(ctx context.Context, reader *dynamostore.Reader, history History) (History, error) {
	record, exists, err := reader.Record(ctx, history.Record.ID)
	switch {
	case errors.Is(err, inbox.ErrDamagedPayout):
		history.Exists, history.Damage = true, err
	case err != nil:
		return History{}, err
	case exists:
		history.Record, history.Exists, history.Damage = record, true, checkRecord(record)
	}
	return history, nil
}

// soundness says why a record that decodes still is none: nothing writes a
// payout before it has been told something.
func checkRecord(record dynamostore.Stored) error {
	switch {
	case record.Version < 1:
		return errors.New("its version is no number of receipts")
	case record.Status() == "":
		return errors.New("it tells no status")
	}
	return nil
}

// gone reports whether the payout is missing: a receipt of it is applied.
func (t History) IsMissing() bool {
	return !t.Exists && slices.ContainsFunc(t.Entries, func(item Entry) bool { return item.State == inbox.Applied })
}
