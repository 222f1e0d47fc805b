package simulation

import (
	"context"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/traffic"
)

// plan puts the payouts of a history on the agenda, and events beside them.
func (w *world) plan() {
	count := 1 + w.rand.IntN(4)
	if w.disabled&Companions != 0 {
		count = 1
	}
	for n := range count {
		start := w.between(0, w.clear.Sub(w.now))
		steps := traffic.NewPayout(w.rand, n)
		t := w.newTruth(start, steps)
		w.truths = append(w.truths, t)
		w.planExpectation(t, start)
		lost := w.lose(t, steps)
		for n, step := range steps {
			if lost[n] {
				continue
			}
			if step.Resolution != nil {
				w.after(start+step.Wait, func() { w.resolve(*step.Resolution) })
				continue
			}
			d := &delivery{Callback: step.Callback}
			w.after(start+step.Wait, func() { w.send(d, true) })
			if w.disabled&Forgeries == 0 && w.chance(20) {
				w.after(start+step.Wait+w.between(0, time.Hour), func() { w.forge(d) })
			}
		}
	}
	w.planStrangers()
	w.planAPIKeys()
	if w.chance(30) && w.disabled&Rotation == 0 {
		provider := pick(w, traffic.ProviderNames()...)
		w.after(w.between(0, w.clear.Sub(w.now)), func() { w.secrets.rotate(provider, traffic.Accounts(provider)[0]) })
	}
	if w.chance(10) {
		w.after(w.between(0, time.Hour), func() { w.unreadable++; w.queue.SendUnreadable() })
	}
}

// delivery is a callback that its provider sends until it is acknowledged.
type delivery struct {
	traffic.Callback

	request        callback.Request // as it was sent last
	key            callback.Key     // that signed it
	attempts       int
	isAcknowledged bool
}

// send sends a callback once: freshly signed, or the bytes of the last attempt.
func (w *world) send(d *delivery, fresh bool) {
	if fresh || d.request.Body == nil {
		d.key = w.secrets.used[d.Provider][d.Account()]
		request, err := d.Sign(w.rand, w.now, d.key)
		if err != nil {
			w.complainf("%v", err)
		}
		d.request = request
	}
	receipt, err := d.Receipt(d.request, w.now)
	if err != nil {
		w.complainf("%v", err)
	}
	w.ledger.Deliver(receipt)
	if d.Held.ID != "" {
		w.meant[receipt.Key] = d.Held.Status
	}
	d.attempts++
	w.tally.Callbacks++
	w.notef("%s sends %s %s, attempt %d", d.Provider, receipt.Key.Payout, receipt.Key.Receipt, d.attempts)
	isValid := w.secrets.isValid(d)
	reply := w.ingress(d.Provider, d.request)
	w.notef("%s receives %d", d.Provider, reply.Code)
	if traffic.Acknowledges(d.Provider, reply.Code, reply.Body) {
		w.tally.Acknowledged++
		w.ledger.Acknowledge(receipt.Key)
		w.changed = true
		w.repeat(d)
		return
	}
	if reply.Code == 401 && isValid {
		w.complainf("I7: an authentic callback of %s was refused", d.Provider)
	}
	w.retry(d, reply)
}

// repeat sends some acknowledged callbacks again: the answer was lost, or an
// operator pushed the callback again.
func (w *world) repeat(d *delivery) {
	d.isAcknowledged = true
	if w.disabled&Repeats != 0 || d.attempts > 3 || !w.chance(25) {
		return
	}
	fresh := w.chance(50)
	w.after(w.between(time.Millisecond, pick(w, time.Second, time.Hour, 48*time.Hour)), func() { w.send(d, fresh) })
}

// retry does what the provider does after an answer that is no acknowledgement.
// What its description leaves is an operator who pushes the callback again, hours later.
func (w *world) retry(d *delivery, reply callback.Reply) {
	if d.isAcknowledged {
		return // a repeat that failed; nobody sends it again
	}
	if wait, ok := traffic.ProviderNamed(d.Provider).Retries.Wait(d.attempts, reply.Code); ok {
		w.after(wait, func() { w.send(d, false) })
		return
	}
	// A signature stays refused once its key is retired.
	fresh := reply.Code == 401 || w.chance(50)
	w.after(w.between(time.Hour, 24*time.Hour), func() { w.send(d, fresh) })
}

// forge sends a forged callback, which must be refused.
func (w *world) forge(d *delivery) {
	if d.request.Body == nil {
		return
	}
	request, err := traffic.Forge(w.rand, d.Provider, d.request, w.secrets.used[d.Provider][traffic.Accounts(d.Provider)[1]])
	if err != nil {
		w.complainf("%v", err)
	}
	w.tally.Forged++
	w.notef("a forged callback of %s arrives", d.Provider)
	reply := w.ingress(d.Provider, request)
	if traffic.Acknowledges(d.Provider, reply.Code, reply.Body) || reply.Code != 401 && reply.Code < 500 {
		w.complainf("I6: a forged callback of %s was answered %d %q", d.Provider, reply.Code, reply.Body)
	}
}

// resolve is an operator who resolves a conflict and retries until it succeeds.
func (w *world) resolve(resolution payout.Resolution) {
	receipt := inbox.NewResolutionReceipt(resolution, "confirmed by the bank", w.now)
	w.ledger.Deliver(receipt)
	var err error
	hasEnded := w.process("payoutctl", func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) {
		_, err = box.Accept(ctx, receipt)
	})
	if hasEnded && err == nil {
		w.ledger.Acknowledge(receipt.Key)
		return
	}
	w.after(w.between(time.Minute, time.Hour), func() { w.resolve(resolution) })
}
