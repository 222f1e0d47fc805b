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
)

// The SDK's newer retries, as template.yaml sets them.
func TestMain(m *testing.M) {
	if err := os.Setenv("AWS_NEW_RETRIES_2026", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestStorm_SmallRun(t *testing.T) {
	if os.Getenv("AWS_ENDPOINT_URL_DYNAMODB") == "" || os.Getenv("AWS_ENDPOINT_URL_SQS") == "" {
		t.Skip("no endpoint is named; make test runs this on the local stack")
	}
	at, err := readEndpoints(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	result, err := storm{Count: 300, Rate: 100, Seed: 7, endpoints: at}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	result.print(&table)
	if len(result.wrong) > 0 {
		t.Error(table.String())
	}
	if result.acknowledged == 0 || result.refused == 0 || result.broken == 0 {
		t.Errorf("no faults or no callbacks:%s", table.String())
	}
	t.Log(table.String())
}

func TestReadEndpoints_ThisMachineOnly(t *testing.T) {
	for _, endpoint := range []string{"", "https://dynamodb.eu-central-1.amazonaws.com", "http://10.0.0.1:4566", "http://localhost.example:80", "127.0.0.1:4566", "http://127.0.0.1"} {
		if at, err := readEndpoints(func(string) string { return endpoint }); err == nil {
			t.Errorf("%q: got %v, want it refused", endpoint, at.dynamodb)
		}
	}
	if _, err := readEndpoints(func(string) string { return "http://127.0.0.1:4566" }); err != nil {
		t.Error(err)
	}
}

func TestPlanner_SameSeedAndShares(t *testing.T) {
	const count, contradictoryShare = 4000, 8 // of the steps of traffic.NewPayout
	p, other := newPlanner(3), newPlanner(3)
	kinds := map[kind]int{}
	for range count {
		first, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		second, err := other.next()
		if err != nil || string(first.request.Body) != string(second.request.Body) || first.receipt.Key != second.receipt.Key {
			t.Fatalf("%v: the same seed planned\n%s\n%s", err, first.request.Body, second.request.Body)
		}
		kinds[first.kind]++
	}
	for kind, share := range map[kind]int{forged: forgedShare, redelivered: redeliveredShare, contradictory: contradictoryShare} {
		if got := float64(kinds[kind]) * 100 / count; got < float64(share)*0.7 || got > float64(share)*1.3 {
			t.Errorf("%s: %.1f percent, want %d", kind, got, share)
		}
	}
}

// A check that always passes proves nothing.
func TestReport_FindsFaults(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	event := payout.Event{ID: payout.NewID("cregis", payout.TypePayout, "1382528827416576", "1", ""), Status: payout.Succeeded, Amount: "1"}
	receipt := inbox.NewReceipt(event, nil, "", now)
	record, outcome := payout.Record{}.Apply(event)
	receipt.State, receipt.Outcome = inbox.Applied, outcome
	stored := inboxtest.State{Receipts: []inbox.Receipt{receipt}, Records: []payout.Record{record}}
	authentic := answer{sending: sending{kind: fresh, receipt: receipt}, isAcknowledged: true, code: 200}
	counterfeit := answer{sending: sending{kind: forged}, code: 401}
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
		"no answer":                  {3, []answer{authentic, counterfeit}, stored, newFunctionLog(), "sent 3 is not"},
		"lost":                       {1, []answer{authentic}, inboxtest.State{}, newFunctionLog(), "I1"},
		"applied twice":              {1, []answer{authentic}, stored, twice, "I2"},
		"forged and stored":          {1, []answer{counterfeit}, stored, newFunctionLog(), "I6"},
		"forged and acknowledged":    {1, []answer{{sending: counterfeit.sending, isAcknowledged: true}}, inboxtest.State{}, newFunctionLog(), "I6"},
		"authentic and refused":      {1, []answer{{sending: authentic.sending, code: 401}}, inboxtest.State{}, newFunctionLog(), "I7"},
		"payout without its receipt": {1, []answer{authentic}, inboxtest.State{Receipts: stored.Receipts}, newFunctionLog(), "I4"},
		"body lost":                  {1, []answer{authentic}, withBody(stored, "other"), newFunctionLog(), "I7"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sender{answers: c.answers}
			for _, a := range c.answers {
				if a.kind != forged {
					s.ledger.Deliver(a.receipt)
				}
				if a.kind != forged && a.isAcknowledged {
					s.ledger.Acknowledge(a.receipt.Key)
				}
			}
			result := &report{sent: c.sent}
			result.check(s, c.state, c.log)
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
