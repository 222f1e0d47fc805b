package simulation

import (
	"bytes"
	"context"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/inboxtest"
)

// telling is something that a provider wants us to know, until it believes
// that we do.
type delivery struct {
	provider string
	account  string
	kind     payout.Type
	event    payout.Event // what it means; zero where we cannot understand it
	write    func() []byte

	signed       callback.Request // as it was sent last
	key          callback.Key     // with which it was signed
	attempts     int
	acknowledged bool // acknowledged
}

// pivotRetries are the waits after which Pivot tries again by itself, after an
// answer of 5xx, 408 or 429 (docs/api-references/api-information/callback).
var pivotRetries = []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour}

// tell sends a callback, and again until it is acknowledged.
func (w *world) deliver(t *delivery) { w.send(t, true) }

// send sends it once: written and signed anew, or as it was sent the first time.
func (w *world) send(t *delivery, fresh bool) {
	if fresh || t.signed.Body == nil {
		t.signed = w.sign(t)
	}
	request := t.signed
	key := w.expect(t, request)
	t.attempts++
	w.tally.Callbacks++
	w.notef("%s tells %s %s for the %d. time", t.provider, key.Payout, key.Receipt, t.attempts)
	valid := w.secrets.valid(t)
	reply := w.ingress(t.provider, request)
	w.notef("%s is answered %d", t.provider, reply.Code)
	if acknowledges(t.provider, reply) {
		w.tally.Acknowledged++
		w.acknowledged = append(w.acknowledged, key)
		w.changed = true
		w.repeat(t)
		return
	}
	if reply.Code == 401 && valid {
		w.complainf("I7: an authentic callback of %s was refused", t.provider)
	}
	w.tryAgain(t, reply)
}

// repeat sends what was acknowledged once more, now and then: the answer got
// lost on its way, or somebody wanted to be sure.
func (w *world) repeat(t *delivery) {
	t.acknowledged = true
	if w.disabled&Repeats != 0 || t.attempts > 3 || !w.chance(25) {
		return
	}
	fresh := w.chance(50)
	w.after(w.between(time.Millisecond, pick(w, time.Second, time.Hour, 48*time.Hour)), func() { w.send(t, fresh) })
}

// tryAgain does what the provider does about an answer that is none: Pivot
// tries again by itself, but only after some answers and only so often; Cregis
// never does. What is left is a person who looks, hours later.
func (w *world) tryAgain(t *delivery, reply callback.Reply) {
	again := reply.Code >= 500 || reply.Code == 408 || reply.Code == 429
	if t.acknowledged {
		return // a repeat that failed; nobody misses it
	}
	if t.provider == "pivot" && again && t.attempts <= len(pivotRetries) {
		w.after(pivotRetries[t.attempts-1], func() { w.send(t, false) })
		return
	}
	// An old signature is refused for ever once its key is gone.
	fresh := reply.Code == 401 || w.chance(50)
	w.after(w.between(time.Hour, 24*time.Hour), func() { w.send(t, fresh) })
}

// acknowledges reports how the provider reads an answer.
func acknowledges(provider string, reply callback.Reply) bool {
	if provider == "cregis" {
		return reply.Body == "success"
	}
	return reply.Code == 200
}

func (w *world) sign(t *delivery) callback.Request {
	t.key = w.secrets.used[t.provider][t.account]
	body, header, err := providers[t.provider].Sign(t.write(), t.key)
	if err != nil {
		w.complainf("sign: %v", err)
	}
	return callback.NewRequest(t.kind, header, body)
}

// expect notes what the callback means, as its provider knows it, before we
// have seen it.
func (w *world) expect(t *delivery, request callback.Request) inbox.Key {
	receipt := inbox.NewReceipt(t.event, request.Body, "", w.now)
	if t.event.ID == "" {
		receipt = callback.NewReceipt(providers[t.provider], providers[t.provider].Restore(request, callback.Sender{Account: t.account}), w.now)
		if receipt.State != inbox.Held {
			w.complainf("not held: %s", request.Body)
		}
	}
	w.expectFact(fact{key: receipt.Key, event: t.event}, request.Body)
	return receipt.Key
}

func (w *world) expectFact(f fact, body []byte) {
	if _, before := w.delivered[f.key]; !before {
		id := f.event.ID
		if f.decision != nil {
			id = f.decision.ID
		}
		w.expected[id] = append(w.expected[id], f)
	}
	w.delivered[f.key] = append(w.delivered[f.key], string(bytes.Clone(body)))
}

// resolve is a person who ends a conflict, and tries until it is done.
func (w *world) resolve(decision payout.Resolution) {
	receipt := inbox.NewResolutionReceipt(decision, "the bank says so", w.now)
	w.expectFact(fact{key: receipt.Key, decision: &decision}, nil)
	var err error
	alive := w.process("payoutctl", func(ctx context.Context, _ *inboxtest.Process, box *inbox.Inbox) {
		_, err = box.Accept(ctx, receipt)
	})
	if alive && err == nil {
		w.acknowledged = append(w.acknowledged, receipt.Key)
		return
	}
	w.after(w.between(time.Minute, time.Hour), func() { w.resolve(decision) })
}
