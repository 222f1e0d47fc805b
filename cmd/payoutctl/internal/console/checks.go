package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/payout"
)

// check is the page of an action that checks the stack, with its last result.
func (c *Console) check(name, title string) page {
	return func(*http.Request) (view, error) {
		last := c.jobs.latest(func(job *job) bool { return job.Action == name })
		return view{template: "checks.html", Title: title, Live: last != nil && last.IsRunning(), Data: map[string]any{
			"IsAudit": name == "audit", "Providers": cli.ProviderNames(), "Day": c.now().UTC().AddDate(0, 0, -1).Format(time.DateOnly),
			"Timeout": jobTimeout, "Last": last,
		}}, nil
	}
}

// explained is the form of a callback to explain.
type explained struct {
	Providers []cli.Provider
	Types     []payout.Type
	MaxForm   int
	MaxBody   int
	Provider  string
	Type      payout.Type
	Body      string
	Note      string
	Held      *offer // explains the held callback as it is stored
}

// explain is the page that explains a callback. The fields payout and receipt of the
// query fill it with a stored callback, whose headers are not stored.
func (c *Console) explain(r *http.Request) (view, error) {
	data := explained{Providers: cli.ProviderNames(), MaxForm: maxForm, MaxBody: callback.MaxBody, Type: payout.TypePayout}
	for _, d := range providers.All() {
		for _, kind := range d.Types() {
			if !slices.Contains(data.Types, kind) {
				data.Types = append(data.Types, kind)
			}
		}
	}
	query := r.URL.Query()
	key := inbox.Key{Payout: query.Get("payout"), Receipt: query.Get("receipt")}
	if key.Payout != "" && key.Receipt != "" {
		if err := c.fillExplained(r.Context(), &data, key); err != nil {
			return view{}, err
		}
	}
	return view{template: "explain.html", Title: "Explain", Data: data}, nil
}

// fillExplained fills the form with a stored callback.
func (c *Console) fillExplained(ctx context.Context, data *explained, key inbox.Key) error {
	stack, err := c.stack(ctx)
	if err != nil {
		return err
	}
	receipt, ok, err := stack.Reader().Receipt(ctx, key)
	switch {
	case errors.Is(err, inbox.ErrDamagedReceipt):
		return cli.Usagef("Audit shows how to repair it.", "the receipt cannot be read")
	case err != nil:
		return err
	case !ok || receipt.Source() != payout.SourceCallback:
		return errNotFound
	}
	if data.Provider = receipt.Provider(); slices.Contains(data.Types, receipt.Type()) {
		data.Type = receipt.Type()
	}
	data.Note = "The body is that of receipt " + key.Receipt + " of " + key.Payout + ". Its headers are not stored."
	if data.Body = strings.ReplaceAll(display.BodyText(receipt.Body), "\t", " "); c.masks() {
		data.Note, data.Body = "The body is masked. Start the console with --show-bodies to fill the form with it.", ""
	}
	if strings.HasPrefix(key.Payout, display.HeldPrefix) {
		data.Held = &offer{Action: "explain-held", Label: "Explain the stored callback", Form: url.Values{"held": {key.Payout}}}
	}
	return nil
}

// jobList is the page of the commands that the console has run.
func (c *Console) jobList(*http.Request) (view, error) {
	list := c.jobs.all()
	return view{template: "jobs.html", Title: "Commands", Live: slices.ContainsFunc(list, (*job).IsRunning), Data: list}, nil
}
