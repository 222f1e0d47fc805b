package pivot_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/providersim"
	"payout-callbacks/pkg/testkit/providertest"
)

// simulated is a request at a simulated Pivot.
type simulated struct {
	api     *providersim.Pivot
	querier reconcile.Querier
	uuid    string
}

func simulate(t *testing.T, plan providersim.Plan, references ...string) simulated {
	t.Helper()
	s := simulated{api: providersim.NewPivot(
		providersim.Options{Now: now, Rand: rand.New(rand.NewPCG(1, 2)), CallbackURLs: map[string]string{"payout": "http://127.0.0.1:1"}},
		providersim.Merchant{ID: merchant, Secret: "SECRET", CallbackKey: "pivot-demo-key-current"},
	)}
	server := httptest.NewServer(s.api)
	t.Cleanup(server.Close)
	if err := s.api.PlanNext(plan); err != nil {
		t.Fatal(err)
	}
	var items []providersim.PivotItem
	for _, reference := range references {
		items = append(items, providersim.PivotItem{
			Reference: reference, Channel: "BRI", Recipient: providersim.PivotAccount{Name: "Reforza Pivot", Number: "888801000157508"},
			Amount: providersim.PivotAmount{Currency: "IDR", Value: "100000"},
		})
	}
	var err error
	if s.uuid, err = s.api.Order(merchant, items...); err != nil {
		t.Fatal(err)
	}
	credentials := fmt.Sprintf(`{"baseUrl":%q,"merchantId":%q,"merchantSecret":"SECRET"}`, server.URL, merchant)
	if s.querier, err = (pivot.Provider{}).Connect(merchant, []byte(credentials), reconcile.NewClient(true), now); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s simulated) ask(t *testing.T, ids ...payout.ID) reconcile.Answer {
	t.Helper()
	var asked []reconcile.Asked
	for _, id := range ids {
		asked = append(asked, reconcile.Asked{ID: id, Reference: id.Reference()})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	answer := s.querier.Ask(ctx, asked)
	for _, canary := range canaries[:2] {
		if text := providertest.AnswerText(t, answer); strings.Contains(text, canary) {
			t.Errorf("the answer has %q: %s", canary, text)
		}
	}
	return answer
}

func (s simulated) batch() payout.ID {
	return payout.NewID("pivot", payout.TypeBatch, merchant, s.uuid, "")
}

func (s simulated) item(reference string) payout.ID {
	return payout.NewID("pivot", payout.TypePayout, merchant, s.uuid, reference)
}

// Each end of a request is what its callback states, if it has a callback.
func TestAsk_SimulatedEnds(t *testing.T) {
	for end, want := range map[providersim.Status]struct{ batch, item payout.Status }{
		providersim.Succeeded: {payout.Done, payout.Succeeded}, providersim.Failed: {payout.Done, payout.Failed},
		providersim.Rejected: {payout.Done, payout.Rejected}, providersim.Cancelled: {payout.Cancelled, ""},
		providersim.Unfunded: {payout.Pending, payout.Pending}, providersim.Pending: {payout.Pending, payout.Pending},
	} {
		for _, references := range [][]string{{"1"}, {"1", "2", "3"}} {
			t.Run(fmt.Sprint(end, len(references)), func(t *testing.T) {
				s := simulate(t, providersim.Plan{Status: end}, references...)
				single := s.ask(t, s.item("1"))
				if single.Outcome != reconcile.Answered || len(single.Statements) != 1 || single.Statements[0].Event.Status != want.item {
					t.Errorf("item %+v, want %s", single, want.item)
				}
				listed := s.ask(t, s.batch())
				if listed.Outcome != reconcile.Answered || len(listed.Statements) != 1+len(references) || listed.Statements[0].Event.Status != want.batch {
					t.Fatalf("batch %+v, want %s", listed, want.batch)
				}
				checkCallbacks(t, s, append(single.Statements, listed.Statements...))
				if answer := s.ask(t, payout.NewID("pivot", payout.TypePayout, merchant, "", "1")); answer.Outcome != reconcile.ByReference {
					t.Errorf("by reference: %+v", answer)
				}
			})
		}
	}
}

// checkCallbacks checks that the callbacks of a request are in no conflict with what was
// stated about it.
func checkCallbacks(t *testing.T, s simulated, statements []reconcile.Statement) {
	t.Helper()
	for _, sent := range s.api.Payouts()[0].Callbacks {
		event, held := parse(t, []byte(sent.Body))
		if held != nil {
			t.Fatal(held.Note)
		}
		isConfirmed := false
		for _, statement := range statements {
			if statement.Event.ID != event.ID {
				continue
			}
			record, _ := payout.Record{}.Apply(event)
			record, _ = record.Apply(statement.Event)
			isConfirmed = true
			if len(record.Conflicts()) > 0 || record.IsConfirmed() != record.Status().IsFinal() {
				t.Errorf("conflicts %v: %+v", record.Conflicts(), record)
			}
		}
		if !isConfirmed {
			t.Errorf("no statement about %s", event.ID)
		}
	}
}

func TestAsk_SimulatedFaults(t *testing.T) {
	var references []string
	for n := range 120 { // two pages
		references = append(references, fmt.Sprint("PAY-", n))
	}
	for fault, want := range map[providersim.Fault]reconcile.Outcome{
		providersim.Limited: reconcile.RateLimited, providersim.Unavailable: reconcile.Unavailable, providersim.Hanging: reconcile.Unavailable,
		providersim.NotJSON: reconcile.Unusable, providersim.Huge: reconcile.Unusable, providersim.CredentialsRefused: reconcile.KeyRefused,
		providersim.InProcess: reconcile.InProcess, providersim.OtherAccount: reconcile.Unusable, providersim.UnknownStatus: reconcile.Answered,
		providersim.AmountForm: reconcile.Unusable, providersim.Endless: reconcile.Unusable, providersim.Shifting: reconcile.Unusable,
		providersim.Totals: reconcile.Answered, providersim.OtherReference: reconcile.Answered,
	} {
		t.Run(string(fault), func(t *testing.T) {
			s := simulate(t, providersim.Plan{Fault: fault, RetryAfter: time.Minute}, references...)
			answer := s.ask(t, s.batch())
			if answer.Outcome != want || fault == providersim.Limited && answer.RetryAfter != time.Minute {
				t.Fatalf("%+v, want %s", answer, want)
			}
			held := 0
			for _, statement := range answer.Statements {
				if statement.Held != nil {
					held++
				}
			}
			if wantHeld := map[providersim.Fault]int{providersim.UnknownStatus: 121, providersim.Totals: 1}[fault]; held != wantHeld {
				t.Errorf("%d statements are held, want %d", held, wantHeld)
			}
			if err := s.api.Finish(s.uuid, providersim.Plan{}); err != nil {
				t.Fatal(err)
			}
			if again := s.ask(t, s.batch()); again.Outcome != reconcile.Answered || len(again.Statements) != 121 || again.Statements[0].Held != nil {
				t.Errorf("without the fault: %s with %d statements", again.Outcome, len(again.Statements))
			}
		})
	}
}

func TestAsk_SimulatedPassingFaults(t *testing.T) {
	for fault, count := range map[providersim.Fault]int{providersim.CredentialsRefused: 1, providersim.Shifting: 2} {
		var references []string
		for n := range 120 {
			references = append(references, fmt.Sprint("PAY-", n))
		}
		s := simulate(t, providersim.Plan{Fault: fault, FaultCount: count}, references...)
		if answer := s.ask(t, s.batch()); answer.Outcome != reconcile.Answered {
			t.Errorf("%s: %+v", fault, answer)
		}
	}
	unknown := simulate(t, providersim.Plan{Unknown: time.Minute}, "PAY-1")
	for _, id := range []payout.ID{
		unknown.batch(), unknown.item("PAY-1"), unknown.item("PAY-2"), payout.NewID("pivot", payout.TypePayout, merchant, "", "PAY-2"),
		pivot.Provider{}.ProbeID(merchant),
	} {
		if answer := unknown.ask(t, id); answer.Outcome != reconcile.NotFound {
			t.Errorf("%s: %+v", id, answer)
		}
	}
	other := simulate(t, providersim.Plan{Fault: providersim.OtherReference}, "PAY-1")
	if answer := other.ask(t, other.item("PAY-1")); answer.Outcome != reconcile.Unusable {
		t.Errorf("another reference: %+v", answer)
	}
}
