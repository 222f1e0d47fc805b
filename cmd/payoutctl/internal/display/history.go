package display

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// HeldPrefix begins the id of a held callback.
const HeldPrefix = "held/"

// FindPayout loads the history of the payout with an id or a reference of ours. A
// reference may look like an id, so it tries the id first, which is known as soon as
// it has a receipt. Of payouts that were expected before their id was known, it finds
// those that they are linked to.
func FindPayout(ctx context.Context, s *cli.Session, reader *dynamostore.Reader, target string) (History, error) {
	history, err := LoadHistory(ctx, reader, payout.ID(target))
	if err != nil || history.IsKnown() {
		return history, err
	}
	const limit = 1000 // bounds the list if many payouts share a reference
	payouts, _, err := TakePayouts(s, limit, dynamostore.Filter{}, reader.ByReference(ctx, target))
	payouts = withoutLinked(payouts)
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

// withoutLinked returns the payouts that are not linked, or all if there are no others.
func withoutLinked(payouts []dynamostore.Stored) []dynamostore.Stored {
	others := slices.DeleteFunc(slices.Clone(payouts), func(p dynamostore.Stored) bool { return p.Status() == payout.Linked })
	if len(others) == 0 {
		return payouts
	}
	return others
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

// heldKeys are the receipt keys of a held callback and of a held answer.
var heldKeys = []string{string(inbox.Held), string(payout.SourceQuery) + "/" + string(inbox.Held)}

// ReadHeld reads a held callback, or a held answer, by its id. Ok is false if it does
// not exist.
func ReadHeld(ctx context.Context, reader *dynamostore.Reader, id string) (held Entry, ok bool, err error) {
	var receipt inbox.Receipt
	for _, key := range heldKeys {
		if receipt, ok, err = reader.Receipt(ctx, inbox.Key{Payout: id, Receipt: key}); ok || err != nil {
			break
		}
	}
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

// IsKnown reports whether the payout or a receipt of it exists.
func (t History) IsKnown() bool { return t.Exists || len(t.Entries) > 0 }

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

// Take returns up to limit items that are admitted, and whether there are more. Nil
// admits all.
func Take[T any](limit int, items iter.Seq2[T, error], admits func(T) bool) (taken []T, more bool, err error) {
	for item, err := range items {
		switch {
		case err != nil:
			return nil, false, err
		case admits != nil && !admits(item):
			continue
		case len(taken) == limit:
			return taken, true, nil
		}
		taken = append(taken, item)
	}
	return taken, false, nil
}

// TakePayouts is Take for payouts, last updated first. It prints a note about each
// payout that cannot be read.
func TakePayouts(s *cli.Session, limit int, filter dynamostore.Filter, list iter.Seq2[dynamostore.Stored, error]) ([]dynamostore.Stored, bool, error) {
	readable := func(yield func(dynamostore.Stored, error) bool) {
		for stored, err := range list {
			switch {
			case errors.Is(err, inbox.ErrDamagedPayout):
				s.Notef("%s cannot be read: %s rebuild %s --dry-run", cli.Clean(string(stored.ID)), s.Program(), cli.Quote(string(stored.ID)))
				continue
			case errors.Is(err, inbox.ErrLaterVersion):
				s.Notef("%s", cli.Clean(err.Error()))
				continue
			}
			if !yield(stored, err) {
				return
			}
		}
	}
	payouts, more, err := Take(limit, readable, filter.Admits)
	slices.SortStableFunc(payouts, func(a, b dynamostore.Stored) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	return payouts, more, err
}

// payoutHeader has the id in the last column: it is the longest, and a line that wraps
// there keeps the other columns aligned.
var payoutHeader = []string{"STATUS", "AMOUNT", "CURRENCY", "REFERENCE", "UPDATED (UTC)", "AGE", "PAYOUT"}

// PrintPayouts prints payouts as a table or as JSON.
func PrintPayouts(s *cli.Session, payouts []dynamostore.Stored) error {
	now := s.Now()
	add := func(t *cli.Table, stored dynamostore.Stored) { addPayout(t, stored, now) }
	return cli.PrintList(s, payoutHeader, payouts, add, func(stored dynamostore.Stored) any { return NewPayout(stored) })
}

func addPayout(t *cli.Table, stored dynamostore.Stored, now time.Time) {
	status := cli.Cell{Text: string(stored.Status()), Colour: cli.StatusColour(stored.Status())}
	if checkRecord(stored) != nil {
		status = cli.Cell{Text: "damaged", Colour: cli.Red}
	}
	value := func(field payout.Field) cli.Cell { return cli.Cell{Text: cmp.Or(FieldText(stored, field), "-")} }
	t.Add(status,
		value(payout.FieldAmount), value(payout.FieldCurrency),
		value(payout.FieldReference), cli.Cell{Text: cli.FormatTime(stored.UpdatedAt)},
		cli.Cell{Text: ageText(stored, now)}, cli.Cell{Text: string(stored.ID)})
}

// ageText formats the time since the deadline of an overdue payout, or since the last
// update of any other.
func ageText(stored dynamostore.Stored, now time.Time) string {
	since := stored.UpdatedAt
	if stored.IsOverdue() && stored.Deadline != 0 {
		since = time.UnixMilli(stored.Deadline)
	}
	if since.IsZero() {
		return "-"
	}
	return cli.FormatAge(now.Sub(since))
}

// FieldText formats the value of a field, or the number of conflicting values. It returns
// "" if there is no value.
func FieldText(stored dynamostore.Stored, field payout.Field) string {
	value := stored.Value(field)
	if seen := len(stored.Claims[field].Seen); value == "" && seen > 0 {
		return fmt.Sprintf("(%d values)", seen)
	}
	return value
}

// HeldText formats a held callback.
func HeldText(style cli.Style, held Entry, now time.Time, program string) string {
	rows := HeldFacts(style, held, now)
	out := rows.String() + NextStep(held, program)
	switch {
	case held.Damaged:
		return out
	case !style.Full:
		return out + "--full shows the details and the body.\n"
	}
	return out + "\n" + cli.PrefixLines(held.Note) + "\n\n" + cli.PrefixLines(BodyText(held.Body)) + "\n"
}

// HeldFacts returns the fields of a held callback, as [History.Facts] does.
func HeldFacts(style cli.Style, r Entry, now time.Time) cli.Table {
	rows := cli.Table{Style: style}
	rows.AddField("held", r.Key.Payout, "")
	if r.Damaged {
		rows.AddField("status", r.Result(now), cli.Red)
		return rows
	}
	rows.AddField("reason", r.Reason, cli.Yellow)
	rows.AddField("source", string(r.Source()), "")
	rows.AddField("provider id", r.ProviderID, "")
	rows.AddField("accepted", cli.FormatTime(r.AcceptedAt)+" UTC, "+cli.FormatAge(now.Sub(r.AcceptedAt))+" ago", "")
	rows.AddField("key", r.KeyID, "")
	rows.AddField("body", strconv.Itoa(len(r.Body))+" bytes", "")
	if r.State != inbox.Held {
		rows.AddField(string(r.State), FormatChangedBy(style, r.ChangedBy), "")
	}
	return rows
}

// NextStep describes the state of the callback and the command that follows.
func NextStep(r Entry, program string) string {
	if r.Damaged {
		return "Restore the receipt. Its raw content: " + program + " show " + cli.Quote(r.Key.Payout) + " --json\n"
	}
	switch r.State {
	case inbox.Released:
		return "It was held at first and understood later: " + program + " show " + cli.Quote(r.ReleasedAs.Payout) + "\n"
	case inbox.Answered:
		return "The provider's answer to a query states its status: " + program + " show " + cli.Quote(r.ReleasedAs.Payout) + "\n"
	case inbox.Dismissed:
		return "An operator dismissed it: it says nothing about a payout.\n"
	}
	if r.Source() == payout.SourceQuery {
		return "The provider answered this to a query, and it is not understood: it changed no payout, and the payout is asked about again.\n"
	}
	return "It is authentic and was acknowledged, but not understood: it changed no payout, and its body is kept unchanged.\n" +
		"Once this program understands it: " + program + " release " + cli.Quote(r.Key.Payout) + " --dry-run\n"
}

// pollInterval is the time between two reads of an awaited receipt.
const pollInterval = 300 * time.Millisecond

// AwaitApplied waits until the consumer has applied a receipt. It returns false if the
// receipt is not applied within the timeout.
func AwaitApplied(ctx context.Context, reader *dynamostore.Reader, key inbox.Key, timeout time.Duration) (bool, error) {
	applied, err := cli.Poll(ctx, pollInterval, timeout, func() (bool, error) {
		receipt, _, err := reader.Receipt(ctx, key)
		return receipt.State == inbox.Applied, err
	})
	if err != nil {
		return false, fmt.Errorf("wait for receipt %s: %w", key.Receipt, err)
	}
	return applied, nil
}
