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

// HeldPrefix begins the id of a held callback.
const HeldPrefix = "held/"

// FindPayout loads the history of the payout with an id or a reference of ours. A
// reference may look like an id, so it tries the id first, which is known as soon as
// it has a receipt.
func FindPayout(ctx context.Context, s *cli.Session, reader *dynamostore.Reader, target string) (History, error) {
	history, err := LoadHistory(ctx, reader, payout.ID(target))
	if err != nil || history.isKnown() {
		return history, err
	}
	const limit = 1000 // bounds the list if many payouts share a reference
	payouts, _, err := Take(limit, dynamostore.Filter{}, SkipDamaged(s, reader.ByReference(ctx, target)))
	switch {
	case err != nil:
		return History{}, err
	case len(payouts) == 0:
		return History{}, cli.Negativef("an id looks like cregis/payout/PROJECT/CID; see them with: "+s.Program()+" payouts. "+
			"A reference is known once a callback with it is applied; receipts that wait: "+s.Program()+" receipts received",
			"no payout has the id or the reference %s%s", cli.Clean(target), norHeld(target))
	case len(payouts) > 1:
		s.Notef("%d payouts have this reference; give the id of one:", len(payouts))
		if err := PrintPayouts(s, payouts); err != nil {
			return History{}, err
		}
		return History{}, ErrAmbiguous
	}
	return LoadHistory(ctx, reader, payouts[0].ID)
}

// norHeld extends the message for an id that looks like that of a held callback.
func norHeld(target string) string {
	if strings.HasPrefix(target, HeldPrefix) {
		return ", and no held callback has that id"
	}
	return ""
}

var (
	// ErrNoTarget means that the command line names no payout.
	ErrNoTarget = cli.Usagef("", "no payout given: give its id or our reference")
	// ErrAmbiguous means that several payouts share the reference; they are listed.
	ErrAmbiguous = cli.Negativef("", "several payouts have this reference")
)

// History is a payout with its receipts.
type History struct {
	Record  dynamostore.Stored
	Exists  bool
	Damage  error   // why the payout cannot be read; Record is invalid then
	Entries []Entry // in the order of their acceptance
}

func (t History) isKnown() bool { return t.Exists || len(t.Entries) > 0 }

// LoadHistory reads a payout and its receipts.
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

// reloadRecord reads a missing payout again: its first receipt may have been applied
// after the first read.
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

// checkRecord returns what is wrong with a record that decodes: the first write of a
// payout sets a version and a status.
func checkRecord(record dynamostore.Stored) error {
	switch {
	case record.Version < 1:
		return errors.New("its version is not a number of receipts")
	case record.Status() == "":
		return errors.New("it has no status")
	}
	return nil
}

// IsMissing reports whether a receipt is applied and the payout does not exist.
func (t History) IsMissing() bool {
	return !t.Exists && slices.ContainsFunc(t.Entries, func(item Entry) bool { return item.State == inbox.Applied })
}
