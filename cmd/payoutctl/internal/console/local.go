package console

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/faultproxy"
	"payout-callbacks/pkg/testkit/providersim"
)

// addLocal adds the forms that exist on the local stack only, and reads its logs.
func (c *Console) addLocal(ctx context.Context, mux *http.ServeMux) {
	if c.isReadOnly() {
		return
	}
	mux.Handle("POST /providers/{control}", c.control(providerControl))
	mux.Handle("POST /faults", c.control(faultControl))
	go c.watchCallbacks(ctx)
}

// control returns the request to a control API of the local stack that a form asks for.
type control func(stack cli.Stack, r *http.Request) (address string, body any, err error)

// control returns the handler that sends the request of a form, and redirects to its page.
func (c *Console) control(control control) http.Handler {
	return c.post(onStack(c, func(r *http.Request, stack cli.Stack) (string, error) {
		address, content, err := control(stack, r)
		if err != nil {
			return "", err
		}
		body, err := json.Marshal(content)
		if err != nil {
			return "", err
		}
		page, _, _ := strings.Cut(r.URL.Path[1:], "/")
		_, err = callSimulator(r.Context(), stack, http.MethodPost, address, body)
		return "/" + page, err
	}))
}

// maxLocalAnswer bounds an answer: thousands of payouts of a simulator, or of lines of a
// log, which have a thousand bytes.
const maxLocalAnswer = 64 << 20

// callSimulator calls a control API of the local stack. Its refusal is an error of
// cli.Usagef.
func callSimulator(ctx context.Context, stack cli.Stack, method, address string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, cli.Usagef("", "%s is not a URL", address)
	}
	code, answer, err := callLocal(stack, request)
	if err == nil && code >= http.StatusBadRequest {
		err = cli.Usagef("Nothing was changed.", "the simulator refuses it: %s", bytes.TrimSpace(answer))
	}
	return answer, err
}

// callLocal sends a request to a part of the local stack, and returns the status and the
// body of the answer.
func callLocal(stack cli.Stack, request *http.Request) (int, []byte, error) {
	response, err := stack.AWS.HTTPClient.Do(request)
	if err != nil {
		return 0, nil, cli.Failuref("start the stack again with: make run", "call the local stack: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxLocalAnswer))
	return response.StatusCode, answer, err
}

// planOf returns the plan in a form, as providersim.Plan reads it. It leaves the check of
// the values to the simulator.
func planOf(form url.Values) (map[string]any, error) {
	plan := map[string]any{}
	for _, field := range []string{"status", "after", "delay", "altered", "fault"} {
		if value := form.Get(field); value != "" {
			plan[field] = value
		}
	}
	for _, field := range []string{"lost", "overtake", "forged"} {
		if form.Get(field) != "" {
			plan[field] = true
		}
	}
	if text := form.Get("copies"); text != "" {
		copies, err := strconv.Atoi(text)
		if err != nil {
			return nil, cli.Usagef("", "copies: %q is not a number", text)
		}
		plan["copies"] = copies
	}
	return plan, nil
}

// providerControl is the control of a simulated provider: order, plan, push, or skip.
func providerControl(stack cli.Stack, r *http.Request) (string, any, error) {
	form, name := r.PostForm, r.PathValue("control")
	provider, ok := stack.Providers[form.Get("provider")]
	if !ok || !slices.Contains([]string{"order", "plan", "push", "skip"}, name) {
		return "", nil, cli.Usagef("", "the stack has no control %s of a provider %q", name, form.Get("provider"))
	}
	body := map[string]any{}
	for _, field := range []string{"id", "reference", "amount"} {
		if form.Has(field) {
			body[field] = form.Get(field)
		}
	}
	var err error
	if name == "order" || name == "plan" {
		body["plan"], err = planOf(form)
	}
	if name == "order" {
		body["account"] = provider.Account
	}
	return provider.BaseURL + "/simulator/" + name, body, err
}

func faultControl(stack cli.Stack, r *http.Request) (string, any, error) {
	return stack.Faults.URL + "/simulator/faults", map[string]string{"service": r.PostForm.Get("service"), "fault": r.PostForm.Get("fault")}, nil
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

	Plan   string    // in short
	Stored payout.ID // of the payout that its callbacks are about
	Kind   string    // of its expectation
	Last   *providersim.Callback
	Answer string // to the last callback
}

// shownOrders is how many orders of a provider the page lists.
const shownOrders = 20

// providers is the page of the simulated providers.
func (c *Console) providers(r *http.Request, stack cli.Stack) (view, error) {
	var shown []simulated
	for _, name := range slices.Sorted(maps.Keys(stack.Providers)) {
		s := simulated{Name: name, Title: name, Reference: "order-" + strings.ToLower(rand.Text()[:6])}
		if err := s.readOrders(r.Context(), stack); err != nil {
			return view{}, err
		}
		if d, err := cli.FindProvider(cli.Provider(name)); err == nil {
			s.Title = d.Title
		}
		shown = append(shown, s)
	}
	return view{template: "providers.html", Title: "Providers", Live: true, Data: shown}, nil
}

// readOrders reads the last orders at the simulated provider, newest first.
func (s *simulated) readOrders(ctx context.Context, stack cli.Stack) error {
	answer, err := callSimulator(ctx, stack, http.MethodGet, stack.Providers[s.Name].BaseURL+"/simulator/payouts", nil)
	if err != nil {
		return err
	}
	var payouts []providersim.Payout
	if err := json.Unmarshal(answer, &payouts); err != nil {
		return fmt.Errorf("read orders of %s: %w", s.Name, err)
	}
	s.Ordered = len(payouts)
	for _, p := range slices.Backward(payouts[max(0, len(payouts)-shownOrders):]) {
		o := ordered{Payout: p, Kind: p.Type}
		if plan, err := json.Marshal(p.Plan); err == nil && string(plan) != "{}" {
			o.Plan = strings.NewReplacer(`"`, "", ":", " ", ",", ", ", "{", "", "}", "").Replace(string(plan))
		}
		expectation := reconcile.Expectation{Provider: s.Name, Type: p.Type, Account: p.Account, ID: p.ID}
		if len(p.References) == 1 {
			expectation.Reference = p.References[0]
		} else {
			o.Kind, expectation.Type = string(payout.TypeBatch), string(payout.TypeBatch)
		}
		if d, err := cli.FindProvider(cli.Provider(s.Name)); err == nil && d.Expectations != nil {
			event, _ := d.Expectations.Expect(expectation) // an id that is not valid is not linked
			o.Stored = event.ID
		}
		if n := len(p.Callbacks); n > 0 {
			o.Last = &p.Callbacks[n-1]
			for _, last := range o.Last.Attempts {
				o.Answer = strings.TrimSpace(fmt.Sprintf("%d %s%s", last.Code, last.Body, last.Error))
			}
		}
		s.Payouts = append(s.Payouts, o)
	}
	return nil
}

// part is a part of the stack that can be paused.
type part struct {
	Name, Change string
	IsRunning    bool
}

// faults is the page of the faults between the functions and AWS, and of paused parts.
func (c *Console) faults(r *http.Request, stack cli.Stack) (view, error) {
	answer, err := callSimulator(r.Context(), stack, http.MethodGet, stack.Faults.URL+"/simulator/faults", nil)
	if err != nil {
		return view{}, err
	}
	var current map[string]faultproxy.Fault
	if err := json.Unmarshal(answer, &current); err != nil {
		return view{}, fmt.Errorf("read faults: %w", err)
	}
	var parts []part
	for _, name := range []string{"consumer", "sweeper", "reconciler", "publisher"} {
		shown := part{Name: name}
		if of, err := stack.Part(name); err != nil {
			return view{}, err
		} else if shown.IsRunning, _, err = of.State(r.Context()); err != nil {
			return view{}, err
		} else if shown.Change, err = of.LastChange(r.Context()); err != nil {
			return view{}, err
		}
		parts = append(parts, shown)
	}
	return view{template: "faults.html", Title: "Faults", Live: true, Data: map[string]any{
		"Services": faultproxy.Services(), "Faults": faultproxy.Faults(), "Current": current, "Parts": parts,
		"Titles": map[string]string{faultproxy.DynamoDB: "DynamoDB", faultproxy.SQS: "SQS", faultproxy.SecretsManager: "Secrets Manager"},
		"Effects": map[faultproxy.Fault]string{
			faultproxy.Fails: "down: the connection is cut", faultproxy.Misreported: "done, then the connection is cut",
			faultproxy.TimesOut: "not done, and no answer", faultproxy.TimesOutLate: "done, and the answer is lost",
			faultproxy.Slow: "done half a second later",
		},
	}}, nil
}
