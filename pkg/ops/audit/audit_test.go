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

func TestAudit_ConsistentStore(t *testing.T) {
	eachBed(t, func(b *bed) {
		b.fill()
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

// defect is a defect of a store, the findings of the audit, and its repair.
type defect struct {
	plant  func(b *bed)
	want   []audit.Finding // without Detail
	repair func(b *bed)    // nil: the stored data does not suffice
}

func defects() map[string]defect {
	text := string(payoutID("1"))
	pending := inbox.NewReceipt(event("1", payout.Pending, 0), nil, "", noon).Key
	rebuild := func(b *bed) {
		if _, err := b.repairs.Rebuild(b.Context(), payoutID("1"), inbox.NewChangedBy("alice", "why", b.now)); err != nil {
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
	releasedAs := inbox.NewReceipt(event("3", payout.Succeeded, 1), nil, "", noon).Key
	released := inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte("three")}, nil, "", noon).Key
	return map[string]defect{
		"receipt deleted": {
			func(b *bed) { b.removeReceipt(pending) },
			[]audit.Finding{{Kind: audit.FactUnproven, Payout: text}}, rebuild,
		},
		"payout altered": {
			func(b *bed) { b.alterProgress(payoutID("1")) },
			[]audit.Finding{{Kind: audit.PayoutAltered, Payout: text}}, rebuild,
		},
		"payout status altered": {
			func(b *bed) { b.corruptPayout(payoutID("1")) },
			[]audit.Finding{{Kind: audit.PayoutDamaged, Payout: text}}, rebuild,
		},
		"receipt marked as applied": {
			func(b *bed) {
				extra := b.received(event("1", payout.Succeeded, 9))
				b.accept(extra)
				b.queue.DropAll()
				b.markApplied(extra.Key)
			},
			[]audit.Finding{{Kind: audit.FactMissing, Payout: text, Receipt: inbox.NewReceipt(event("1", payout.Succeeded, 9), nil, "", noon).Key.Receipt}}, rebuild,
		},
		"payout deleted": {
			func(b *bed) { b.removePayout(payoutID("1")) },
			[]audit.Finding{{Kind: audit.PayoutMissing, Payout: text}}, rebuild,
		},
		"message lost": {
			func(b *bed) { b.queue.DropAll(); b.now = b.now.Add(time.Hour) },
			[]audit.Finding{{Kind: audit.ReceiptWaiting, Payout: waiting.Payout, Receipt: waiting.Receipt}},
			func(b *bed) {
				if result, err := b.box.Sweep(b.Context(), 100); err != nil || result.Resent != 1 {
					b.Fatalf("%+v, %v", result, err)
				}
				b.consume()
			},
		},
		"received receipt missing from the index": {
			func(b *bed) { b.queue.DropAll(); b.dropFromIndex(waiting) },
			[]audit.Finding{{Kind: audit.ReceiptIndexMismatch, Payout: waiting.Payout, Receipt: waiting.Receipt}},
			func(b *bed) {
				if r, err := b.box.Sweep(b.Context(), 100); err != nil || r.Due != 0 {
					b.Fatalf("the sweeper finds it: %+v, %v", r, err)
				}
				reindex(waiting)(b)
				if r, err := b.box.Sweep(b.Context(), 100); err != nil || r.Resent != 1 {
					b.Fatalf("%+v, %v", r, err)
				}
				b.consume()
			},
		},
		"held receipt missing from the index": {
			func(b *bed) { b.dropFromIndex(held) },
			[]audit.Finding{{Kind: audit.ReceiptIndexMismatch, Payout: held.Payout, Receipt: held.Receipt}}, reindex(held),
		},
		"receipt altered": {
			func(b *bed) { b.corruptReceipt(pending) },
			[]audit.Finding{
				{Kind: audit.PayoutUnchecked, Payout: text}, {Kind: audit.ReceiptDamaged, Payout: pending.Payout, Receipt: pending.Receipt},
			}, nil,
		},
		"held receipt dismissed without payoutctl": {
			func(b *bed) { b.dismiss(held) },
			[]audit.Finding{{Kind: audit.ReceiptUnexplained, Payout: held.Payout, Receipt: held.Receipt}}, nil,
		},
		"receipt of a released event deleted": {
			func(b *bed) { b.removeReceipt(releasedAs); b.removePayout(payoutID("3")) },
			[]audit.Finding{{Kind: audit.ReceiptGone, Payout: released.Payout, Receipt: released.Receipt}},
			func(b *bed) {
				held, _, err := b.editor.Receipt(b.Context(), released)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := b.repairs.Release(b.Context(), held, b.received(event("3", payout.Succeeded, 1)), inbox.ChangedBy{}); err != nil {
					b.Fatal(err)
				}
				b.consume()
			},
		},
	}
}

// The audit finds each defect that a direct write to the tables causes (I1 to I4),
// reports nothing else, and the operator's commands repair it.
func TestAudit_PlantedDefects(t *testing.T) {
	for name, test := range defects() {
		t.Run(name, func(t *testing.T) {
			eachBed(t, func(b *bed) {
				b.fill()
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

// inboxtest.Check checks the same invariants: both find a defect, or neither does.
func TestAudit_AgreesWithInboxtestCheck(t *testing.T) {
	for name, test := range defects() {
		t.Run(name, func(t *testing.T) {
			b := newMemoryBed(t)
			store := b.store.(*memory.Store)
			b.fill()
			b.consume()
			check := func() []string {
				return inboxtest.Check(inboxtest.State{Receipts: store.Receipts(), Records: store.Records()}, nil, true)
			}
			if violations := check(); len(violations) > 0 {
				t.Fatalf("before: %v", violations)
			}
			test.plant(b)
			findings, _ := b.audit()
			violations := check()
			// Check does not see the index, and damage that the store in memory simulates.
			for _, finding := range findings {
				switch finding.Kind {
				case audit.FactUnproven, audit.FactMissing, audit.PayoutMissing, audit.PayoutAltered:
					if len(violations) == 0 {
						t.Errorf("only the audit finds %+v", finding)
					}
				}
			}
			if len(violations) > 0 && len(findings) == 0 {
				t.Errorf("only Check finds %v", violations)
			}
		})
	}
}

// movingSource applies an event to payout 1 before it reads the payout or its
// receipts, so that an earlier read is out of date.
type movingSource struct {
	audit.Source

	b      *bed
	events uint64
	left   int
}

func (m *movingSource) move(ctx context.Context) {
	if m.left > 0 {
		m.left--
		m.events++
		receipt := m.b.received(event("1", payout.Succeeded, 100+m.events))
		if _, err := m.b.box.Apply(ctx, receipt); err != nil {
			m.b.Error(err)
		}
	}
}

func (m *movingSource) ReceiptsOf(ctx context.Context, id payout.ID) iter.Seq2[inbox.Receipt, error] {
	m.move(ctx)
	return m.Source.ReceiptsOf(ctx, id)
}

func (m *movingSource) StoredPayout(ctx context.Context, id payout.ID) (inbox.StoredPayout, error) {
	m.move(ctx)
	return m.Source.StoredPayout(ctx, id)
}

func TestAudit_MovingPayout(t *testing.T) {
	for _, test := range []struct {
		moves        int
		plant        bool
		moving, want int64
	}{
		{moves: 1}, {moves: 2}, {moves: 3}, {moves: 4}, {moves: 5}, {moves: 100, moving: 1}, {moves: 5, plant: true, want: 1},
	} {
		b := newMemoryBed(t)
		b.acceptAndApply(event("1", payout.Pending, 0))
		if test.plant {
			b.alterProgress(payoutID("1"))
			b.removeReceipt(b.received(event("1", payout.Pending, 0)).Key)
		}
		findings, summary := b.audit(func(a *audit.Audit) { a.Source = &movingSource{Source: b.source, b: b, left: test.moves} })
		if int64(len(findings)) != test.want || summary.Moving != test.moving {
			t.Errorf("%d moves: %+v, %d moving", test.moves, findings, summary.Moving)
		}
	}
}

func TestAudit_Window(t *testing.T) {
	eachBed(t, func(b *bed) {
		b.acceptAndApply(event("1", payout.Succeeded, 0))
		b.now = b.now.Add(time.Hour)
		b.acceptAndApply(event("2", payout.Succeeded, 0))
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

func TestAudit_ContextCanceled(t *testing.T) {
	b := newMemoryBed(t)
	b.fill()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := &audit.Audit{Source: b.source, Now: b.now, Report: func(f audit.Finding) { t.Errorf("finding %+v", f) }}
	if _, err := a.Run(ctx); err == nil {
		t.Error("no error")
	}
}

// OPERATIONS.md: a payout whose only receipt was deleted is rebuilt after the
// provider sends the callback again.
func TestAudit_DeletedReceiptSentAgain(t *testing.T) {
	eachBed(t, func(b *bed) {
		e := event("1", payout.Succeeded, 0)
		b.acceptAndApply(e)
		b.removeReceipt(b.received(e).Key)
		changedBy := inbox.NewChangedBy("alice", "why", b.now)
		if findings, _ := b.audit(); len(findings) != 1 || findings[0].Kind != audit.FactUnproven {
			b.Fatalf("findings %+v", findings)
		}
		if plan, err := b.repairs.Rebuild(b.Context(), e.ID, changedBy); err != nil || plan.Verdict != repair.NoReceipts {
			b.Fatal(plan.Verdict, err)
		}
		b.acceptAndApply(e)
		if _, err := b.repairs.Rebuild(b.Context(), e.ID, changedBy); err != nil {
			b.Fatal(err)
		}
		if findings, _ := b.audit(); len(findings) > 0 {
			b.Errorf("findings %+v", findings)
		}
	})
}
