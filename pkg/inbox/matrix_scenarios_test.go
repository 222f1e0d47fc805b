package inbox_test

import (
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// scenario is something that happens to the application, without faults of
// its own unless it is about one.
type scenario struct {
	name     string
	act      func(r *run)
	overlaps bool          // two processes run at once
	want     payout.Status // of every payout in the end; "" where there is none
}

var (
	onePayout = payout.NewID("cregis", payout.TypePayout, "1382528827416576", "1391751691788288", "")
	oneBatch  = payout.NewID("pivot", payout.TypeBatch, "922e39ab", "d6a46a2c", "")
)

func (r *run) told1(status payout.Status, edit ...func(*payout.Event)) inbox.Receipt {
	e := payout.Event{ID: onePayout, Status: status, Amount: "1.1", Currency: "TRX", Reference: "PAY-1"}
	for _, item := range edit {
		item(&e)
	}
	return inbox.NewReceipt(e, []byte("a body"), "0a1b2c3d", r.now)
}

func (r *run) toldBatch(status payout.Status, pending, succeeded int64) inbox.Receipt {
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

func (r *run) decision() inbox.Receipt {
	return inbox.NewResolutionReceipt(payout.Resolution{
		ID:       onePayout,
		Trusted:  map[payout.Field]string{payout.FieldStatus: string(payout.Succeeded)},
		Rejected: map[payout.Field][]string{payout.FieldStatus: {string(payout.Failed)}},
	}, "the bank says so", r.now)
}

func amount(a payout.Amount) func(*payout.Event) { return func(e *payout.Event) { e.Amount = a } }

func reason(text string) func(*payout.Event) { return func(e *payout.Event) { e.Reason = text } }

// recover is the system's own repair, under the same faults as what it repairs.
func (r *run) recover() {
	r.pass(4 * time.Minute)
	r.sweep()
	r.consume()
}

func (r *run) tell(receipts ...inbox.Receipt) {
	for _, receipt := range receipts {
		r.accept(receipt)
		r.consume()
	}
	r.recover()
}

func scenarios() []scenario {
	item := func(receipts func(r *run) []inbox.Receipt) func(r *run) {
		return func(r *run) { r.tell(receipts(r)...) }
	}
	return append([]scenario{
		{name: "new", want: payout.Succeeded, act: item(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.told1(payout.Succeeded)}
		})},
		{name: "redelivery", want: payout.Succeeded, act: item(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.told1(payout.Succeeded), r.told1(payout.Succeeded)}
		})},
		{name: "pending, then final", want: payout.Failed, act: item(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.told1(payout.Delayed), r.told1(payout.Failed)}
		})},
		{name: "final, then a late pending", want: payout.Succeeded, act: item(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.told1(payout.Succeeded), r.told1(payout.Delayed)}
		})},
		{name: "two finals", want: payout.Conflicted, act: item(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.told1(payout.Succeeded), r.told1(payout.Failed)}
		})},
		{name: "same payout, other amount", want: payout.Conflicted, act: item(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.told1(payout.Succeeded), r.told1(payout.Succeeded, amount("1.2"))}
		})},
		{name: "bulk pending, then done", want: payout.Done, act: item(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.toldBatch(payout.Pending, 2, 0), r.toldBatch(payout.Done, 0, 2)}
		})},
		{name: "held, and held again", act: item(func(r *run) []inbox.Receipt {
			return []inbox.Receipt{r.heldCallback(), r.heldCallback()}
		})},
		{name: "resolution, then a re-push of the rejected value", want: payout.Succeeded, act: func(r *run) {
			r.faulty = false // the conflict is there already
			r.tell(r.told1(payout.Succeeded), r.told1(payout.Failed))
			r.faulty = true
			r.tell(r.decision(), r.told1(payout.Failed, reason("told again")))
		}},
		{name: "a batch with a poison message", want: payout.Conflicted, act: func(r *run) {
			r.accept(r.told1(payout.Succeeded))
			r.sendForeign()
			r.accept(r.told1(payout.Failed))
			r.consume()
			r.recover()
		}},
	}, overlaps()...)
}

// overlaps are the scenarios in which two processes run at once, and those in
// which the table is down for longer than the queue tries.
func overlaps() []scenario {
	return []scenario{
		{name: "two deliveries at once", overlaps: true, want: payout.Succeeded, act: func(r *run) {
			r.overlap(func() { r.accept(r.told1(payout.Succeeded)) }, func() { r.accept(r.told1(payout.Succeeded)) })
			r.consume()
			r.recover()
		}},
		{name: "the consumer in the middle of an accept", overlaps: true, want: payout.Conflicted, act: func(r *run) {
			r.accept(r.told1(payout.Failed))
			r.overlap(func() { r.accept(r.told1(payout.Succeeded)) }, r.consume)
			r.consume()
			r.recover()
		}},
		{name: "two consumers at once", overlaps: true, want: payout.Conflicted, act: func(r *run) {
			r.accept(r.told1(payout.Failed))
			r.accept(r.told1(payout.Succeeded))
			r.pass(time.Minute)
			r.overlap(r.consumeOne, r.consumeOne)
			r.recover()
		}},
		{name: "the sweeper in the middle of the consumer", overlaps: true, want: payout.Succeeded, act: func(r *run) {
			r.accept(r.told1(payout.Succeeded))
			r.pass(3 * time.Minute)
			r.overlap(r.consume, r.sweep)
			r.recover()
		}},
		{name: "the consumer in the middle of the sweeper", overlaps: true, want: payout.Succeeded, act: func(r *run) {
			r.accept(r.told1(payout.Succeeded))
			r.pass(3 * time.Minute)
			r.overlap(r.sweep, r.consume)
			r.recover()
		}},
		{name: "two sweepers at once", overlaps: true, want: payout.Conflicted, act: func(r *run) {
			r.byRecord(r.told1(payout.Succeeded), r.told1(payout.Failed))
			r.pass(3 * time.Minute)
			r.overlap(r.sweep, r.sweep)
			r.consume()
		}},
		{name: "the table is down until an event is a dead letter", want: payout.Succeeded, act: func(r *run) {
			r.outlast(r.told1(payout.Succeeded))
		}},
		{name: "the table is down until a held callback is a dead letter", act: func(r *run) {
			r.outlast(r.heldCallback())
		}},
		{name: "two sweepers adopt at once", overlaps: true, want: payout.Succeeded, act: func(r *run) {
			r.byDeadLetter(r.told1(payout.Succeeded))
			r.overlap(r.sweep, r.sweep)
			r.recover()
		}},
	}
}

// byRecord leaves behind receipts that were accepted while the queue was down.
func (r *run) byRecord(receipts ...inbox.Receipt) {
	for _, receipt := range receipts {
		r.told[receipt.Key] = []string{string(receipt.Body)}
		r.acknowledged = append(r.acknowledged, receipt.Key)
		if _, err := r.store.Create(r.ctx, receipt); err != nil {
			r.complainf("set up: %v", err)
		}
	}
}

// byDeadLetter leaves behind a receipt that was accepted while the table was
// down, for longer than the queue tried.
func (r *run) byDeadLetter(receipt inbox.Receipt) {
	r.told[receipt.Key] = []string{string(receipt.Body)}
	r.acknowledged = append(r.acknowledged, receipt.Key)
	r.queue.DeadLetter(inbox.DeadLetter{Receipt: receipt})
}

// consumeOne is a consumer that was given one message.
func (r *run) consumeOne() { r.consumeMost(1) }

// outlast accepts while the table is down, and keeps it down until the queue
// has given the message up.
func (r *run) outlast(receipt inbox.Receipt) {
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
