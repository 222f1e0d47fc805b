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

// filter selects payouts by the fields of the form: reference, status, provider, account,
// age (without an update for as long), confirmed, expected and overdue (yes or no). before
// is where the page begins, in milliseconds since 1970. An empty field selects all.
type filter struct {
	url.Values

	until time.Time // updated before; zero for no bound
}

// parseFilter returns the filter of a query.
func parseFilter(query url.Values, now time.Time) (filter, error) {
	var age cli.Age
	var before int64
	answer := func(text string) error { return cli.CheckName(text, "answer; the answers", []string{"yes", "no"}) }
	for name, check := range map[string]func(string) error{
		"status": func(text string) error {
			return cli.CheckName(payout.Status(text), "status; the statuses", find.Statuses)
		},
		"provider":  func(text string) error { _, err := cli.FindProvider(cli.Provider(text)); return err },
		"age":       func(text string) error { return age.UnmarshalText([]byte(text)) },
		"confirmed": answer, "expected": answer, "overdue": answer,
		"before": func(text string) (err error) { before, err = strconv.ParseInt(text, 10, 64); return err },
	} {
		if text := query.Get(name); text != "" {
			if err := check(text); err != nil {
				return filter{}, cli.Usagef("", "%s: %w", name, err)
			}
		}
	}
	f := filter{Values: query}
	if before != 0 {
		f.until = time.UnixMilli(before)
	}
	if old := now.Add(-time.Duration(age)); age > 0 && (f.until.IsZero() || old.Before(f.until)) {
		f.until = old
	}
	return f, nil
}

// hasIndex reports whether an index lists the payouts, so that no scan is needed.
func (f filter) hasIndex() bool {
	return f.Get("reference") != "" || f.Get("status") == string(payout.Conflicted) || f.Get("overdue") == "yes"
}

func (f filter) selects(name, value string) bool { return f.Get(name) == "" || f.Get(name) == value }

func (f filter) admits(r row) bool {
	answer := map[bool]string{true: "yes", false: "no"}
	isOf := f.selects("provider", r.ID.Provider()) && f.selects("account", r.ID.Account()) && (f.until.IsZero() || r.UpdatedAt.Before(f.until))
	return isOf && (r.Damaged || f.selects("status", string(r.Status)) && (f.Get("confirmed") != "no" || r.Status.IsFinal()) &&
		f.selects("confirmed", answer[r.Confirmed]) && f.selects("expected", answer[r.Expected]) && f.selects("overdue", answer[r.Overdue]))
}

// line returns the arguments of the command that lists the same payouts.
func (f filter) line() []string {
	line := []string{"payouts"}
	for _, name := range []string{"reference", "status", "provider", "account", "age"} {
		if value := f.Get(name); value != "" {
			line = append(line, "--"+strings.Replace(name, "age", "updated-until", 1)+"="+value)
		}
	}
	for _, flag := range [][3]string{{"overdue", "yes", "--overdue"}, {"confirmed", "no", "--unconfirmed"}, {"expected", "no", "--unexpected"}} {
		if f.Get(flag[0]) == flag[1] {
			line = append(line, flag[2])
		}
	}
	return line
}

// pagePath returns the path of a page of a list, which a field of the query names; of the
// first page without it.
func pagePath(path string, query url.Values, field, page string) string {
	query = maps.Clone(query)
	if query.Del(field); page != "" {
		query.Set(field, page)
	}
	return path + "?" + query.Encode()
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
	Filter      filter
	Rows        []row
	First, Next string     // paths of pages; "" on the first and on the last
	Copy        *tableCopy // from which the rows are, unless an index lists them
	Scan        string     // of a deployed stack, what a scan costs, unless an index lists the payouts
	Statuses    []payout.Status
	Providers   []cli.Provider
	Ages        []string
	Answers     map[string]string // labels of the fields that are yes or no
	Command     string
}

func (c *Console) payouts(r *http.Request, stack cli.Stack) (view, error) {
	l := payoutList{
		Statuses: find.Statuses, Providers: cli.ProviderNames(), Ages: []string{"10m", "1h", "1d", "7d"},
		Answers: map[string]string{"confirmed": "Confirmed", "expected": "Expected", "overdue": "Overdue"},
	}
	var err error
	if l.Filter, err = parseFilter(r.URL.Query(), c.now()); err != nil {
		return view{}, err
	}
	if l.Filter.Get("before") != "" {
		l.First = pagePath("/payouts", l.Filter.Values, "before", "")
	}
	l.Command = c.commandLine(l.Filter.line())
	if l.Filter.hasIndex() {
		err = l.readIndex(r.Context(), stack.Reader())
	} else {
		err = c.readTable(r.Context(), stack, &l)
	}
	return view{template: "payouts.html", Title: "Payouts", Live: !c.isReadOnly(), Data: l}, err
}

// maxIndexed limits the payouts that a page reads of an index.
const maxIndexed = 1000

// readIndex reads a page from an index. It lists the latest update first, except the
// index of references.
func (l *payoutList) readIndex(ctx context.Context, reader *dynamostore.Reader) error {
	reference := l.Filter.Get("reference")
	if reference == "" {
		indexed := dynamostore.Filter{Status: payout.Status(l.Filter.Get("status")), Overdue: l.Filter.Get("overdue") == "yes", Until: l.Filter.until}
		return l.take(rows(reader.List(ctx, indexed)), maxIndexed)
	}
	all, _, err := display.Take(maxIndexed, rows(reader.ByReference(ctx, reference)), func(row) bool { return true })
	slices.SortFunc(all, latestFirst)
	return errors.Join(err, l.take(withoutErrors(all), maxIndexed))
}

// take takes the payouts of a page. It reads up to limit payouts, the latest update first.
func (l *payoutList) take(all iter.Seq2[row, error], limit int) error {
	read := 0
	var last row
	for r, err := range all {
		if err != nil {
			return err
		}
		if (len(l.Rows) >= pageSize || read >= limit) && !r.UpdatedAt.Equal(last.UpdatedAt) {
			l.Next = pagePath("/payouts", l.Filter.Values, "before", strconv.FormatInt(last.UpdatedAt.UnixMilli(), 10))
			return nil
		}
		read++
		if last = r; l.Filter.admits(r) {
			l.Rows = append(l.Rows, r)
		}
	}
	return nil
}

func withoutErrors[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range all {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// search returns the path of the payout that the text of a form names, or of the list with
// its filters.
func (c *Console) search(r *http.Request, stack cli.Stack) (string, error) {
	query := url.Values{}
	for name, values := range r.PostForm {
		if values[0] != "" && name != "text" {
			query.Set(name, values[0])
		}
	}
	if text := strings.TrimSpace(r.PostForm.Get("text")); text != "" {
		id, err := c.find(r.Context(), stack, text)
		if err != nil || id != "" {
			return payoutPath(id), err
		}
		query = url.Values{"reference": {text}}
	}
	return (&url.URL{Path: "/payouts", RawQuery: query.Encode()}).String(), nil
}

// find returns the id of the only payout, or held callback, that a text names.
func (c *Console) find(ctx context.Context, stack cli.Stack, text string) (payout.ID, error) {
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
