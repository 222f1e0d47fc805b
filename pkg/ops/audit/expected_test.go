package audit_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// expect applies an expectation of the payout with the number.
func (b *bed) expect(n string) {
	b.Helper()
	e := payout.Event{
		ID: payoutID(n), Source: payout.SourceExpectation, Status: payout.Expected,
		Amount: "1.1", Reference: "order-" + n, Deadline: b.now.Add(time.Minute).UnixMilli(),
	}
	if _, _, err := b.box.ApplyNew(b.Context(), b.received(e)); err != nil {
		b.Fatal(err)
	}
}

func (b *bed) fillExpected() {
	b.Helper()
	for _, n := range []string{"final", "open", "overdue", "conflicted"} {
		b.expect(n)
	}
	overdue := payout.Event{ID: payoutID("overdue"), Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "open"}
	linked := payout.Event{ID: payout.NewID("cregis", payout.TypePayout, "7", "", "order"), Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: payoutID("final")}
	b.acceptAndApply(
		event("final", payout.Succeeded, 1), event("conflicted", payout.Succeeded, 1), event("conflicted", payout.Failed, 1),
		event("unexpected", payout.Succeeded, 1), overdue, linked,
	)
}

// Expected payouts are final, open, overdue or conflicted; none of that is a finding.
func TestAudit_ExpectedPayouts(t *testing.T) {
	eachBed(t, func(b *bed) {
		b.fillExpected()
		findings, summary := b.audit(func(a *audit.Audit) { a.Queries = map[string]inbox.QueryMode{"cregis": inbox.QueriesAll} })
		if len(findings) > 0 {
			b.Errorf("findings: %+v", findings)
		}
		want := audit.ExpectedSummary{Total: 4, Final: 1, Open: 1, Overdue: 1, Conflicted: 1}
		if diff := cmp.Diff(want, summary.Expected); diff != "" {
			b.Errorf("summary (-want +got):\n%s", diff)
		}
		// The inbox of the bed asks no provider: these are not confirmed or asked about.
		if summary.Unscheduled != 3 {
			b.Errorf("%d unscheduled, want 3", summary.Unscheduled)
		}
	})
}

func TestAudit_Schedule(t *testing.T) {
	for name, test := range map[string]struct {
		payout payout.ID
		alter  func(inbox.Schedule) inbox.Schedule
	}{
		"an open expected payout is not scheduled": {payoutID("open"), func(inbox.Schedule) inbox.Schedule { return inbox.Schedule{} }},
		"a linked payout is scheduled": {payout.NewID("cregis", payout.TypePayout, "7", "", "order"), func(inbox.Schedule) inbox.Schedule {
			return inbox.Schedule{At: noon}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			eachBed(t, func(b *bed) {
				b.fillExpected()
				b.reschedule(test.payout, test.alter)
				findings, _ := b.audit()
				want := []audit.Finding{{Kind: audit.PayoutUnscheduled, Payout: string(test.payout)}}
				if diff := cmp.Diff(want, findings, cmpopts.IgnoreFields(audit.Finding{}, "Detail")); diff != "" {
					b.Errorf("findings (-want +got):\n%s", diff)
				}
				if _, err := b.repairs.Rebuild(b.Context(), test.payout, inbox.NewChangedBy("alice", "why", b.now)); err != nil {
					b.Fatal(err)
				}
				if findings, _ := b.audit(); len(findings) > 0 {
					b.Errorf("after the rebuild: %+v", findings)
				}
			})
		})
	}
}

// reschedule replaces the schedule of a payout, as a claim or a repair by hand does.
func (b *bed) reschedule(id payout.ID, alter func(inbox.Schedule) inbox.Schedule) {
	b.Helper()
	store := b.store.(reconcile.Store)
	item, err := store.Payout(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	if err := store.FinishQuery(b.Context(), id, item.Schedule, alter(item.Schedule)); err != nil {
		b.Fatal(err)
	}
}

func TestAudit_AnsweredCallback(t *testing.T) {
	eachBed(t, func(b *bed) {
		held := inbox.NewHeldReceipt(inbox.HeldCallback{
			Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte("a"), Reason: "field", ProviderID: "8",
		}, nil, "", b.now)
		b.accept(held)
		answer := event("8", payout.Succeeded, 1)
		answer.Source = payout.SourceQuery
		b.acceptAndApply(answer)
		by := inbox.NewChangedBy("reconciler", "the same final status", b.now)
		if ok, err := b.store.(reconcile.Store).AnswerHeld(b.Context(), held.Key, b.received(answer).Key, by); !ok || err != nil {
			b.Fatal(ok, err)
		}
		if findings, _ := b.audit(); len(findings) > 0 {
			b.Errorf("findings: %+v", findings)
		}
		b.removeReceipt(b.received(answer).Key)
		findings, _ := b.audit()
		kinds := map[audit.Kind]bool{}
		for _, finding := range findings {
			kinds[finding.Kind] = true
		}
		if !kinds[audit.ReceiptGone] {
			b.Errorf("findings without the answer's receipt: %+v, want %s", findings, audit.ReceiptGone)
		}
	})
}
