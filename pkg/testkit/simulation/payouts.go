package simulation

import (
	"fmt"
	"strings"
	"time"

	"payout-callbacks/pkg/payout"
)

// begin puts a history's payouts on the agenda, and what else happens.
func (w *world) begin() {
	count := 1 + w.rand.IntN(4)
	if w.disabled&Companions != 0 {
		count = 1
	}
	for n := range count {
		script := pick(w, w.cregisPayout, w.pivotPayout, w.pivotBatch)(n)
		start := w.between(0, w.clear.Sub(w.now))
		for _, s := range script {
			w.after(start+s.wait, s.act)
			if w.disabled&Forgeries == 0 && s.delivery != nil && w.chance(20) {
				w.after(start+s.wait+w.between(0, time.Hour), func() { w.forge(s.delivery) })
			}
		}
	}
	if w.chance(30) && w.disabled&Rotation == 0 {
		provider := pick(w, "cregis", "pivot")
		w.after(w.between(0, w.clear.Sub(w.now)), func() { w.secrets.rotate(provider, accounts[provider][0]) })
	}
	if w.chance(10) {
		w.after(w.between(0, time.Hour), func() { w.unreadable++; w.queue.SendUnreadable() })
	}
}

// happening is one line of a payout's script.
type step struct {
	wait     time.Duration
	act      func()
	delivery *delivery
}

func (w *world) delivery(wait time.Duration, t *delivery) step {
	return step{wait: wait, act: func() { w.deliver(t) }, delivery: t}
}

// soon is when a provider tells the next thing about a payout: at once, so that
// callbacks overtake each other, or later.
func (w *world) soon() time.Duration {
	return w.between(0, pick(w, time.Second, 10*time.Minute, 10*time.Hour))
}

var cregisStatuses = map[int]payout.Event{
	2: {Status: payout.Rejected, Reason: "signature"},
	4: {Status: payout.Rejected, Reason: "approval"},
	6: {Status: payout.Succeeded},
	7: {Status: payout.Failed},
}

// cregisPayout has one final status; some have another one besides, or another
// amount, and a person decides about some of those.
func (w *world) cregisPayout(n int) []step {
	id := fmt.Sprint(1391751691788288 + n)
	status := pick(w, 6, 6, 6, 7, 2, 4)
	script := []step{w.delivery(w.soon(), w.cregis(id, status, "1.10"))}
	if w.chance(10) {
		script = append(script, w.delivery(w.soon(), w.cregis(id, 5, "1.10")))
	}
	if w.chance(10) {
		script = append(script, w.delivery(w.soon(), w.cregis(id, status, "1.2")))
	}
	if w.chance(20) {
		other := 6
		if status == 6 {
			other = 7
		}
		script = append(script, w.delivery(w.soon(), w.cregis(id, other, "1.1")), w.decision(payout.Resolution{
			ID:       payout.NewID("cregis", payout.TypePayout, accounts["cregis"][0], id, ""),
			Trusted:  map[payout.Field]string{payout.FieldStatus: string(cregisStatuses[status].Status)},
			Rejected: map[payout.Field][]string{payout.FieldStatus: {string(cregisStatuses[other].Status)}},
		}))
	}
	return script
}

// decision is a person's, made or not.
func (w *world) decision(decision payout.Resolution) step {
	ok := w.chance(50)
	return step{wait: w.between(time.Hour, 20*time.Hour), act: func() {
		if ok {
			w.resolve(decision)
		}
	}}
}

func (w *world) cregis(id string, status int, amount string) *delivery {
	account := accounts["cregis"][0]
	event := cregisStatuses[status]
	txid, height, mined := "", uint64(0), int64(0)
	if status >= 6 {
		txid, height, mined = strings.Repeat("6d", 32), 34527604+w.rand.Uint64N(2), 1686814482000
	}
	if event.Status != "" {
		event.ID = payout.NewID("cregis", payout.TypePayout, account, id, "")
		event.Reference, event.Amount = "PAY-"+id, payout.Amount(strings.TrimSuffix(amount, "0"))
		event.Currency, event.Chain, event.Token = "TRX", "195", "195"
		event.To, event.TxID, event.BlockHeight, event.BlockTime = "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", txid, height, mined
	}
	block := `""`
	if height > 0 {
		block = fmt.Sprintf(`"%d"`, height)
	}
	write := func() []byte {
		return fmt.Appendf(nil, `{"pid":%s,"cid":%s,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195","token_id":"195",`+
			`"currency":"TRX","amount":"%s","third_party_id":"PAY-%s","remark":"payout","status":%d,"txid":"%s",`+
			`"block_height":%s,"block_time":%d,"nonce":"%06d","timestamp":%d,"sign":""}`,
			account, id, amount, id, status, txid, block, mined, w.rand.IntN(1e6), w.now.UnixMilli())
	}
	return &delivery{provider: "cregis", account: account, kind: payout.TypePayout, event: event, write: write}
}

var pivotStatuses = map[string]payout.Status{
	"PENDING": payout.Pending, "DELAYED": payout.Delayed, "DONE": payout.Done, "CANCELLED": payout.Cancelled,
	"SUCCESS": payout.Succeeded, "FAILED": payout.Failed,
}

func (w *world) pivotPayout(n int) []step {
	final := pick(w, "SUCCESS", "SUCCESS", "FAILED")
	script := []step{w.delivery(w.soon(), w.pivotSingle(n, final))}
	if w.chance(30) {
		script = append(script, w.delivery(w.soon(), w.pivotSingle(n, "DELAYED")))
	}
	if w.chance(15) {
		script = append(script, w.delivery(w.soon(), w.pivotSingle(n, "SUCCESS")), w.delivery(w.soon(), w.pivotSingle(n, "FAILED")))
	}
	if w.chance(10) {
		script = append(script, w.delivery(w.soon(), w.pivot(payout.Event{}, `{"event":"PAYMENT.TEST"}`)))
	}
	return script
}

func (w *world) pivotSingle(n int, word string) *delivery {
	account, uuid, reference := accounts["pivot"][0], fmt.Sprintf("d6a46a2c-1b26-40c5-9ca3-%012d", n), fmt.Sprintf("REF-%d", n)
	reason, text := "null", ""
	if word == "FAILED" {
		text = "Invalid Account"
		reason = `"` + text + `"`
	}
	return w.pivot(payout.Event{
		ID:        payout.NewID("pivot", payout.TypePayout, account, uuid, reference),
		Reference: reference, Status: pivotStatuses[word], Reason: text, Amount: "100000", Currency: "IDR",
	}, fmt.Sprintf(`{"event":"PAYOUT.%s","data":{"uuid":"%s","merchantId":"%s","payouts":{"referenceId":"%s",`+
		`"amount":{"currency":"IDR","value":"100000"},"status":"%s","reason":%s}}}`, word, uuid, account, reference, word, reason))
}

// pivotBatch is a bulk request: not sent for want of money, or done at once,
// with items at the partner first; some contradict themselves.
func (w *world) pivotBatch(n int) []step {
	script := []step{w.delivery(w.soon(), w.pivotBulk(n, pick(w, "DONE", "DONE", "CANCELLED"), 0, 3))}
	for _, word := range []string{"PENDING", "DELAYED", "DONE"} {
		if w.chance(30) {
			script = append(script, w.delivery(w.soon(), w.pivotBulk(n, word, 2, 1)))
		}
	}
	if w.chance(10) {
		script = append(script, w.delivery(w.soon(), w.pivotBulk(n, "DONE", 0, 4)))
	}
	return script
}

func (w *world) pivotBulk(n int, word string, pending, settled int64) *delivery {
	account, uuid := accounts["pivot"][0], fmt.Sprintf("d6a46a2c-1b26-40c5-9ca3-%012d", n)
	tally := func(count int64) payout.Tally {
		return payout.Tally{Count: count, Amount: payout.Amount(fmt.Sprint(count * 1000))}
	}
	totals := payout.Totals{Pending: tally(pending), Succeeded: tally(settled), Failed: tally(0), Cancelled: tally(0)}
	if word == "CANCELLED" {
		totals.Succeeded, totals.Cancelled = totals.Cancelled, totals.Succeeded
	}
	var results []string
	for _, item := range []struct {
		name string
		of   payout.Tally
	}{{"Pending", totals.Pending}, {"Success", totals.Succeeded}, {"Failed", totals.Failed}, {"Cancelled", totals.Cancelled}} {
		results = append(results, fmt.Sprintf(`"total%sCount":%d,"total%sAmount":%s`, item.name, item.of.Count, item.name, item.of.Amount))
	}
	return w.pivot(
		payout.Event{ID: payout.NewID("pivot", payout.TypeBatch, account, uuid, ""), Status: pivotStatuses[word], Totals: totals},
		fmt.Sprintf(`{"event":"PAYOUT.%s","data":{"uuid":"%s","merchantId":"%s","payoutResults":{%s},"status":"%s"}}`,
			word, uuid, account, strings.Join(results, ","), word))
}

func (*world) pivot(event payout.Event, body string) *delivery {
	return &delivery{
		provider: "pivot", account: accounts["pivot"][0], kind: payout.TypePayout, event: event,
		write: func() []byte { return []byte(body) },
	}
}
