package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/providersim"
)

// orderScene is a payout of the demonstration that is expected and then ordered at a simulated provider.
type orderScene struct {
	title  string
	plan   providersim.Plan
	isBulk bool
	ask    bool // have the reconciler ask the provider now, whatever is due
	result string
}

func orderScenes() []orderScene {
	return []orderScene{
		{title: "Cregis payout, ordered; its callback is lost", plan: providersim.Plan{Lost: true}, ask: true, result: "payout succeeded, confirmed"},
		{title: "Cregis payout, ordered; its callback states another amount", plan: providersim.Plan{Altered: providersim.AlteredAmount},
			result: "payout conflicted: amount"},
		{title: "Cregis payout, ordered and cancelled, which has no callback", plan: providersim.Plan{Status: providersim.Cancelled}, ask: true,
			result: "payout cancelled, confirmed"},
		{title: "Pivot bulk of three, ordered; its callback names no item", isBulk: true, ask: true,
			result: "batch done, confirmed; items: succeeded, failed, succeeded",
			plan:   providersim.Plan{Items: map[string]providersim.Status{"BULK-2": providersim.Failed}}},
	}
}

// demonstrateOrders orders payouts at the simulated providers, and prints what becomes of them.
func demonstrateOrders(ctx context.Context, show progress, w workspace, s stack, sims simulators) error {
	scenes := orderScenes()
	service := orderService{stage: newStage(s), workspace: w, simulators: sims}
	show.printf("\n%-62s %-14s %s", "ORDER", "", "RESULT")
	failures := 0
	for n, scene := range scenes {
		result, err := service.play(ctx, scene, fmt.Sprintf("ORDER-%d", n+1))
		if err != nil {
			return fmt.Errorf("%s: %w", scene.title, err)
		}
		show.printf("%-62s %-14s %s", scene.title, "", result)
		if result != scene.result {
			failures++
			show.printf("  expected: %s", scene.result)
		}
	}
	if failures > 0 {
		return fmt.Errorf("%d of %d orders have an unexpected result", failures, len(scenes))
	}
	show.printf("%d orders: all results are as expected.", len(scenes))
	return nil
}

// orderService does what a payment team's service does; examples/order shows how.
type orderService struct {
	stage
	workspace
	simulators
}

// play expects, orders and expects again with the provider's id, and waits for the result.
func (o orderService) play(ctx context.Context, scene orderScene, reference string) (string, error) {
	expectation, order := o.newCregisOrder(scene, reference)
	if scene.isBulk {
		expectation, order = o.newPivotBulk(scene, reference)
	}
	if _, err := o.expect(ctx, expectation); err != nil {
		return "", err
	}
	id, err := order()
	if err != nil {
		return "", err
	}
	expectation.ID = id
	expected, err := o.expect(ctx, expectation)
	if err != nil {
		return "", err
	}
	if scene.ask {
		if err := o.reconcileNow(ctx, expected); err != nil {
			return "", err
		}
	}
	return o.awaitOrder(ctx, expected, scene.result)
}

func (o orderService) newCregisOrder(scene orderScene, reference string) (reconcile.Expectation, func() (string, error)) {
	const recipient = "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"
	expectation := reconcile.Expectation{
		Provider: "cregis", Type: string(payout.TypePayout), Account: demoProject,
		Reference: reference, Amount: "1.1", Currency: "TRX", To: recipient, Due: "1h",
	}
	return expectation, func() (string, error) {
		if err := o.cregis.PlanFor(reference, scene.plan); err != nil {
			return "", err
		}
		return o.cregis.Order(demoProject, providersim.CregisOrder{Currency: "195@195", Amount: "1.1", To: recipient, Reference: reference})
	}
}

func (o orderService) newPivotBulk(scene orderScene, reference string) (reconcile.Expectation, func() (string, error)) {
	expectation := reconcile.Expectation{
		Provider: "pivot", Type: string(payout.TypeBatch), Account: demoMerchant, Reference: reference, Amount: "30000", Items: 3, Due: "1h",
	}
	var items []providersim.PivotItem
	for n := range 3 {
		items = append(items, providersim.PivotItem{
			Reference: fmt.Sprintf("BULK-%d", n+1), Channel: "BRI",
			Recipient: providersim.PivotAccount{Name: "Budi", Number: "999966660001"},
			Amount:    providersim.PivotAmount{Currency: "IDR", Value: "10000"},
		})
	}
	return expectation, func() (string, error) {
		if err := o.pivot.PlanFor("BULK-1", scene.plan); err != nil {
			return "", err
		}
		return o.pivot.Order(demoMerchant, items...)
	}
}

// expect sends an expectation, signed, to the route of the stack, and returns the payout.
func (o orderService) expect(ctx context.Context, expectation reconcile.Expectation) (payout.ID, error) {
	body, err := json.Marshal(expectation)
	if err != nil {
		return "", err
	}
	path := strings.TrimPrefix(o.stage.stack.APIURL, o.endpoint()) + "/expected-payouts"
	answer, err := callSigned(ctx, o.workspace, apiCall{service: "execute-api", method: http.MethodPost, path: path, body: string(body)})
	if err != nil {
		return "", fmt.Errorf("expect %s: %w", expectation.Reference, err)
	}
	var result reconcile.ExpectResult
	err = json.Unmarshal(answer, &result)
	return result.Payout, err
}

// reconcileNow has the reconciler ask about a payout now.
func (o orderService) reconcileNow(ctx context.Context, id payout.ID) error {
	body, err := json.Marshal(reconcile.AskRequest{Payouts: []payout.ID{id}})
	if err != nil {
		return err
	}
	call := apiCall{method: http.MethodPost, path: "/2015-03-31/functions/" + o.stage.stack.function("reconciler") + "/invocations", body: string(body)}
	var response reconcile.AskResponse
	if err := callLambda(ctx, o.workspace, call, &response); err != nil {
		return err
	}
	if len(response.Payouts) != 1 || response.Payouts[0].Outcome != reconcile.Answered {
		return fmt.Errorf("ask about %s: %+v", id, response)
	}
	return nil
}

// awaitOrder waits until a payout has the wanted result, and returns the result that it has in the end.
func (o orderService) awaitOrder(ctx context.Context, id payout.ID, want string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		result, err := o.describeOrder(ctx, id)
		if err != nil || result == want {
			return result, err
		}
		select {
		case <-ctx.Done():
			return result, nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (o orderService) describeOrder(ctx context.Context, id payout.ID) (string, error) {
	stored, _, err := o.reader.Record(ctx, id)
	if err != nil {
		return "", err
	}
	text := string(stored.Status())
	switch fields := stored.Conflicts(); {
	case len(fields) > 0:
		text += ": " + string(fields[0])
	case stored.IsConfirmed():
		text += ", confirmed"
	}
	if id.Type() != payout.TypeBatch {
		return "payout " + text, nil
	}
	var items []string
	for n := range 3 {
		reference := fmt.Sprintf("BULK-%d", n+1)
		item, _, err := o.reader.Record(ctx, payout.NewID("pivot", payout.TypePayout, demoMerchant, id.PayoutID(), reference))
		if err != nil {
			return "", err
		}
		items = append(items, string(item.Status()))
	}
	return "batch " + text + "; items: " + strings.Join(items, ", "), nil
}
