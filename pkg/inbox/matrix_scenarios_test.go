package inbox_test

import (
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// scenario is a sequence of callbacks, deliveries and sweeps. The matrix adds the
// faults.
type scenario struct {
	name     string
	act      func(r *run)
	overlaps bool          // two processes run at once
	want     payout.Status // of every payout in the end; "" if the scenario has no payout
}

var (
	onePayout = payout.NewID("cregis", payout.TypePayout, "1382528827416576", "1391751691788288", "")
	oneBatch  = payout.NewID("pivot", payout.TypeBatch, "922e39ab", "d6a46a2c", "")
)

func (r *run) event(status payout.Status, edit ...func(*payout.Event)) inbox.Receipt {
	e := payout.Event{ID: onePayout, Status: status, Amount: "1.1", Currency: "TRX", Reference: "PAY-1"}
	for _, item := range edit {
		item(&e)
	}
	return inbox.NewReceipt(e, []byte("a body"), "0a1b2c3d", r.now)
}

func (r *run) batchEvent(status payout.Status, pending, succeeded int64) inbox.Receipt {
	e := payout.Event{ID: oneBatch, Status: status, Totals: payout.Totals{
		Pending: payout.Tally{Count: pending, Amount: "5"}, Succeeded: payout.Tally{Count: succeeded, Amount: "5"},
	}}
	if pending == 0 {
		e.Totals.Pending.Amount, e.Totals.Succeeded.Amount = "0", "10"
	}
	return inbox.NewReceipt(e, []byte("a bulk body"), "0a1b2c3d", r.now)
}

func (r *run) heldCallback() inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: "1382528827416576", Subject: []byte("s"), Reason: "unknown-status", Note: "status is 9",
	}, []byte("a held body"), "0a1b2c3d", r.now)
}

func (r *run) resolution() inbox.Receipt {
	return inbox.NewResolutionReceipt(payout.Resolution{
		ID:       onePayout,
		Trusted:  map[payout.Field]string{payout.FieldStatus: string(payout.Succeeded)},
		Rejected: map[payout.Field][]string{payout.FieldStatus: {string(payout.Failed)}},
	}, "confirmed by the bank", r.now)
}

func amount(a payout.Amount) func(*payout.Event) { return func(e *payout.Event) { e.Amount = a } }

func reason(text string) func(*payout.Event) { return func(e *payout.Event) { e.Reason = text } }

// recover sweeps and consumes, under the same faults as the rest of the scenario.
func (r *run) recover() {
	r.pass(4 * time.Minute)
	r.sweep()
	r.consume()
}

// deliver accepts and consumes the receipts one after the other.
func (r *run) deliver(receipts ...inbox.Receipt) {
	for _, receipt := range receipts {
		r.accept(receipt)
		r.consume()
	}
	r.recover()
}

func scenarios() []scenario {
	deliver := func(receipts func(r *run) []inbox.Receipt) func(r *run) {
		return func(r *run) { r.deliver(receipts(r)...) }
	}
	return append([]scenario{
		{name: "new", want: payout.Succeeded, act: deliver(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.event(payout.Succeeded)}
		})},
		{name: "redelivery", want: payout.Succeeded, act: deliver(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.event(payout.Succeeded), r.event(payout.Succeeded)}
		})},
		{name: "pending, then final", want: payout.Failed, act: deliver(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.event(payout.Delayed), r.event(payout.Failed)}
		})},
		{name: "final, then a late pending", want: payout.Succeeded, act: deliver(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.event(payout.Succeeded), r.event(payout.Delayed)}
		})},
		{name: "two finals", want: payout.Conflicted, act: deliver(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.event(payout.Succeeded), r.event(payout.Failed)}
		})},
		{name: "same payout, other amount", want: payout.Conflicted, act: deliver(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.event(payout.Succeeded), r.event(payout.Succeeded, amount("1.2"))}
		})},
		{name: "bulk pending, then done", want: payout.Done, act: deliver(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.batchEvent(payout.Pending, 2, 0), r.batchEvent(payout.Done, 0, 2)}
		})},
		{name: "held twice", act: deliver(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.heldCallback(), r.heldCallback()}
		})},
		{name: "resolution, then a replay of the rejected value", want: payout.Succeeded, act: func(r *run) {
			r.faulty = false // the conflict exists before the faults
			r.deliver(r.event(payout.Succeeded), r.event(payout.Failed))
			r.faulty = true
			r.deliver(r.resolution(), r.event(payout.Failed, reason("sent again")))
		}},
		{name: "a batch with an unreadable message", want: payout.Conflicted, act: func(r *run) {
			r.accept(r.event(payout.Succeeded))
			r.sendUnreadable()
			r.accept(r.event(payout.Failed))
			r.consume()
			r.recover()
		}},
	}, overlaps()...)
}

// overlaps returns the scenarios in which two processes run at once, and those in
// which the store is down for longer than the queue redelivers.
func overlaps() []scenario {
	return []scenario{
		{name: "two deliveries at once", overlaps: true, want: payout.Succeeded, act: func(r *run) {
			r.overlap(func() { r.accept(r.event(payout.Succeeded)) }, func() { r.accept(r.event(payout.Succeeded)) })
			r.consume()
			r.recover()
		}},
		{name: "the consumer in the middle of an accept", overlaps: true, want: payout.Conflicted, act: func(r *run) {
			r.accept(r.event(payout.Failed))
			r.overlap(func() { r.accept(r.event(payout.Succeeded)) }, r.consume)
			r.consume()
			r.recover()
		}},
		{name: "two consumers at once", overlaps: true, want: payout.Conflicted, act: func(r *run) {
			r.accept(r.event(payout.Failed))
			r.accept(r.event(payout.Succeeded))
			r.pass(time.Minute)
			r.overlap(r.consumeOne, r.consumeOne)
			r.recover()
		}},
		{name: "the sweeper in the middle of the consumer", overlaps: true, want: payout.Succeeded, act: func(r *run) {
			r.accept(r.event(payout.Succeeded))
			r.pass(3 * time.Minute)
			r.overlap(r.consume, r.sweep)
			r.recover()
		}},
		{name: "the consumer in the middle of the sweeper", overlaps: true, want: payout.Succeeded, act: func(r *run) {
			r.accept(r.event(payout.Succeeded))
			r.pass(3 * time.Minute)
			r.overlap(r.sweep, r.consume)
			r.recover()
		}},
		{name: "two sweepers at once", overlaps: true, want: payout.Conflicted, act: func(r *run) {
			r.acceptStoreOnly(r.event(payout.Succeeded), r.event(payout.Failed))
			r.pass(3 * time.Minute)
			r.overlap(r.sweep, r.sweep)
			r.consume()
		}},
		{name: "the store is down until an event is a dead letter", want: payout.Succeeded, act: func(r *run) {
			r.acceptDuringOutage(r.event(payout.Succeeded))
		}},
		{name: "the store is down until a held callback is a dead letter", act: func(r *run) {
			r.acceptDuringOutage(r.heldCallback())
		}},
		{name: "two sweepers recover at once", overlaps: true, want: payout.Succeeded, act: func(r *run) {
			r.acceptDeadLetter(r.event(payout.Succeeded))
			r.overlap(r.sweep, r.sweep)
			r.recover()
		}},
	}
}

// acceptStoreOnly stores receipts as Accept does while the queue is down.
func (r *run) acceptStoreOnly(receipts ...inbox.Receipt) {
	for _, receipt := range receipts {
		r.delivered[receipt.Key] = []string{string(receipt.Body)}
		r.acknowledged = append(r.acknowledged, receipt.Key)
		if _, err := r.store.Create(r.ctx, receipt); err != nil {
			r.failf("set up: %v", err)
		}
	}
}

// acceptDeadLetter leaves a receipt in the dead-letter queue, as after an outage of
// the store.
func (r *run) acceptDeadLetter(receipt inbox.Receipt) {
	r.delivered[receipt.Key] = []string{string(receipt.Body)}
	r.acknowledged = append(r.acknowledged, receipt.Key)
	r.queue.DeadLetter(inbox.DeadLetter{Receipt: receipt})
}

// consumeOne consumes one message.
func (r *run) consumeOne() { r.consumeUpTo(1) }

// acceptDuringOutage accepts while the store is down, and keeps it down until the
// message is in the dead-letter queue.
func (r *run) acceptDuringOutage(receipt inbox.Receipt) {
	r.storeDown = true
	r.accept(receipt)
	for range r.queue.MaxReceives + 1 {
		r.consume()
		r.pass(15 * time.Minute)
	}
	r.storeDown = false
	r.recover()
	r.recover()
}
