package console

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/testkit/providertest"
)

// exported is a callback in the forms in which a person takes it along. No form contains
// a key.
type exported struct {
	ID       payout.ID
	Provider string
	Curl     string // "" if a command line cannot contain the body
	File     string // name of the test vector
	Send     string
	Vector   string
	Path     string // of the vector
}

// exportPath returns the path of the page that exports a callback. The parts of its key
// are one segment each.
func exportPath(key inbox.Key) string {
	return "/callbacks/" + url.PathEscape(key.Payout) + "/" + url.PathEscape(key.Receipt)
}

// keyPlaceholder stands for a key.
const keyPlaceholder = "KEY"

var notInFileNames = regexp.MustCompile(`[^0-9A-Za-z._]+`)

// export is the page of one callback.
func (c *Console) export(r *http.Request, stack cli.Stack) (view, error) {
	key := inbox.Key{Payout: r.PathValue("payout"), Receipt: r.PathValue("receipt")}
	receipt, ok, err := stack.Reader().Receipt(r.Context(), key)
	switch {
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
	return view{template: "export.html", Title: "Export a callback", Data: c.newExport(stack, d, receipt)}, nil
}

func (c *Console) newExport(stack cli.Stack, d provider.Description, receipt inbox.Receipt) exported {
	kind := receipt.Type()
	if !slices.Contains(d.Types(), kind) {
		kind = d.Types()[0] // a batch has no route of its own
	}
	vector := providertest.Vector{
		Why: "a callback that was received", Source: "received " + receipt.AcceptedAt.UTC().Format(time.RFC3339), Type: kind,
		Account: receipt.Account(), Body: receipt.Body, Expect: providertest.Accepted,
	}
	if receipt.WasHeld() {
		vector.Expect = providertest.Held + " " + receipt.Reason
	}
	name := strings.Trim(notInFileNames.ReplaceAllString(receipt.Key.Payout+"-"+receipt.Key.Receipt, "-"), "-") + ".txtar"
	e := exported{
		ID: payout.ID(receipt.Key.Payout), Provider: d.Name(), File: name, Vector: string(vector.Format()), Path: exportPath(receipt.Key) + "/vector",
		Send: c.commandLine([]string{"send", name, "--provider=" + d.Name()}),
	}
	if isText(receipt.Body) {
		e.Curl = curl(d, stack.APIURL, kind, receipt.Body)
	}
	return e
}

// isText reports whether a page shows a body as it is: printable characters and line ends.
func isText(body []byte) bool {
	text := strings.ReplaceAll(string(body), "\n", "")
	return cli.Clean(text) == text
}

// curl returns the command that sends a body as it was received. A signature in the body
// is still valid; a key or a signature in a header is a placeholder.
func curl(d provider.Description, api string, kind payout.Type, body []byte) string {
	_, header, err := d.Sign(slices.Clone(body), keyPlaceholder, time.Time{})
	_, other, otherErr := d.Sign(slices.Clone(body), "another key", time.Time{})
	if err != nil || otherErr != nil || header == nil {
		header = http.Header{"Content-Type": {"application/json"}}
		other = header
	}
	var line strings.Builder
	line.WriteString("curl -i")
	for _, name := range slices.Sorted(maps.Keys(header)) {
		value := header.Get(name)
		if value != other.Get(name) && !strings.Contains(value, keyPlaceholder) {
			value = "SIGNATURE"
		}
		line.WriteString(" -H " + cli.InQuotes(name+": "+value))
	}
	line.WriteString(" --data-binary '" + strings.ReplaceAll(string(body), "'", `'\''`) + "' ")
	return line.String() + cli.Quote(fmt.Sprintf("%s/callbacks/%s/%s", strings.TrimRight(api, "/"), d.Name(), kind))
}

// serveVector serves the test vector as a file.
func (c *Console) serveVector(w http.ResponseWriter, r *http.Request) {
	v, err := onStack(c, c.export)(r)
	if err != nil {
		c.failWith(w, r, err)
		return
	}
	e, _ := v.Data.(exported)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+e.File+`"`)
	_, _ = w.Write([]byte(e.Vector)) // fails if the browser has left
}
