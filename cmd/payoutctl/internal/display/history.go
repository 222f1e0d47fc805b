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
	payouts, _, err := TakePayouts(s, limit, dynamostore.Filter{}, reader.ByReference(ctx, target))
	switch {
	case err != nil:
		return History{}, err
	case len(payouts) == 0:
		norHeld := ""
		if strings.HasPrefix(target, HeldPrefix) {
			norHeld = ", and no held callback has that id"
		}
		return History{}, cli.Negativef("an id looks like cregis/payout/PROJECT/CID; see them with: "+s.Program()+" payouts. "+
			"A reference is known once a callback with it is applied; receipts that wait: "+s.Program()+" receipts received",
			"no payout has the id or the reference %s%s", cli.Clean(target), norHeld)
	case len(payouts) > 1:
		s.Notef("%d payouts have this reference; give the id of one:", len(payouts))
		if err := PrintPayouts(s, payouts); err != nil {
			return History{}, err
		}
		return History{}, ErrAmbiguous
	}
	return LoadHistory(ctx, reader, payouts[0].ID)
}

// ErrAmbiguous means that several payouts share the reference; they are listed.
var ErrAmbiguous = cli.Negativef("", "several payouts have this reference")

// CheckTarget returns an error if the command line names no payout.
func CheckTarget(target string) error {
	if target == "" {
		return cli.Usagef("", "no payout given: give its id or our reference")
	}
	return nil
}

// ReadHeld reads a held callback by its id. Ok is false if it does not exist.
func ReadHeld(ctx context.Context, reader *dynamostore.Reader, id string) (held Entry, ok bool, err error) {
	receipt, ok, err := reader.Receipt(ctx, inbox.Key{Payout: id, Receipt: string(inbox.Held)})
	if errors.Is(err, inbox.ErrDamagedReceipt) {
		return Entry{Receipt: receipt, Damaged: true}, true, nil
	}
	return Entry{Receipt: receipt}, ok, err
}

// FindHeld reads a held callback that must exist.
func FindHeld(ctx context.Context, s *cli.Session, reader *dynamostore.Reader, id string) (inbox.Receipt, error) {
	held, ok, err := ReadHeld(ctx, reader, id)
	switch {
	case err == nil && !ok:
		err = cli.Negativef("list them with: "+s.Program()+" receipts held", "no held callback has the id %s", cli.Clean(id))
	case held.Damaged:
		err = cli.Negativef("restore the receipt; its raw content: "+s.Program()+" show "+cli.Quote(id)+" --json", "receipt %s cannot be read", cli.Clean(id))
	}
	return held.Receipt, err
}

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
	history := History{Record: dynamostore.Stored{Record: payout.Record{ID: id}}}
	if err := history.readRecord(ctx, reader); err != nil {
		return History{}, err
	}
	for entry, err := range Entries(reader.ReceiptsOf(ctx, id)) {
		if err != nil {
			return History{}, err
		}
		history.Entries = append(history.Entries, entry)
	}
	slices.SortStableFunc(history.Entries, func(a, b Entry) int { return a.AcceptedAt.Compare(b.AcceptedAt) })
	if history.IsMissing() { // its first receipt may have been applied after the first read
		return history, history.readRecord(ctx, reader)
	}
	return history, nil
}

func (t *History) readRecord(ctx context.Context, reader *dynamostore.Reader) error {
	record, exists, err := reader.Record(ctx, t.Record.ID)
	isDamaged := errors.Is(err, inbox.ErrDamagedPayout)
	if err != nil && !isDamaged {
		return err
	}
	t.Exists, t.Damage = exists || isDamaged, err
	switch {
	case isDamaged:
		t.Record.UpdatedAt = record.UpdatedAt
	case exists:
		t.Record, t.Damage = record, checkRecord(record)
	}
	return nil
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
