package find

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Report counts the payouts of a day by how they stand now.
type Report struct {
	Day      day          `required:"" help:"Day in UTC." placeholder:"2026-11-21"`
	Provider cli.Provider `help:"Only this provider." placeholder:"NAME"`
	Account  string       `help:"Only this account." placeholder:"ID"`
	CSV      bool         `name:"csv" help:"Print CSV."`
}

// day is the value of a flag: a day in UTC.
type day struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *day) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a day; give 2026-11-21", text)
	}
	d.Time = at
	return nil
}

// Help gives examples.
func (Report) Help() string {
	return `Counts the payouts of a day and sums their amounts, by provider, account, type and currency. A payout belongs to the day
on which its expectation was accepted, or, if nobody expected it, its first receipt. Each payout is in one of succeeded
(of a batch: done), failed (also rejected and cancelled), open, overdue and conflicted, as it stands now; ordered is
their sum. Payouts that are linked to another are in no count. Sums are exact; the sum of ordered uses the amount that
the expectation states where the amount is in conflict, and a payout without a known amount adds nothing.

A batch and its items are rows of different types: do not add them up. The sums of a final batch are those of its
items that succeeded and failed.

	payoutctl --stack payouts-prod report --day 2026-11-21
	payoutctl --stack payouts-prod report --day 2026-11-21 --account 1382528827416576 --csv

The command scans the table of receipts, which takes time and costs money on a large table. Needs the permissions
dynamodb:Scan and dynamodb:Query on the receipts table, dynamodb:GetItem on the payouts table, and
cloudformation:DescribeStacks. Exit code 1 if a payout cannot be read; it is in no count.`
}

// Check returns an error if the day is in the future.
func (c *Report) Check() error {
	if c.Day.After(time.Now()) {
		return cli.Usagef("", "--day: %s is in the future", c.Day.Format(time.DateOnly))
	}
	return nil
}

// loaders is the number of payouts that are read at the same time.
const loaders = 8

// Run prints the report.
func (c *Report) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	if c.CSV && s.Flags.JSON {
		return cli.Usagef("", "give either --csv or --json")
	}
	ids, err := c.candidates(ctx, s, stack.Reader())
	if err != nil {
		return err
	}
	rows, unreadable, err := c.count(ctx, stack.Reader(), ids)
	if err != nil {
		return err
	}
	if err := c.print(s, rows); err != nil || len(unreadable) == 0 {
		return err
	}
	for _, id := range unreadable {
		s.Notef("%s cannot be read: %s rebuild %s --dry-run", cli.Clean(string(id)), s.Program(), cli.Quote(string(id)))
	}
	return cli.Negativef("repair them, then run the report again", "%s cannot be read, and not counted", cli.Count(len(unreadable), "payout"))
}

// count reads the payouts and returns the rows, and the payouts that cannot be read.
func (c *Report) count(ctx context.Context, reader *dynamostore.Reader, ids []payout.ID) (map[reportKey]*reportRow, []payout.ID, error) {
	rows := map[reportKey]*reportRow{}
	var unreadable []payout.ID
	var mu sync.Mutex // guards both
	group, loadCtx := errgroup.WithContext(ctx)
	group.SetLimit(loaders)
	for _, id := range ids {
		group.Go(func() error {
			history, err := display.LoadHistory(loadCtx, reader, id)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				return err
			case history.Damage != nil || history.IsMissing():
				unreadable = append(unreadable, id)
			case history.Exists && c.isOfDay(history):
				addToReport(rows, history)
			}
			return nil
		})
	}
	err := group.Wait()
	slices.Sort(unreadable)
	return rows, unreadable, err
}

// candidates lists the payouts with a receipt that was accepted on the day.
func (c *Report) candidates(ctx context.Context, s *cli.Session, reader *dynamostore.Reader) ([]payout.ID, error) {
	ids := map[payout.ID]bool{}
	progress := s.StartProgress()
	read := 0
	for receipt, err := range reader.ScanReceipts(ctx, c.Day.Time, c.Day.AddDate(0, 0, 1)) {
		if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) && !errors.Is(err, inbox.ErrIndexMismatch) {
			return nil, err
		}
		if strings.HasPrefix(receipt.Key.Payout, display.HeldPrefix) {
			continue
		}
		id := payout.ID(receipt.Key.Payout)
		if (c.Provider == "" || string(c.Provider) == id.Provider()) && (c.Account == "" || c.Account == id.Account()) {
			ids[id] = true
		}
		read++
		progress("%d receipts", read)
	}
	return slices.Sorted(maps.Keys(ids)), nil
}

// isOfDay reports whether the payout belongs to the day.
func (c *Report) isOfDay(history display.History) bool {
	if len(history.Entries) == 0 {
		return false
	}
	at := history.Entries[0].AcceptedAt
	if entry, ok := expectationOf(history); ok {
		at = entry.AcceptedAt
	}
	return !at.Before(c.Day.Time) && at.Before(c.Day.AddDate(0, 0, 1))
}

// expectationOf returns the first expectation of a payout.
func expectationOf(history display.History) (display.Entry, bool) {
	i := slices.IndexFunc(history.Entries, func(e display.Entry) bool { return e.Source() == payout.SourceExpectation })
	if i < 0 {
		return display.Entry{}, false
	}
	return history.Entries[i], true
}

// reportKey identifies a row.
type reportKey struct {
	Provider string      `json:"provider"`
	Account  string      `json:"account"`
	Type     payout.Type `json:"type"`
	Currency string      `json:"currency"`
}

// reportRow is a row of the report as --json prints it.
type reportRow struct {
	Day string `json:"day"`
	reportKey
	Ordered    payout.Tally `json:"ordered"`
	Succeeded  payout.Tally `json:"succeeded"`
	Failed     payout.Tally `json:"failed"` // also rejected and cancelled
	Open       payout.Tally `json:"open"`
	Overdue    payout.Tally `json:"overdue"`
	Conflicted payout.Tally `json:"conflicted"`
}

// columns returns the names and tallies of the row's columns, in their order.
func (r *reportRow) columns() ([]string, []payout.Tally) {
	return []string{"ordered", "succeeded", "failed", "open", "overdue", "conflicted"},
		[]payout.Tally{r.Ordered, r.Succeeded, r.Failed, r.Open, r.Overdue, r.Conflicted}
}

// addToReport adds a payout to its row.
func addToReport(rows map[reportKey]*reportRow, history display.History) {
	record := history.Record
	if record.Status() == payout.Linked {
		return
	}
	amount, currency := payout.Amount(record.Value(payout.FieldAmount)), record.Value(payout.FieldCurrency)
	if entry, ok := expectationOf(history); ok {
		amount = cmp.Or(amount, payout.Amount(entry.Event.Claim(payout.FieldAmount)))
		currency = cmp.Or(currency, entry.Event.Currency)
	}
	id := record.ID
	key := reportKey{id.Provider(), id.Account(), id.Type(), currency}
	row, ok := rows[key]
	if !ok {
		none := payout.Tally{Amount: "0"}
		row = &reportRow{"", key, none, none, none, none, none, none}
		rows[key] = row
	}
	add(&row.Ordered, 1, amount)
	switch status := record.Status(); {
	case status == payout.Conflicted:
		add(&row.Conflicted, 1, amount)
	case record.IsOverdue():
		add(&row.Overdue, 1, amount)
	case record.IsOpen():
		add(&row.Open, 1, amount)
	case id.Type() == payout.TypeBatch && record.EffectiveTotals().Settled().Amount.Cmp(amount) == 0:
		totals := record.EffectiveTotals()
		add(&row.Succeeded, 0, totals.Succeeded.Amount)
		add(&row.Failed, 0, totals.Failed.Amount.Add(totals.Cancelled.Amount))
		add(tallyOf(row, status), 1, "")
	default:
		add(tallyOf(row, status), 1, amount)
	}
}

// tallyOf returns the tally of a final status.
func tallyOf(row *reportRow, status payout.Status) *payout.Tally {
	if status == payout.Succeeded || status == payout.Done {
		return &row.Succeeded
	}
	return &row.Failed
}

func add(tally *payout.Tally, count int64, amount payout.Amount) {
	tally.Count, tally.Amount = tally.Count+count, tally.Amount.Add(amount)
}

// print prints the rows as a table, as CSV, or as JSON.
func (c *Report) print(s *cli.Session, rows map[reportKey]*reportRow) error {
	keys := slices.SortedFunc(maps.Keys(rows), func(a, b reportKey) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Currency, b.Currency))
	})
	var list []*reportRow
	for _, key := range keys {
		rows[key].Day = c.Day.Format(time.DateOnly)
		list = append(list, rows[key])
	}
	if len(list) == 0 {
		s.Notef("no payouts")
	}
	if c.CSV {
		return printCSV(s, list)
	}
	header := []string{"PROVIDER", "ACCOUNT", "TYPE", "CURRENCY"}
	names, _ := new(reportRow).columns()
	for _, name := range names {
		header = append(header, strings.ToUpper(name))
	}
	addRow := func(t *cli.Table, row *reportRow) {
		cells := []string{row.Provider, row.Account, string(row.Type), cmp.Or(row.Currency, "-")}
		_, tallies := row.columns()
		for _, tally := range tallies {
			cells = append(cells, fmt.Sprintf("%d: %s", tally.Count, tally.Amount))
		}
		t.AddTexts(cells...)
	}
	return cli.PrintList(s, header, list, addRow, func(row *reportRow) any { return row })
}

func printCSV(s *cli.Session, rows []*reportRow) error {
	header := []string{"day", "provider", "account", "type", "currency"}
	names, _ := new(reportRow).columns()
	for _, name := range names {
		header = append(header, name, name+"_amount")
	}
	var text strings.Builder
	out := csv.NewWriter(&text)
	lines := [][]string{header}
	for _, row := range rows {
		line := []string{row.Day, row.Provider, row.Account, string(row.Type), row.Currency}
		_, tallies := row.columns()
		for _, tally := range tallies {
			line = append(line, strconv.FormatInt(tally.Count, 10), string(tally.Amount))
		}
		lines = append(lines, line)
	}
	if err := out.WriteAll(lines); err != nil {
		return err
	}
	return s.Print(text.String())
}
