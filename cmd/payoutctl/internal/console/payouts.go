package console

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/cmd/payoutctl/internal/find"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// pageSize is the number of payouts on a page; payouts that were updated in the same
// millisecond as the last are on it, too, so that the next page begins after them.
const pageSize = 50

// filter selects payouts of a list. The zero value of a field selects all.
type filter struct {
	Reference string
	Status    payout.Status
	Provider  string
	Account   string
	Age       string // without an update for as long: 10m, 2h, 3d
	Confirmed string // "yes" or "no"
	Expected  string // "yes" or "no"
	Overdue   bool
	Before    time.Time // updated before: where the page begins

	age cli.Age
}

// parseFilter returns the filter of a query.
func parseFilter(query url.Values) (filter, error) {
	f := filter{
		Reference: query.Get("reference"), Status: payout.Status(query.Get("status")), Provider: query.Get("provider"), Account: query.Get("account"),
		Age: query.Get("age"), Confirmed: query.Get("confirmed"), Expected: query.Get("expected"), Overdue: query.Get("overdue") != "",
	}
	if before := query.Get("before"); before != "" {
		millis, err := strconv.ParseInt(before, 10, 64)
		if err != nil {
			return f, cli.Usagef("", "before is not a number of milliseconds since 1970")
		}
		f.Before = time.UnixMilli(millis)
	}
	if f.Provider != "" {
		if _, err := cli.FindProvider(cli.Provider(f.Provider)); err != nil {
			return f, err
		}
	}
	var err error
	if f.Status != "" {
		err = cli.CheckName(f.Status, "status; the statuses", find.Statuses)
	}
	if f.Age != "" && err == nil {
		err = f.age.UnmarshalText([]byte(f.Age))
	}
	for _, answer := range []string{f.Confirmed, f.Expected} {
		if answer != "" && err == nil {
			err = cli.CheckName(answer, "answer; the answers", []string{"yes", "no"})
		}
	}
	if err != nil {
		return f, cli.Usagef("", "%w", err)
	}
	return f, nil
}

// hasIndex reports whether an index lists the payouts, so that no scan is needed.
func (f filter) hasIndex() bool {
	return f.Reference != "" || f.Status == payout.Conflicted || f.Overdue
}

func (f filter) until(now time.Time) time.Time {
	until := f.Before
	if old := now.Add(-time.Duration(f.age)); f.age > 0 && (until.IsZero() || old.Before(until)) {
		until = old
	}
	return until
}

func (f filter) admits(r row, now time.Time) bool {
	answers := func(answer string, is bool) bool { return answer == "" || (answer == "yes") == is }
	until := f.until(now)
	isOf := (f.Provider == "" || f.Provider == r.ID.Provider()) && (f.Account == "" || f.Account == r.ID.Account()) &&
		(until.IsZero() || r.UpdatedAt.Before(until))
	if r.Damaged {
		return isOf // nothing else is known
	}
	return isOf && (f.Status == "" || f.Status == r.Status) &&
		answers(f.Confirmed, r.Confirmed) && answers(f.Expected, r.Expected) && (!f.Overdue || r.Overdue)
}

// row is what lists show of a payout.
type row struct {
	ID                                    payout.ID
	Status                                payout.Status
	Amount, Reference                     string
	UpdatedAt                             time.Time
	Confirmed, Expected, Overdue, Damaged bool
}

func newRow(stored dynamostore.Stored) row {
	view := display.NewPayout(stored)
	text := func(value string, field payout.Field) string {
		if n := len(view.Claims[field]); value == "" && n > 1 {
			return "(" + strconv.Itoa(n) + " values)"
		}
		return value
	}
	return row{
		ID: view.Payout, Status: view.Status, UpdatedAt: view.UpdatedAt, Reference: text(view.Reference, payout.FieldReference),
		Amount:    cli.FormatAmount(text(view.Amount, payout.FieldAmount), text(view.Currency, payout.FieldCurrency)),
		Confirmed: view.Confirmed, Expected: view.Expected, Overdue: len(view.Overdue) > 0, Damaged: view.Damaged,
	}
}

// rows turns payouts that cannot be read into damaged rows.
func rows(payouts iter.Seq2[dynamostore.Stored, error]) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for stored, err := range payouts {
			if errors.Is(err, inbox.ErrDamagedPayout) || errors.Is(err, inbox.ErrLaterVersion) {
				if !yield(row{ID: stored.ID, UpdatedAt: stored.UpdatedAt, Damaged: true}, nil) {
					return
				}
				continue
			}
			if !yield(newRow(stored), err) || err != nil {
				return
			}
		}
	}
}

// latestFirst orders rows by the time of the last update.
func latestFirst(a, b row) int {
	return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.ID, b.ID))
}

// payoutList is the data of templates/payouts.html.
type payoutList struct {
	Filter    filter
	Query     url.Values
	Rows      []row
	Next      string     // path of the next page
	Copy      *tableCopy // from which the rows are, unless an index lists them
	Scan      *scanCost  // of a deployed stack, unless an index lists the payouts
	Statuses  []payout.Status
	Providers []cli.Provider
	Ages      []string
	Command   string
}

func (c *Console) payouts(r *http.Request) (view, error) {
	l := payoutList{Query: r.URL.Query(), Statuses: find.Statuses, Providers: cli.ProviderNames(), Ages: []string{"10m", "1h", "1d", "7d"}}
	var err error
	if l.Filter, err = parseFilter(l.Query); err != nil {
		return view{}, err
	}
	l.Command = c.commandLine(l.Filter.line())
	stack, err := c.stack(r.Context())
	if err != nil {
		return view{}, err
	}
	if l.Filter.hasIndex() {
		err = l.readIndex(r.Context(), stack.Reader(), c.now())
	} else {
		err = c.readTable(r.Context(), stack, &l)
	}
	return view{template: "payouts.html", Title: "Payouts", Live: !c.isReadOnly(), Data: l}, err
}

// line returns the arguments of the command that lists the same payouts.
func (f filter) line() []string {
	line := []string{"payouts"}
	for _, flag := range [][2]string{
		{"--reference=", f.Reference}, {"--status=", string(f.Status)}, {"--provider=", f.Provider}, {"--account=", f.Account}, {"--updated-until=", f.Age},
	} {
		if flag[1] != "" {
			line = append(line, flag[0]+flag[1])
		}
	}
	for _, flag := range []struct {
		name  string
		isSet bool
	}{{"--overdue", f.Overdue}, {"--unconfirmed", f.Confirmed == "no"}, {"--unexpected", f.Expected == "no"}} {
		if flag.isSet {
			line = append(line, flag.name)
		}
	}
	return line
}

// maxIndexed limits the payouts that a page reads of an index.
const maxIndexed = 1000

// readIndex reads a page from an index. It lists the latest update first, except the
// index of references.
func (l *payoutList) readIndex(ctx context.Context, reader *dynamostore.Reader, now time.Time) error {
	if l.Filter.Reference == "" {
		indexed := reader.List(ctx, dynamostore.Filter{Status: l.Filter.Status, Overdue: l.Filter.Overdue, Until: l.Filter.until(now)})
		return l.take(rows(indexed), maxIndexed, now)
	}
	all, _, err := display.Take(maxIndexed, rows(reader.ByReference(ctx, l.Filter.Reference)), func(row) bool { return true })
	slices.SortFunc(all, latestFirst)
	return errors.Join(err, l.take(withoutErrors(all), maxIndexed, now))
}

// take takes the payouts of a page. It reads up to limit payouts, the latest update first.
func (l *payoutList) take(all iter.Seq2[row, error], limit int, now time.Time) error {
	read := 0
	var last row
	for r, err := range all {
		if err != nil {
			return err
		}
		if (len(l.Rows) >= pageSize || read >= limit) && !r.UpdatedAt.Equal(last.UpdatedAt) {
			query := maps.Clone(l.Query)
			query.Set("before", strconv.FormatInt(last.UpdatedAt.UnixMilli(), 10))
			l.Next = "/payouts?" + query.Encode()
			return nil
		}
		read++
		if last = r; l.Filter.admits(r, now) {
			l.Rows = append(l.Rows, r)
		}
	}
	return nil
}

// First returns the path of the first page.
func (l payoutList) First() string {
	query := maps.Clone(l.Query)
	query.Del("before")
	return "/payouts?" + query.Encode()
}

func withoutErrors(all []row) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// search redirects a form to the payout that its text names, or to the list with its
// filters.
func (c *Console) search(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		c.fail(w, r, http.StatusRequestEntityTooLarge, "The form is not valid", err.Error())
		return
	}
	query := url.Values{}
	for name, values := range r.PostForm {
		if values[0] != "" && name != "text" {
			query.Set(name, values[0])
		}
	}
	target := url.URL{Path: "/payouts", RawQuery: query.Encode()}
	if text := strings.TrimSpace(r.PostForm.Get("text")); text != "" {
		id, err := c.find(r.Context(), text)
		switch {
		case err != nil:
			c.failWith(w, r, err)
			return
		case id != "":
			http.Redirect(w, r, payoutPath(id), http.StatusSeeOther)
			return
		}
		target.RawQuery = url.Values{"reference": {text}}.Encode()
	}
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

// find returns the id of the only payout, or held callback, that a text names.
func (c *Console) find(ctx context.Context, text string) (payout.ID, error) {
	stack, err := c.stack(ctx)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(text, display.HeldPrefix) {
		if _, ok, err := display.ReadHeld(ctx, stack.Reader(), text); ok || err != nil {
			return payout.ID(text), err
		}
	}
	quiet := &cli.Session{Streams: cli.Streams{Stdout: io.Discard, Stderr: io.Discard}, Env: c.session.Env, Now: c.session.Now}
	history, err := display.FindPayout(ctx, quiet, stack.Reader(), text)
	if err != nil && cli.AsExitError(err).Code == cli.ExitNo {
		return "", nil // none or several: the list says so
	}
	return history.Record.ID, err
}
