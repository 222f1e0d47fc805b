package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/traffic"
)

func TestStorm_SmallRun(t *testing.T) {
	if os.Getenv("AWS_ENDPOINT_URL_DYNAMODB") == "" || os.Getenv("AWS_ENDPOINT_URL_SQS") == "" {
		t.Skip("no endpoint is named; make test runs this on the local stack")
	}
	t.Setenv("AWS_NEW_RETRIES_2026", "") // run sets it
	result, err := storm{count: 300, rate: 100, seed: 7}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	result.print(&table)
	if len(result.wrong) > 0 {
		t.Error(table.String())
	}
	if result.counts[applied] == 0 || result.counts[refused] == 0 || result.broken == 0 {
		t.Errorf("no faults or no callbacks:\n%s", table.String())
	}
	t.Log(table.String())
}

// A check that always passes proves nothing.
func TestReport_FindsFaults(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	event := payout.Event{ID: payout.NewID("cregis", payout.TypePayout, "1382528827416576", "1", ""), Status: payout.Succeeded, Amount: "1"}
	receipt := inbox.NewReceipt(event, nil, "", now)
	record, outcome := payout.Record{}.Apply(event)
	receipt.State, receipt.Outcome = inbox.Applied, outcome
	stored := inboxtest.State{Receipts: []inbox.Receipt{receipt}, Records: []payout.Record{record}}
	authentic := answer{Request: traffic.Request{Receipt: receipt}, isAcknowledged: true, code: 200}
	counterfeit := answer{Request: traffic.Request{IsForged: true}, code: 401}
	twice := newFunctionLog()
	twice.applied[receipt.Key] = 2

	for name, c := range map[string]struct {
		sent    int
		answers []answer
		state   inboxtest.State
		log     *functionLog
		want    string
	}{
		"no fault":                   {2, []answer{authentic, counterfeit}, stored, newFunctionLog(), ""},
		"no answer":                  {3, []answer{authentic, counterfeit}, stored, newFunctionLog(), "3 callbacks were sent"},
		"lost":                       {1, []answer{authentic}, inboxtest.State{}, newFunctionLog(), "I1"},
		"applied twice":              {1, []answer{authentic}, stored, twice, "I2"},
		"forged and stored":          {1, []answer{counterfeit}, stored, newFunctionLog(), "I6"},
		"forged and acknowledged":    {1, []answer{{Request: counterfeit.Request, isAcknowledged: true}}, inboxtest.State{}, newFunctionLog(), "I6"},
		"authentic and refused":      {1, []answer{{Request: authentic.Request, code: 401}}, inboxtest.State{}, newFunctionLog(), "I7"},
		"payout without its receipt": {1, []answer{authentic}, inboxtest.State{Receipts: stored.Receipts}, newFunctionLog(), "I4"},
		"body lost":                  {1, []answer{authentic}, withBody(stored, "other"), newFunctionLog(), "I7"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sender{answers: c.answers}
			for _, a := range c.answers {
				if !a.IsForged {
					s.ledger.Deliver(a.Receipt)
				}
				if !a.IsForged && a.isAcknowledged {
					s.ledger.Acknowledge(a.Receipt.Key)
				}
			}
			result := &report{sent: c.sent, stored: c.state, log: c.log}
			result.check(s)
			if c.want == "" && len(result.wrong) > 0 {
				t.Errorf("got %q, want no fault", result.wrong)
			}
			if !slices.ContainsFunc(result.wrong, func(text string) bool { return strings.Contains(text, c.want) }) && c.want != "" {
				t.Errorf("got %q, want %q", result.wrong, c.want)
			}
		})
	}
}

// withBody returns a state whose receipts have another body.
func withBody(state inboxtest.State, body string) inboxtest.State {
	state.Receipts = slices.Clone(state.Receipts)
	for i := range state.Receipts {
		state.Receipts[i].Body = []byte(body)
	}
	return state
}
