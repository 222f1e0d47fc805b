package console

import (
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
	Status    payout.Status // "" of a held callback, and if the payout cannot be read
	Facts     [][]cli.Cell
	NextStep  string // of a held callback
	Conflicts []conflict
	Choices   []offer // the receipts that resolve the conflicts
	Receipts  []receipt
	CanClose  bool
	Commands  []offer
}

// conflict is a value that statements claim for a field, besides others.
type conflict struct {
	Field, Value string
	ClaimedBy    []string // numbers of receipts
}

// receipt is a receipt in the history of a payout.
type receipt struct {
	display.Entry

	Number   int
	States   string // in short
	Changed  string // what it changed in the payout
	By       string // actor and reason of a person, or the caller of an expectation
	Fields   [][2]string
	Signed   []explain.Field // of Cregis
	Body     string
	BodyNote string
}

// style shortens addresses where bodies are masked.
func (c *Console) style() cli.Style { return cli.Style{Full: !c.masks()} }

func (c *Console) payout(r *http.Request, stack cli.Stack) (view, error) {
	id := r.PathValue("id")
	shown := payoutPage{ID: id}
	if strings.HasPrefix(id, display.HeldPrefix) {
		held, ok, err := display.ReadHeld(r.Context(), stack.Reader(), id)
		switch {
		case err != nil:
			return view{}, err
		case !ok:
			return view{}, errNotFound
		}
		c.fillHeld(&shown, held)
		return view{template: "payout.html", Title: id, Live: true, Data: shown}, nil
	}
	history, err := display.LoadHistory(r.Context(), stack.Reader(), payout.ID(id))
	switch {
	case errors.Is(err, inbox.ErrLaterVersion):
		shown.Facts = [][]cli.Cell{{{Text: "status"}, {Text: err.Error(), Colour: cli.Red}}}
	case err != nil:
		return view{}, err
	case !history.IsKnown():
		return view{}, errNotFound
	default:
		c.fillPayout(&shown, history)
	}
	return view{template: "payout.html", Title: id, Live: true, Data: shown}, nil
}

func (c *Console) fillPayout(shown *payoutPage, history display.History) {
	facts := history.Facts(c.style(), c.now(), c.session.Program())
	shown.Facts = facts.Rows[1:] // the first is the id
	if history.Damage == nil && history.Exists {
		shown.Status = history.Record.Status()
	}
	fields := history.Record.Conflicts()
	for _, field := range fields {
		for _, value := range history.Record.Claims[field].Seen {
			shown.Conflicts = append(shown.Conflicts, conflict{string(field), display.FormatValue(c.style(), field, value), history.ClaimedBy(field, value)})
		}
	}
	if len(fields) > 0 {
		for _, trusted := range history.Choices() {
			o := offer{Action: "resolve", Label: "Trust receipt #" + strconv.Itoa(trusted.Number) + " …", Form: url.Values{"payout": {shown.ID}, "trust": {trusted.Receipt}}}
			c.add(&shown.Choices, o, "resolve", shown.ID, "--trust", trusted.Receipt, "--reason", "…")
		}
	}
	changes := history.Changes()
	for n, entry := range history.Entries {
		shown.Receipts = append(shown.Receipts, c.newReceipt(n+1, entry, changes[entry.Key]))
	}
	shown.CanClose = shown.Status != "" && history.Record.IsOpen()
	if c.add(&shown.Commands, offer{}, "show", shown.ID, "--full"); shown.CanClose {
		c.add(&shown.Commands, offer{}, "close", shown.ID, "--status", "failed", "--reason", "…")
	}
	c.add(&shown.Commands, offer{Label: "Ask the provider", Action: "reconcile", Form: url.Values{"payout": {shown.ID}}}, "reconcile", shown.ID)
	c.add(&shown.Commands, offer{Label: "Rebuild …", Action: "rebuild", Form: url.Values{"payout": {shown.ID}}}, "rebuild", shown.ID, "--dry-run")
	c.add(&shown.Commands, offer{}, "publish", "--since", history.Record.UpdatedAt.Format(time.RFC3339), "--provider", history.Record.ID.Provider(), "--dry-run")
}

// add adds a command line, with the action that runs it on the local stack.
func (c *Console) add(offers *[]offer, o offer, line ...string) {
	if o.Command = c.commandLine(line); c.isReadOnly() {
		o.Action = ""
	}
	*offers = append(*offers, o)
}

func (c *Console) fillHeld(shown *payoutPage, held display.Entry) {
	facts := display.HeldFacts(c.style(), held.Receipt, c.now())
	shown.Facts = facts.Rows[1:]
	if held.Damaged {
		shown.Facts = [][]cli.Cell{{{Text: "status"}, {Text: "damaged: it cannot be read", Colour: cli.Red}}}
	} else {
		shown.NextStep = display.NextStep(held.Receipt, c.session.Program())
	}
	shown.Receipts = []receipt{c.newReceipt(1, held, "")}
	c.add(&shown.Commands, offer{}, "show", shown.ID, "--full")
	if held.Source() == payout.SourceCallback {
		c.add(&shown.Commands, offer{Label: "Explain", Action: "explain-held", Form: url.Values{"held": {shown.ID}}}, "explain", shown.ID)
	}
	if held.State == inbox.Held && !held.Damaged {
		c.add(&shown.Commands, offer{Label: "Release …", Action: "release", Form: url.Values{"held": {shown.ID}}}, "release", shown.ID, "--dry-run")
		c.add(&shown.Commands, offer{Label: "Dismiss …", Action: "dismiss", Form: url.Values{"held": {shown.ID}}}, "dismiss", shown.ID, "--reason", "…")
	}
}

// maxShown limits what the page shows of a body.
const maxShown = 32 << 10

func (c *Console) newReceipt(number int, entry display.Entry, changed string) receipt {
	r := receipt{Entry: entry, Number: number, Changed: changed, By: entry.Note}
	if entry.Damaged {
		return r
	}
	if r.Changed == "" {
		r.Changed = entry.Result(c.now())
	}
	switch {
	case entry.WasHeld():
		r.By, r.States = "", entry.Reason
		if entry.ChangedBy != (inbox.ChangedBy{}) {
			r.By = display.FormatChangedBy(c.style(), entry.ChangedBy)
		}
		if note, _, _ := strings.Cut(entry.Note, "\n"); note != "" { // the lines that follow contain the signed text
			r.Fields = append(r.Fields, [2]string{"note", note})
		}
	case entry.Resolution != nil:
		r.States = display.FormatResolution(c.style(), *entry.Resolution)
	default:
		r.Fields = display.EventFields(c.style(), entry.Event)
		r.States = strings.Join(strings.Fields(entry.Status()+" "+entry.Amount()), " ")
	}
	c.addBody(&r)
	return r
}

// addBody adds the body as text, and of Cregis the text that it signs.
func (c *Console) addBody(r *receipt) {
	switch body := display.BodyText(r.Entry.Body); {
	case len(r.Entry.Body) == 0:
		r.BodyNote = "without a body"
		return
	case c.masks():
		r.BodyNote = strconv.Itoa(len(r.Entry.Body)) + " bytes, masked on a deployed stack: serve the console with --show-bodies"
		return
	case len(body) > maxShown:
		r.Body, r.BodyNote = body[:maxShown], "The first "+strconv.Itoa(maxShown)+" bytes of "+strconv.Itoa(len(body))+"; show --full prints all."
	default:
		r.Body = body
	}
	if r.Provider() == "cregis" && r.Source() == payout.SourceCallback && r.Reason != string(callback.ReasonTooLarge) {
		r.Signed = explain.CanonicalString(r.Entry.Body)
	}
}
