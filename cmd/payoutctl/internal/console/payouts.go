package console

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/cmd/payoutctl/internal/find"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/payout"
)

// choice is a field of the form of payouts with the values that it may have.
type choice struct {
	Name, Label string
	Values      []string
}

var choices = []choice{
	{"status", "Status", strings.Split(cli.JoinNames(find.Statuses), ", ")},
	{"provider", "Provider", strings.Split(cli.JoinNames(cli.ProviderNames()), ", ")},
	{"age", "Without an update for", []string{"10m", "1h", "1d", "7d"}},
	{"confirmed", "Confirmed", []string{"yes", "no"}},
	{"expected", "Expected", []string{"yes", "no"}},
	{"overdue", "Overdue", []string{"yes", "no"}},
}

// payoutList is the data of templates/payouts.html.
type payoutList struct {
	pages

	Choices []choice
	Query   url.Values // reference, account and the choices; an empty field selects all
	Command string     // lists the same payouts
	Scan    string     // of a deployed stack, what a scan costs, unless an index lists the payouts
	Copy    *tableCopy // from which the rows are, unless an index lists the latest update first
	Rows    []dynamostore.Stored

	filter dynamostore.Filter // of the query
	last   time.Time          // of the update of the payout that was read last
}

// payouts lists payouts from an index, or from a copy of the table, which a deployed stack
// may not have.
func (c *Console) payouts(r *http.Request, stack cli.Stack) (view, error) {
	l := payoutList{pages: pages{url: r.URL}, Choices: choices, Query: r.URL.Query()}
	v := view{template: "payouts.html", Title: "Payouts", Live: !c.isReadOnly(), Data: &l}
	err := l.parse(l.Query)
	if err != nil {
		return v, err
	}
	l.Command = c.commandLine(l.line())
	switch reference := l.Query.Get("reference"); {
	case reference != "":
		l.Copy, err = readCopy(stack.Reader().ByReference(r.Context(), reference), maxRead)
	case l.filter.HasIndex():
		indexed := dynamostore.Filter{Status: l.filter.Status, Overdue: l.filter.Overdue, Until: l.filter.Until}
		read := 0
		for stored, err := range display.Payouts(stack.Reader().List(r.Context(), indexed)) {
			if err != nil || !l.add(stored, read >= maxRead) {
				return v, err
			}
			read++
		}
	case c.isReadOnly():
		l.Copy = c.table.last.Load()
		l.Scan = describeScan(r.Context(), stack)
	default:
		l.Copy, err = c.readTable(r.Context(), stack)
	}
	if l.Copy == nil {
		return v, err
	}
	for _, stored := range l.Copy.Rows {
		if !l.add(stored, false) {
			break
		}
	}
	return v, err
}

// parse checks the query, and sets the filter.
func (l *payoutList) parse(query url.Values) error {
	for _, choice := range l.Choices {
		if value := query.Get(choice.Name); value != "" && !slices.Contains(choice.Values, value) {
			return cli.Usagef("", "%s: %q is not one of %s", choice.Name, value, cli.JoinNames(choice.Values))
		}
	}
	l.filter = dynamostore.Filter{
		Status: payout.Status(query.Get("status")), Provider: query.Get("provider"), Account: query.Get("account"),
		Overdue: query.Get("overdue") == "yes", Unconfirmed: query.Get("confirmed") == "no", Unexpected: query.Get("expected") == "no",
	}
	if query.Get("before") != "" {
		l.First = l.path("before", "")
	}
	if text := cmp.Or(query.Get("before"), query.Get("age")); text != "" { // a later page begins with an older update
		var until cli.Time
		if err := until.UnmarshalText([]byte(text)); err != nil {
			return cli.Usagef("", "before: %w", err)
		}
		l.filter.Until = until.Time
	}
	return nil
}

// line returns the arguments of the command that lists the same payouts.
func (l *payoutList) line() []string {
	line := []string{"payouts"}
	for _, field := range []string{"reference", "status", "provider", "account", "age"} {
		if value := l.Query.Get(field); value != "" {
			line = append(line, "--"+strings.Replace(field, "age", "updated-until", 1)+"="+value)
		}
	}
	for _, flag := range [][3]string{{"overdue", "yes", "--overdue"}, {"confirmed", "no", "--unconfirmed"}, {"expected", "no", "--unexpected"}} {
		if l.Query.Get(flag[0]) == flag[1] {
			line = append(line, flag[2])
		}
	}
	return line
}

// add adds a payout that the query selects, of which the first was updated last. It returns
// false once the page ends: when it is full, or where the caller wants. Payouts that were
// updated in the same millisecond are on the same page, so that the next begins after them.
func (l *payoutList) add(stored dynamostore.Stored, isEnd bool) bool {
	if (isEnd || len(l.Rows) >= pageSize) && !stored.UpdatedAt.Equal(l.last) {
		l.Next = l.path("before", l.last.Format(time.RFC3339Nano))
		return false
	}
	if l.last = stored.UpdatedAt; l.admits(stored) {
		l.Rows = append(l.Rows, stored)
	}
	return true
}

// admits reports whether the query selects a payout. A payout that cannot be read may have
// any status.
func (l *payoutList) admits(stored dynamostore.Stored) bool {
	if stored.Status() == "" {
		return dynamostore.Filter{Provider: l.filter.Provider, Account: l.filter.Account, Until: l.filter.Until}.Admits(stored)
	}
	return l.filter.Admits(stored) && (l.Query.Get("confirmed") != "yes" || stored.IsConfirmed()) &&
		(l.Query.Get("expected") != "yes" || stored.IsExpected()) && (l.Query.Get("overdue") != "no" || !stored.IsOverdue())
}

// search returns the path of the payout, or of the held callback, that the text of a form
// names, or of the list with its filters.
func (c *Console) search(r *http.Request, stack cli.Stack) (string, error) {
	query := r.PostForm
	if text := strings.TrimSpace(query.Get("text")); text != "" {
		quiet := &cli.Session{Streams: cli.Streams{Stdout: io.Discard, Stderr: io.Discard}, Env: c.session.Env, Now: c.session.Now}
		history, err := display.FindPayout(r.Context(), quiet, stack.Reader(), text)
		switch {
		case err == nil:
			return payoutPath(history.Record.ID), nil
		case cli.AsExitError(err).Code != cli.ExitNo:
			return "", err
		}
		query = url.Values{"reference": {text}} // none or several: the list says so
	}
	query.Del("text") // spaces
	return (&url.URL{Path: "/payouts", RawQuery: query.Encode()}).String(), nil
}

// maxScanned limits the payouts of a scan, of the local and of a deployed stack.
var maxScanned = map[bool]int{true: 50_000, false: 10_000}

// tableCopy is what was read of the table of payouts.
type tableCopy struct {
	Rows     []dynamostore.Stored // the latest update first
	ReadAt   time.Time
	IsCut    bool // there are more
	ByStatus map[payout.Status]int

	took time.Duration
}

// readCopy reads up to limit payouts.
func readCopy(payouts iter.Seq2[dynamostore.Stored, error], limit int) (*tableCopy, error) {
	start, byStatus := time.Now(), map[payout.Status]int{}
	rows, isCut, err := display.Take(limit, display.Payouts(payouts), nil)
	slices.SortStableFunc(rows, func(a, b dynamostore.Stored) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
	for _, stored := range rows {
		byStatus[stored.Status()]++
	}
	return &tableCopy{Rows: rows, ReadAt: start, IsCut: isCut, ByStatus: byStatus, took: time.Since(start)}, err
}

// table keeps the last copy of the table of payouts.
type table struct {
	scanning sync.Mutex
	last     atomic.Pointer[tableCopy]
}

// readTable returns a fresh copy of the table, which no index lists. Reading takes a fifth of
// the time at most. Pages of the local stack share a scan, so a page that is closed does not
// end it.
func (c *Console) readTable(ctx context.Context, stack cli.Stack) (*tableCopy, error) {
	if stack.Local {
		ctx = context.WithoutCancel(ctx)
	}
	c.table.scanning.Lock()
	defer c.table.scanning.Unlock()
	if last := c.table.last.Load(); last != nil && time.Since(last.ReadAt) < max(time.Second, 4*last.took) {
		return last, nil
	}
	read, err := readCopy(stack.Reader().List(ctx, dynamostore.Filter{}), maxScanned[stack.Local])
	if err == nil {
		c.table.last.Store(read)
	}
	return read, err
}

// scan reads the table of a deployed stack. It ends when the browser ends the request.
func (c *Console) scan(r *http.Request, stack cli.Stack) (string, error) {
	if _, err := c.readTable(r.Context(), stack); err != nil {
		return "", err
	}
	return c.search(r, stack)
}

// describeScan says what a scan of the payouts reads, and what it costs on demand, from
// https://aws.amazon.com/dynamodb/pricing/on-demand/.
func describeScan(ctx context.Context, stack cli.Stack) string {
	const bytesPerUnit, dollarsPerUnit = 4096, 0.125 / 1e6 // of a strongly consistent read
	limit := maxScanned[stack.Local]
	out, err := dynamodb.NewFromConfig(stack.AWS).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &stack.PayoutsTable})
	if err != nil || out.Table == nil {
		return fmt.Sprintf("No index lists these payouts. A scan reads up to %d in no order. The size of the table, and so the cost, is not known: %v.", limit, err)
	}
	items, size := aws.ToInt64(out.Table.ItemCount), aws.ToInt64(out.Table.TableSizeBytes)
	units := float64(size)*min(1, float64(limit)/max(1, float64(items)))/bytesPerUnit + 1
	return fmt.Sprintf("No index lists these payouts. The table has %d payouts and %d bytes, as DynamoDB counted within the last six hours. "+
		"A scan reads up to %d payouts in no order: about %.0f read request units, about $%.4f in us-east-1. The stop button of the browser cancels it.",
		items, size, limit, units, units*dollarsPerUnit)
}
