package audit_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/memory"
)

func TestASoundStoreAddsUp(t *testing.T) {
	eachBed(t, func(b *bed) {
		b.sound()
		findings, summary := b.audit()
		if len(findings) > 0 {
			b.Errorf("findings: %+v", findings)
		}
		want := audit.Summary{
			Receipts: 9, Payouts: 3,
			States: map[inbox.State]int64{inbox.Applied: 5, inbox.Received: 1, inbox.Held: 1, inbox.Released: 1, inbox.Dismissed: 1},
			Oldest: map[inbox.State]time.Time{inbox.Received: noon, inbox.Held: noon},
		}
		if diff := cmp.Diff(want, summary, cmpopts.IgnoreUnexported(audit.Summary{})); diff != "" {
			b.Errorf("summary (-want +got):\n%s", diff)
		}
	})
}

// planted is damage, what the audit says of it and how it is repaired.
type planted struct {
	plant  func(b *bed)
	want   []audit.Finding // Detail is for people
	repair func(b *bed)    // nil: it is not to be repaired from what is there
}

func damages() map[string]planted {
	text := string(numbered("1"))
	pending := inbox.NewReceipt(event("1", payout.Pending, 0), nil, "", noon).Key
	rebuild := func(b *bed) {
		if _, err := b.repairs.Rebuild(b.Context(), numbered("1"), inbox.NewChangedBy("somebody", "why", b.now)); err != nil {
			b.Fatal(err)
		}
	}
	reindex := func(key inbox.Key) func(b *bed) {
		return func(b *bed) {
			if _, err := b.editor.Reindex(b.Context(), key, b.now); err != nil {
				b.Fatal(err)
			}
		}
	}
	waiting := inbox.NewReceipt(event("4", payout.Succeeded, 1), nil, "", noon).Key
	held := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte("one")}, nil, "", noon).Key
	k := inbox.NewReceipt(event("3", payout.Succeeded, 1), nil, "", noon).Key
	released := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte("three")}, nil, "", noon).Key
	return map[string]planted{
		"a receipt is deleted": {
			func(b *bed) { b.removeReceipt(pending) },
			[]audit.Finding{{Kind: audit.FactUnproven, Payout: text}}, rebuild,
		},
		"a payout is altered": {
			func(b *bed) { b.alterProgress(numbered("1")) },
			[]audit.Finding{{Kind: audit.PayoutAltered, Payout: text}}, rebuild,
		},
		"what a payout shows is altered": {
			func(b *bed) { b.spoilPayout(numbered("1")) },
			[]audit.Finding{{Kind: audit.PayoutDamaged, Payout: text}}, rebuild,
		},
		"a receipt is marked applied without effect": {
			func(b *bed) {
				extra := b.received(event("1", payout.Succeeded, 9))
				b.accept(extra)
				b.queue.DropAll()
				b.markApplied(extra.Key)
			},
			[]audit.Finding{{Kind: audit.FactMissing, Payout: text, Receipt: inbox.NewReceipt(event("1", payout.Succeeded, 9), nil, "", noon).Key.Receipt}}, rebuild,
		},
		"a payout is deleted": {
			func(b *bed) { b.removePayout(numbered("1")) },
			[]audit.Finding{{Kind: audit.PayoutMissing, Payout: text}}, rebuild,
		},
		"a message is lost": {
			func(b *bed) { b.queue.DropAll(); b.now = b.now.Add(time.Hour) },
			[]audit.Finding{{Kind: audit.ReceiptWaiting, Payout: waiting.Payout, Receipt: waiting.Receipt}},
			func(b *bed) {
				if result, err := b.box.Sweep(b.Context(), 100); err != nil || result.Resent != 1 {
					b.Fatalf("%+v, %v", result, err)
				}
				b.consume()
			},
		},
		"a receipt that waits has lost its place in the index": {
			func(b *bed) { b.queue.DropAll(); b.misplace(waiting) },
			[]audit.Finding{{Kind: audit.ReceiptIndexMismatch, Payout: waiting.Payout, Receipt: waiting.Receipt}},
			func(b *bed) {
				if r, err := b.box.Sweep(b.Context(), 100); err != nil || r.Due != 0 {
					b.Fatalf("the sweeper finds it all the same: %+v, %v", r, err)
				}
				reindex(waiting)(b)
				if item, err := b.box.Sweep(b.Context(), 100); err != nil || item.Resent != 1 {
					b.Fatalf("%+v, %v", item, err)
				}
				b.consume()
			},
		},
		"a held callback has lost its place in the index": {
			func(b *bed) { b.misplace(held) },
			[]audit.Finding{{Kind: audit.ReceiptIndexMismatch, Payout: held.Payout, Receipt: held.Receipt}}, reindex(held),
		},
		"a receipt is altered": {
			func(b *bed) { b.spoilReceipt(pending) },
			[]audit.Finding{
				{Kind: audit.PayoutUnchecked, Payout: text}, {Kind: audit.ReceiptDamaged, Payout: pending.Payout, Receipt: pending.Receipt},
			}, nil,
		},
		"a held callback is dismissed past payoutctl": {
			func(b *bed) { b.dismiss(held) },
			[]audit.Finding{{Kind: audit.ReceiptUnexplained, Payout: held.Payout, Receipt: held.Receipt}}, nil,
		},
		"what a released callback became is deleted": {
			func(b *bed) { b.removeReceipt(k); b.removePayout(numbered("3")) },
			[]audit.Finding{{Kind: audit.ReceiptGone, Payout: released.Payout, Receipt: released.Receipt}},
			func(b *bed) {
				gone, _, err := b.editor.Receipt(b.Context(), released)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := b.repairs.Release(b.Context(), gone, b.received(event("3", payout.Succeeded, 1)), inbox.ChangedBy{}); err != nil {
					b.Fatal(err)
				}
				b.consume()
			},
		},
	}
}

// Whatever somebody with too much access does to the tables is found (I1 to I4),
// and nothing else; and it is repaired by what this application has.
func TestPlantedDamageIsFoundAndRepaired(t *testing.T) {
	for name, test := range damages() {
		t.Run(name, func(t *testing.T) {
			eachBed(t, func(b *bed) {
				b.sound()
				test.plant(b)
				findings, _ := b.audit()
				byKind := cmpopts.SortSlices(func(x, y audit.Finding) bool { return x.Kind < y.Kind })
				if diff := cmp.Diff(test.want, findings, byKind, cmpopts.IgnoreFields(audit.Finding{}, "Detail")); diff != "" {
					b.Fatalf("findings (-want +got):\n%s", diff)
				}
				if test.repair == nil {
					return
				}
				test.repair(b)
				if findings, _ := b.audit(); len(findings) > 0 {
					b.Errorf("after the repair: %+v", findings)
				}
			})
		})
	}
}

// inboxtest.Check is the same law in other words: both must say so, or neither.
func TestTheAuditAgreesWithTheTestsOwnCheck(t *testing.T) {
	for name, test := range damages() {
		t.Run(name, func(t *testing.T) {
			b := newMemoryBed(t)
			store := b.store.(*memory.Store)
			b.sound()
			b.consume()
			check := func() []string {
				return inboxtest.Check(inboxtest.State{Receipts: store.Receipts(), Records: store.Records()}, nil, true)
			}
			if wrong := check(); len(wrong) > 0 {
				t.Fatalf("before: %v", wrong)
			}
			test.plant(b)
			findings, _ := b.audit()
			wrong := check()
			// What Check cannot see: the index, and damage that memory only pretends.
			for _, finding := range findings {
				switch finding.Kind {
				case audit.FactUnproven, audit.FactMissing, audit.PayoutMissing, audit.PayoutAltered:
					if len(wrong) == 0 {
						t.Errorf("the audit alone finds %+v", finding)
					}
				}
			}
			if len(wrong) > 0 && len(findings) == 0 {
				t.Errorf("the check alone finds %v", wrong)
			}
		})
	}
}

// moving applies one more fact to payout 1 whenever it or its receipts are
// about to be read: what was read before is then out of date.
type moving struct {
	audit.Source
	b     *bed
	facts uint64
	left  int
}

func (m *moving) move(ctx context.Context) {
	if m.left > 0 {
		m.left--
		m.facts++
		receipt := m.b.received(event("1", payout.Succeeded, 100+m.facts))
		if _, err := m.b.box.Apply(ctx, receipt); err != nil {
			m.b.Error(err)
		}
	}
}

func (m *moving) ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	m.move(ctx)
	return m.Source.ReceiptsOf(ctx, id)
}

func (m *moving) StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error) {
	m.move(ctx)
	return m.Source.StoredPayout(ctx, id)
}

func TestAPayoutThatMovesIsNoFinding(t *testing.T) {
	for _, test := range []struct {
		moves        int
		plant        bool
		moving, want int64
	}{
		{moves: 1}, {moves: 2}, {moves: 3}, {moves: 4}, {moves: 5}, {moves: 100, moving: 1}, {moves: 5, plant: true, want: 1},
	} {
		b := newMemoryBed(t)
		b.tell(event("1", payout.Pending, 0))
		if test.plant {
			b.alterProgress(numbered("1"))
			b.removeReceipt(b.received(event("1", payout.Pending, 0)).Key)
		}
		findings, summary := b.audit(func(a *audit.Audit) { a.Source = &moving{Source: b.source, b: b, left: test.moves} })
		if int64(len(findings)) != test.want || summary.Moving != test.moving {
			t.Errorf("%d moves: %+v, %d moving", test.moves, findings, summary.Moving)
		}
	}
}

func TestAWindowIsOfAcceptance(t *testing.T) {
	eachBed(t, func(b *bed) {
		b.tell(event("1", payout.Succeeded, 0))
		b.now = b.now.Add(time.Hour)
		b.tell(event("2", payout.Succeeded, 0))
		b.removeReceipt(inbox.NewReceipt(event("1", payout.Succeeded, 0), nil, "", noon).Key)
		for _, test := range []struct {
			from, to time.Time
			want     int64
		}{
			{time.Time{}, time.Time{}, 1}, {noon.Add(time.Minute), time.Time{}, 1}, {time.Time{}, noon, 0},
			{noon.Add(time.Hour), noon.Add(time.Hour + 1e6), 1},
		} {
			_, summary := b.audit(func(a *audit.Audit) { a.From, a.To = test.from, test.to })
			if summary.Receipts != test.want {
				b.Errorf("from %s to %s: %d receipts, want %d", test.from, test.to, summary.Receipts, test.want)
			}
		}
	})
}

func TestAnAuditThatFailsSaysSo(t *testing.T) {
	b := newMemoryBed(t)
	b.sound()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := &audit.Audit{Source: b.source, Now: b.now, Report: func(f audit.Finding) { t.Errorf("found %+v", f) }}
	if _, err := a.Run(ctx); err == nil {
		t.Error("no error")
	}
}

// What OPERATIONS.md says of a payout whose only receipt was deleted: rebuild has
// nothing to go by until the provider has pushed its callback again.
func TestADeletedReceiptIsRepairedByItsCallback(t *testing.T) {
	eachBed(t, func(b *bed) {
		e := event("1", payout.Succeeded, 0)
		b.tell(e)
		b.removeReceipt(b.received(e).Key)
		changedBy := inbox.NewChangedBy("somebody", "why", b.now)
		if findings, _ := b.audit(); len(findings) != 1 || findings[0].Kind != audit.FactUnproven {
			b.Fatalf("found %+v", findings)
		}
		if plan, err := b.repairs.Rebuild(b.Context(), e.ID, changedBy); err != nil || plan.Verdict != repair.NoReceipts {
			b.Fatal(plan.Verdict, err)
		}
		b.tell(e)
		if _, err := b.repairs.Rebuild(b.Context(), e.ID, changedBy); err != nil {
			b.Fatal(err)
		}
		if findings, _ := b.audit(); len(findings) > 0 {
			b.Errorf("found %+v", findings)
		}
	})
}
