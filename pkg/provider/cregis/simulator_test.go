package cregis_test

import (
	"context"
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/providersim"
)

// simulated is a payout at a simulated Cregis.
type simulated struct {
	api     *providersim.Cregis
	querier reconcile.Querier
	asked   []reconcile.Asked
}

func simulate(t *testing.T, payoutType payout.Type, plan providersim.Plan) simulated {
	t.Helper()
	s := simulated{api: providersim.NewCregis(providersim.Options{
		Now: now, Rand: rand.New(rand.NewPCG(1, 2)), CallbackURLs: map[string]string{string(payoutType): "http://127.0.0.1:1"},
	}, map[string]string{project: string(sampleKey)})}
	server := httptest.NewServer(s.api)
	t.Cleanup(server.Close)
	if err := s.api.PlanNext(plan); err != nil {
		t.Fatal(err)
	}
	cid, err := s.api.Order(project, providersim.CregisOrder{
		Type: string(payoutType), Currency: "60@0xdac17f958d2ee523a2206206994597c13d831ec7", Amount: "1.10", From: evm, To: evm, Reference: "PAY-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	s.querier = connect(t, server.URL)
	s.asked = []reconcile.Asked{{ID: payout.NewID("cregis", payoutType, project, cid, ""), Reference: "PAY-1"}}
	return s
}

func (s simulated) ask(t *testing.T) reconcile.Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return s.querier.Ask(ctx, s.asked)
}

// Each end of a payout is what its callback states, if it has a callback.
func TestAsk_SimulatedEnds(t *testing.T) {
	for _, payoutType := range []payout.Type{payout.TypePayout, payout.TypeSubAddressPayout} {
		for end, want := range map[providersim.Status]payout.Status{
			providersim.Succeeded: payout.Succeeded, providersim.Failed: payout.Failed, providersim.Rejected: payout.Rejected,
			providersim.RejectedBySig: payout.Rejected, providersim.Cancelled: payout.Cancelled,
			providersim.Processing: payout.Pending, providersim.Pending: payout.Pending,
		} {
			t.Run(string(payoutType)+" "+string(end), func(t *testing.T) {
				s := simulate(t, payoutType, providersim.Plan{Status: end})
				answer := s.ask(t)
				if answer.Outcome != reconcile.Answered || answer.Statements[0].Event.Status != want {
					t.Fatalf("%+v, want %s", answer, want)
				}
				expected := expect(t, reconcile.Expectation{
					Type: string(payoutType), Account: project, ID: s.asked[0].ID.PayoutID(), Reference: "PAY-1", Amount: "1.1", Currency: "USDT-ERC20", To: evm,
				})
				checkAgreement(t, "expectation", expected, answer.Statements[0].Event)
				for _, sent := range s.api.Payouts()[0].Callbacks {
					request := callback.NewRequest(payoutType, nil, []byte(sent.Body))
					event, held := cregis.Provider{}.Restore(request, callback.Sender{Account: project}).Event()
					if held != nil {
						t.Fatal(held.Note)
					}
					checkAgreement(t, "callback", event, answer.Statements[0].Event)
				}
			})
		}
	}
}

func TestAsk_SimulatedFaults(t *testing.T) {
	for fault, want := range map[providersim.Fault]reconcile.Outcome{
		providersim.Limited: reconcile.RateLimited, providersim.Unavailable: reconcile.Unavailable, providersim.Hanging: reconcile.Unavailable,
		providersim.NotJSON: reconcile.Unusable, providersim.Huge: reconcile.Unusable, providersim.CredentialsRefused: reconcile.KeyRefused,
		providersim.AddressRefused: reconcile.AddressRefused, providersim.OtherAccount: reconcile.Unusable, providersim.OtherReference: reconcile.Unusable,
		providersim.UnknownStatus: reconcile.Answered, providersim.AmountForm: reconcile.Unusable, providersim.CurrencyForm: reconcile.Answered,
	} {
		t.Run(string(fault), func(t *testing.T) {
			s := simulate(t, payout.TypePayout, providersim.Plan{Fault: fault, FaultCount: 1, RetryAfter: time.Minute})
			answer := s.ask(t)
			if answer.Outcome != want || fault == providersim.Limited && answer.RetryAfter != time.Minute {
				t.Errorf("%+v, want %s", answer, want)
			}
			for _, statement := range answer.Statements {
				if isHeld := statement.Held != nil; isHeld != (fault == providersim.UnknownStatus) {
					t.Errorf("held %+v", statement.Held)
				}
			}
			if again := s.ask(t); again.Outcome != reconcile.Answered || again.Statements[0].Held != nil {
				t.Errorf("without the fault: %+v", again)
			}
		})
	}
	unknown := simulate(t, payout.TypePayout, providersim.Plan{Unknown: time.Minute})
	if answer := unknown.ask(t); answer.Outcome != reconcile.NotFound {
		t.Errorf("a payout that is not known yet: %+v", answer)
	}
	probe := cregis.Provider{}.ProbeID(project)
	if answer := unknown.querier.Ask(t.Context(), []reconcile.Asked{{ID: probe}}); answer.Outcome != reconcile.NotFound {
		t.Errorf("the probe: %+v", answer)
	}
}
