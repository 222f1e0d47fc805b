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

// As template.yaml has it: the SDK's newer retries.
func TestMain(m *testing.M) {
	if err := os.Setenv("AWS_NEW_RETRIES_2026", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestASmallStormAddsUp(t *testing.T) {
	if os.Getenv("AWS_ENDPOINT_URL_DYNAMODB") == "" || os.Getenv("AWS_ENDPOINT_URL_SQS") == "" {
		t.Skip("no endpoint is named; make test runs this on the local stack")
	}
	at, err := endpointsOf(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	result, err := storm{count: 300, rate: 100, seed: 7, at: at}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	result.print(&table)
	if len(result.Wrong) > 0 {
		t.Error(table.String())
	}
	if result.Acknowledged == 0 || result.Refused == 0 || result.Broken == 0 {
		t.Errorf("that was no storm:%s", table.String())
	}
	t.Log(table.String())
}

func TestAStormStaysOnThisMachine(t *testing.T) {
	for _, endpoint := range []string{"", "https://dynamodb.eu-central-1.amazonaws.com", "http://10.0.0.1:4566", "http://localhost.example:80", "127.0.0.1:4566", "http://127.0.0.1"} {
		if at, err := endpointsOf(func(string) string { return endpoint }); err == nil {
			t.Errorf("%q: got %v, want it refused", endpoint, at.dynamodb)
		}
	}
	if _, err := endpointsOf(func(string) string { return "http://127.0.0.1:4566" }); err != nil {
		t.Error(err)
	}
}

func TestASeedPlansTheSameCallbacksAndTheSharesAreKept(t *testing.T) {
	const count = 4000
	p, other := newPlanner(3), newPlanner(3)
	sorts := map[sort]int{}
	for range count {
		first, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		second, err := other.next()
		if err != nil || string(first.body) != string(second.body) || first.key != second.key {
			t.Fatalf("%v: the same seed planned\n%s\n%s", err, first.body, second.body)
		}
		sorts[first.sort]++
	}
	for sort, share := range map[sort]int{forged: forgedShare, redelivered: redeliveredShare, contradictory: contradictoryShare} {
		if got := float64(sorts[sort]) * 100 / count; got < float64(share)*0.7 || got > float64(share)*1.3 {
			t.Errorf("%s: %.1f of a hundred, want %d", sort, got, share)
		}
	}
}

// A reckoning that always adds up would prove nothing.
func TestAReckoningSeesWhatIsWrong(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	event := payout.Event{ID: payout.NewID("cregis", payout.TypePayout, project, "1", ""), Status: payout.Succeeded, Amount: "1"}
	receipt := inbox.NewReceipt(event, nil, "", now)
	record, outcome := payout.Record{}.Apply(event)
	receipt.State, receipt.Outcome = inbox.Applied, outcome
	good := inboxtest.State{Receipts: []inbox.Receipt{receipt}, Records: []payout.Record{record}}
	a := answer{sent: sent{sort: fresh, key: receipt.Key}, verdict: acknowledged, code: 200}
	counterfeit := answer{sent: sent{sort: forged}, verdict: refused, code: 401}
	twice := newJournal()
	twice.applied[receipt.Key] = 2

	for name, c := range map[string]struct {
		sent    int
		answers []answer
		state   inboxtest.State
		journal *journal
		want    string
	}{
		"nothing":                  {2, []answer{a, counterfeit}, good, newJournal(), ""},
		"one was never answered":   {3, []answer{a, counterfeit}, good, newJournal(), "sent 3 is not"},
		"one is lost":              {1, []answer{a}, inboxtest.State{}, newJournal(), "I1"},
		"one was applied twice":    {1, []answer{a}, good, twice, "I2"},
		"a forged one is there":    {1, []answer{counterfeit}, good, newJournal(), "I6"},
		"a forged one was taken":   {1, []answer{{sent: counterfeit.sent, verdict: acknowledged}}, inboxtest.State{}, newJournal(), "I6"},
		"an authentic one was not": {1, []answer{{sent: a.sent, verdict: refused}}, inboxtest.State{}, newJournal(), "I7"},
		"a record is not its fold": {1, []answer{a}, inboxtest.State{Receipts: good.Receipts}, newJournal(), "I4"},
	} {
		t.Run(name, func(t *testing.T) {
			result := &report{Sent: c.sent}
			result.check(c.answers, c.state, c.journal)
			if c.want == "" && len(result.Wrong) > 0 {
				t.Errorf("complains of %q", result.Wrong)
			}
			if !slices.ContainsFunc(result.Wrong, func(text string) bool { return strings.Contains(text, c.want) }) && c.want != "" {
				t.Errorf("complains of %q, want %q", result.Wrong, c.want)
			}
		})
	}
}
