package providertest_test

import (
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/providertest"
)

func TestFuzzParse_BrokenProvider(t *testing.T) {
	const body = `{"account":"a","id":"7","status":"paid","amount":"2.5","memo":"m"}`
	change := func(change func(*payout.Event, callback.Request)) toy {
		return toy{parse: func(r callback.Request, s callback.Sender) (payout.Event, *callback.Held) {
			event, held := sound.event(r, s)
			change(&event, r)
			return event, held
		}}
	}
	for name, test := range map[string]struct {
		provider toy
		want     string // part of the error; "" for none
	}{
		"sound":                {sound, ""},
		"without an amount":    {change(func(e *payout.Event, _ callback.Request) { e.Amount = "" }), "not complete"},
		"without a status":     {change(func(e *payout.Event, _ callback.Request) { e.Status = "" }), "not complete"},
		"of another account":   {change(func(e *payout.Event, _ callback.Request) { e.ID = "toy/payout/b/7" }), "sent by a"},
		"of another provider":  {change(func(e *payout.Event, _ callback.Request) { e.ID = "cregis/payout/a/7" }), "ID ="},
		"that depends on size": {change(func(e *payout.Event, r callback.Request) { e.Memo = strings.Repeat("x", len(r.Body)) }), "re-spaced"},
		"held without a note": {toy{parse: func(callback.Request, callback.Sender) (payout.Event, *callback.Held) {
			return payout.Event{}, &callback.Held{Reason: callback.ReasonField}
		}}, "held"},
	} {
		err := providertest.FuzzedBody(t, suite(test.provider, toyAPI{}), fsOf(testdata()), body)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want an error with %q", name, err, test.want)
		}
	}
}

func TestFuzzAnswer_BrokenProvider(t *testing.T) {
	const asked payout.ID = "toy/payout/a/7"
	good := payout.Event{ID: asked, Source: payout.SourceQuery, Status: payout.Succeeded, Amount: "2.5"}
	answer := func(change func(*payout.Event), body string) reconcile.Answer {
		event := good
		change(&event)
		return reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{{Event: event, Body: []byte(body)}}}
	}
	if err := providertest.CheckAnswer(asked, answer(func(*payout.Event) {}, "{}")); err != nil {
		t.Error(err)
	}
	for name, broken := range map[string]reconcile.Answer{
		"nothing stated":            {Outcome: reconcile.Answered},
		"stated when not found":     {Outcome: reconcile.NotFound, Statements: []reconcile.Statement{{Event: good, Body: []byte("{}")}}},
		"a long detail":             {Outcome: reconcile.Unusable, Detail: strings.Repeat("x", 201)},
		"another payout":            answer(func(e *payout.Event) { e.ID = "toy/payout/a/8" }, "{}"),
		"another account":           answer(func(e *payout.Event) { e.ID = "toy/payout/b/7" }, "{}"),
		"as a callback":             answer(func(e *payout.Event) { e.Source = payout.SourceCallback }, "{}"),
		"no status":                 answer(func(e *payout.Event) { e.Status = "" }, "{}"),
		"a final without an amount": answer(func(e *payout.Event) { e.Amount = "" }, "{}"),
		"a body that is not JSON":   answer(func(*payout.Event) {}, "succeeded"),
	} {
		if providertest.CheckAnswer(asked, broken) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
