package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
)

// payoutPage is the data of templates/payout.html: of a payout, or of a held callback.
type payoutPage struct {
	ID        string
	Style     cli.Style
	Status    payout.Status // "" of a held callback, and if the payout cannot be read
	Facts     [][]cli.Cell
	NextStep  string // of a held callback
	Conflicts []display.ConflictingValue
	Choices   []offer // the receipts that resolve the conflicts
	Receipts  []receipt
	CanClose  bool
	Commands  []offer
}

// receipt is a receipt in the history of a payout.
type receipt struct {
	display.Entry

	Number   int
	Changed  string          // what it changed in the payout
	Signed   []explain.Field // of Cregis
	Body     string
	BodyNote string
}

// style shortens addresses where bodies are masked.
func (c *Console) style() cli.Style { return cli.Style{Full: !c.masks()} }

func (c *Console) payout(r *http.Request, stack cli.Stack) (view, error) {
	id := r.PathValue("id")
	shown := payoutPage{ID: id, Style: c.style()}
	history, err := display.LoadHistory(r.Context(), stack.Reader(), payout.ID(id))
	switch {
	case errors.Is(err, inbox.ErrLaterVersion):
		shown.Facts = [][]cli.Cell{{{Text: "status"}, {Text: err.Error(), Colour: cli.Red}}}
	case err != nil:
		return view{}, err
	case !history.IsKnown():
		return view{}, errNotFound
	case strings.HasPrefix(id, display.HeldPrefix) && len(history.Entries) > 0:
		c.fillHeld(&shown, history.Entries[0])
	default:
		c.fillPayout(&shown, history)
	}
	changes := history.Changes()
	for n, entry := range history.Entries {
		shown.Receipts = append(shown.Receipts, c.newReceipt(n+1, entry, changes[entry.Key]))
	}
	return view{template: "payout.html", Title: id, Live: true, Data: shown}, nil
}

func (c *Console) fillPayout(shown *payoutPage, history display.History) {
	facts := history.Facts(shown.Style, c.session.Now(), c.session.Program())
	shown.Facts = facts.Rows[1:] // the first is the id
	if history.Damage == nil && history.Exists {
		shown.Status = history.Record.Status()
	}
	if shown.Conflicts = history.ConflictingValues(shown.Style); len(shown.Conflicts) > 0 {
		for _, choice := range history.Choices() {
			form := url.Values{"payout": {shown.ID}, "trust": {choice.Receipt}}
			shown.Choices = append(shown.Choices, c.offer("resolve", "Trust receipt #"+strconv.Itoa(choice.Number)+" …", form))
		}
	}
	form := url.Values{"payout": {shown.ID}}
	shown.Commands = []offer{
		c.commandOnly("show", shown.ID, "--full"),
		c.offer("reconcile", "Ask the provider", form),
		c.offer("rebuild", "Rebuild …", form),
	}
	if history.Exists {
		since := history.Record.UpdatedAt.Format(time.RFC3339)
		shown.Commands = append(shown.Commands, c.commandOnly("publish", "--since", since, "--provider", history.Record.ID.Provider(), "--dry-run"))
	}
	if shown.CanClose = shown.Status != "" && history.Record.IsOpen(); shown.CanClose {
		shown.Commands = append(shown.Commands, c.commandOnly("close", shown.ID, "--status", "failed", "--reason", "TEXT"))
	}
}

// commandOnly returns the offer of a command line that no button runs.
func (c *Console) commandOnly(line ...string) offer { return offer{Command: c.commandLine(line)} }

func (c *Console) fillHeld(shown *payoutPage, held display.Entry) {
	facts := display.HeldFacts(shown.Style, held, c.session.Now())
	shown.Facts, shown.NextStep = facts.Rows[1:], display.NextStep(held, c.session.Program())
	shown.Commands = []offer{c.commandOnly("show", shown.ID, "--full")}
	form := url.Values{"held": {shown.ID}}
	if held.Source() == payout.SourceCallback {
		shown.Commands = append(shown.Commands, c.offer("explain-held", "Explain", form))
	}
	if held.State == inbox.Held && !held.Damaged {
		shown.Commands = append(shown.Commands, c.offer("release", "Release …", form), c.offer("dismiss", "Dismiss …", form))
	}
}

// maxShown limits what the page shows of a body.
const maxShown = 32 << 10

// newReceipt adds to a receipt its body as text, and of Cregis the text that it signs.
func (c *Console) newReceipt(number int, entry display.Entry, changed string) receipt {
	r := receipt{Entry: entry, Number: number, Changed: cmp.Or(changed, entry.Result(c.session.Now()))}
	switch body := display.BodyText(entry.Body); {
	case entry.Damaged:
	case len(entry.Body) == 0:
		r.BodyNote = "without a body"
	case c.masks():
		r.BodyNote = strconv.Itoa(len(entry.Body)) + " bytes, masked on a deployed stack: serve the console with --show-bodies"
	default:
		if r.Body = body; len(body) > maxShown {
			r.Body, r.BodyNote = body[:maxShown], "The first "+strconv.Itoa(maxShown)+" bytes of "+strconv.Itoa(len(body))+"; show --full prints all."
		}
		if entry.Provider() == "cregis" && entry.Source() == payout.SourceCallback && entry.Reason != string(callback.ReasonTooLarge) {
			r.Signed = explain.CanonicalString(entry.Body)
		}
	}
	return r
}
