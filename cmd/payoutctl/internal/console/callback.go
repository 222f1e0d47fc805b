package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/providertest"
)

// callbackPage is the data of templates/callback.html: a form that explains a callback, and,
// if it is a stored one, the forms in which a person takes it along. None contains a key.
type callbackPage struct {
	Providers []cli.Provider
	Types     []payout.Type
	MaxForm   int
	MaxBody   int

	Provider string // "" if no callback fills the form
	Type     payout.Type
	Body     string

	Payout payout.ID
	Curl   string // "" if a command line cannot contain the body
	File   string // name of the test vector
	Send   string
	Vector string
	Path   string // of the vector
}

func newCallbackPage() callbackPage {
	page := callbackPage{Providers: cli.ProviderNames(), MaxForm: maxForm, MaxBody: callback.MaxBody}
	for _, d := range providers.All() {
		page.Types = append(page.Types, d.Types()...)
	}
	slices.Sort(page.Types)
	page.Types = slices.Compact(page.Types)
	return page
}

// explain is the page that explains a callback that a person pastes.
func (c *Console) explain(*http.Request) (view, error) {
	return view{template: "callback.html", Title: "Explain", Data: newCallbackPage()}, nil
}

// exportPath returns the path of the page of a stored callback. The parts of its key are
// one segment each.
func exportPath(key inbox.Key) string {
	return "/callbacks/" + url.PathEscape(key.Payout) + "/" + url.PathEscape(key.Receipt)
}

var notInFileNames = regexp.MustCompile(`[^0-9A-Za-z._]+`)

// storedCallback is the page of a stored callback.
func (c *Console) storedCallback(r *http.Request, stack cli.Stack) (view, error) {
	key := inbox.Key{Payout: r.PathValue("payout"), Receipt: r.PathValue("receipt")}
	receipt, ok, err := stack.Reader().Receipt(r.Context(), key)
	switch {
	case errors.Is(err, inbox.ErrDamagedReceipt):
		return view{}, cli.Usagef("Audit shows how to repair it.", "the receipt cannot be read")
	case err != nil:
		return view{}, err
	case !ok || receipt.Source() != payout.SourceCallback || receipt.Body == nil:
		return view{}, errNotFound
	case c.masks():
		return view{}, cli.Usagef("serve the console with --show-bodies", "the body is masked on a deployed stack")
	}
	d, err := cli.FindProvider(cli.Provider(receipt.Provider()))
	if err != nil {
		return view{}, err
	}
	out := send.Callback{Provider: d, Kind: receipt.Type()}
	if !slices.Contains(d.Types(), out.Kind) {
		out.Kind = d.Types()[0] // a batch has no route of its own
	}
	vector := providertest.Vector{
		Why: "a callback that was received", Source: "received " + receipt.AcceptedAt.UTC().Format(time.RFC3339), Type: out.Kind,
		Account: receipt.Account(), Body: receipt.Body, Expect: providertest.Accepted,
	}
	if receipt.WasHeld() {
		vector.Expect = providertest.Held + " " + receipt.Reason
	}
	page := newCallbackPage()
	page.Provider, page.Type, page.Body = d.Name(), out.Kind, strings.ReplaceAll(display.BodyText(receipt.Body), "\t", " ")
	page.Payout, page.Path, page.Vector = payout.ID(key.Payout), exportPath(key)+"/vector", string(vector.Format())
	page.File = strings.Trim(notInFileNames.ReplaceAllString(key.Payout+"-"+key.Receipt, "-"), "-") + ".txtar"
	page.Send, page.Curl = c.commandLine([]string{"send", page.File, "--provider=" + d.Name()}), out.Curl(stack.APIURL, receipt.Body)
	return view{template: "callback.html", Title: "Callback", Data: page}, nil
}

// serveVector serves the test vector of a stored callback as a file.
func (c *Console) serveVector(w http.ResponseWriter, r *http.Request) {
	v, err := onStack(c, c.storedCallback)(r)
	if err != nil {
		c.failWith(w, r, err)
		return
	}
	page, _ := v.Data.(callbackPage)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+page.File+`"`)
	_, _ = w.Write([]byte(page.Vector)) // fails if the browser has left
}
