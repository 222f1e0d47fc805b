package console

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/faultproxy"
	"payout-callbacks/pkg/testkit/providersim"
)

// callSimulator calls a control API of the local stack, see localstack.Control.
func callSimulator(ctx context.Context, stack cli.Stack, address string, body, result any) error {
	err := localstack.Control(ctx, stack.AWS.HTTPClient, address, body, result)
	if refused, ok := errors.AsType[*localstack.RefusedError](err); ok {
		answer := map[string]string{"error": refused.Text}
		_ = json.Unmarshal([]byte(refused.Text), &answer) // that of the proxy is a text
		return cli.Usagef("Nothing was changed.", "the simulator refuses it: %s", answer["error"])
	}
	if err != nil {
		return cli.Failuref("start the stack again with: make run", "call the local stack: %w", err)
	}
	return nil
}

// planOf returns the plan in a form, as providersim.Plan reads it. It leaves the check of
// the values to the simulator.
func planOf(form url.Values) map[string]any {
	plan := map[string]any{"copies": json.Number(form.Get("copies"))}
	for _, field := range []string{"lost", "overtake", "forged"} {
		plan[field] = form.Has(field)
	}
	for _, field := range []string{"status", "after", "delay", "altered", "fault"} {
		if value := form.Get(field); value != "" {
			plan[field] = value
		}
	}
	return plan
}

// controlProvider calls a control of a simulated provider: order, plan, push, or skip.
func controlProvider(r *http.Request, stack cli.Stack) (string, error) {
	form, name := r.PostForm, r.PathValue("control")
	provider, ok := stack.Providers[form.Get("provider")]
	body := map[string]any{}
	switch name {
	case "order":
		body["account"], body["reference"], body["amount"], body["plan"] = provider.Account, form.Get("reference"), form.Get("amount"), planOf(form)
	case "plan":
		body["id"], body["plan"] = form.Get("id"), planOf(form)
	case "push":
		body["id"] = form.Get("id")
	case "skip":
	default:
		ok = false
	}
	if !ok {
		return "", cli.Usagef("", "the stack has no control %s of a provider %q", name, form.Get("provider"))
	}
	return "/providers", callSimulator(r.Context(), stack, provider.BaseURL+"/simulator/"+name, body, nil)
}

func setFault(r *http.Request, stack cli.Stack) (string, error) {
	body := map[string]string{"service": r.PostForm.Get("service"), "fault": r.PostForm.Get("fault")}
	return "/faults", callSimulator(r.Context(), stack, stack.Faults.URL+"/simulator/faults", body, nil)
}

// simulated is a simulated provider on the page.
type simulated struct {
	Name, Title, Reference string // the reference is proposed for the next order
	Payouts                []ordered
	Ordered                int // all, of which the last are shown
}

// ordered is a payout at a simulated provider.
type ordered struct {
	providersim.Payout

	Reference string    // "" of a batch
	Stored    payout.ID // of the payout that its callbacks are about, once the stack knows it
}

// shownOrders is how many orders of a provider the page lists.
const shownOrders = 20

// providers is the page of the simulated providers.
func (c *Console) providers(r *http.Request, stack cli.Stack) (view, error) {
	known, err := c.readTable(r.Context(), stack)
	if err != nil {
		return view{}, err
	}
	var shown []simulated
	for _, name := range slices.Sorted(maps.Keys(stack.Providers)) {
		d, err := cli.FindProvider(cli.Provider(name))
		if err != nil {
			return view{}, err
		}
		var payouts []providersim.Payout // oldest first
		if err := callSimulator(r.Context(), stack, stack.Providers[name].BaseURL+"/simulator/payouts", nil, &payouts); err != nil {
			return view{}, err
		}
		s := simulated{Name: name, Title: d.Title, Reference: "order-" + strings.ToLower(rand.Text()[:6]), Ordered: len(payouts)}
		for _, p := range slices.Backward(payouts[max(0, len(payouts)-shownOrders):]) {
			o := ordered{Payout: p}
			if len(p.References) == 1 {
				o.Reference = p.References[0]
			}
			if d.Expectations != nil {
				expectation := reconcile.Expectation{Provider: name, Type: p.Type, Account: p.Account, ID: p.ID, Reference: o.Reference}
				event, _ := d.Expectations.Expect(expectation) // an id that is not valid is not linked
				if slices.ContainsFunc(known.Rows, func(p dynamostore.Stored) bool { return p.ID == event.ID }) {
					o.Stored = event.ID
				}
			}
			s.Payouts = append(s.Payouts, o)
		}
		shown = append(shown, s)
	}
	return view{template: "providers.html", Title: "Providers", Live: true, Data: shown}, nil
}

// part is a part of the stack that can be paused.
type part struct {
	Name, Change string
	IsRunning    bool
}

// faults is the page of the faults between the functions and AWS, and of paused parts.
func (c *Console) faults(r *http.Request, stack cli.Stack) (view, error) {
	var current map[string]faultproxy.Fault
	if err := callSimulator(r.Context(), stack, stack.Faults.URL+"/simulator/faults", nil, &current); err != nil {
		return view{}, err
	}
	var parts []part
	for _, name := range []string{"consumer", "sweeper", "reconciler", "publisher"} {
		shown := part{Name: name}
		of, err := stack.Part(name)
		if err == nil {
			shown.IsRunning, _, err = of.State(r.Context())
		}
		if err == nil {
			shown.Change, err = of.LastChange(r.Context())
		}
		if err != nil {
			return view{}, err
		}
		parts = append(parts, shown)
	}
	return view{template: "faults.html", Title: "Faults", Live: true, Data: map[string]any{
		"Services": faultproxy.Services(), "Titles": faultproxy.Titles(), "Faults": faultproxy.Faults(), "Current": current, "Parts": parts,
	}}, nil
}
