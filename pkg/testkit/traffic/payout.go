package traffic

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"payout-callbacks/pkg/payout"
)

// Step is something that happens to a payout: a callback, or the resolution of
// a conflict by an operator.
type Step struct {
	Wait       time.Duration // from the start of the payout
	Callback   Callback
	Resolution *payout.Resolution // in place of a callback
}

// NewPayout returns the steps of payout number n.
func NewPayout(random *rand.Rand, n int) []Step {
	s := script{Rand: random, number: n}
	pick(random, s.cregisPayout, s.pivotPayout, s.pivotBatch)()
	return s.steps
}

// script collects the steps of one payout.
type script struct {
	*rand.Rand

	number int
	steps  []Step
}

// send adds a callback: the next one follows at once, so that callbacks
// overtake each other, or after minutes, or after hours.
func (s *script) send(c Callback) {
	longest := pick(s.Rand, time.Second, 10*time.Minute, 10*time.Hour)
	s.steps = append(s.steps, Step{Wait: time.Duration(s.Int64N(int64(longest))), Callback: c})
}

func (s *script) chance(percent int) bool { return s.IntN(100) < percent }

var cregisStatuses = map[int]payout.Event{
	2: {Status: payout.Rejected, Reason: "signature"},
	4: {Status: payout.Rejected, Reason: "approval"},
	6: {Status: payout.Succeeded},
	7: {Status: payout.Failed},
}

// cregisPayout has one final status. Some payouts have another final status or
// another amount as well, and an operator resolves half of the conflicts of
// status.
func (s *script) cregisPayout() {
	kind, status := payout.TypePayout, pick(s.Rand, 6, 6, 6, 7, 2, 4)
	if s.chance(15) {
		kind, status = payout.TypeSubAddressPayout, 6
	}
	s.send(s.cregis(kind, status, "1.10"))
	if s.chance(10) {
		s.send(s.cregisUnknownField(kind, status))
	}
	if s.chance(10) {
		s.send(s.cregis(kind, 5, "1.10"))
	}
	if s.chance(10) {
		s.send(s.cregis(kind, status, "1.2"))
	}
	if !s.chance(20) {
		return
	}
	other := 6
	if status == 6 {
		other = 7
	}
	second := s.cregis(kind, other, "1.1")
	s.send(second)
	if s.chance(50) {
		wait := time.Hour + time.Duration(s.Int64N(int64(19*time.Hour)))
		s.steps = append(s.steps, Step{Wait: wait, Resolution: &payout.Resolution{
			ID:       second.Event.ID,
			Trusted:  map[payout.Field]string{payout.FieldStatus: string(cregisStatuses[status].Status)},
			Rejected: map[payout.Field][]string{payout.FieldStatus: {string(cregisStatuses[other].Status)}},
		}})
	}
}

func (s *script) cregis(kind payout.Type, status int, amount string) Callback {
	const from, to = "TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL", "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"
	account, id := Accounts("cregis")[0], fmt.Sprint(1391751691788288+s.number)
	event := cregisStatuses[status]
	addresses := fmt.Sprintf(`"address":"%s"`, to)
	if kind == payout.TypeSubAddressPayout {
		event.From = from
		addresses = fmt.Sprintf(`"from_address":"%s","to_address":"%s"`, from, to)
	}
	block := `""`
	if status >= 6 {
		event.TxID, event.BlockHeight, event.BlockTime = strings.Repeat("6d", 32), 34527604+s.Uint64N(2), 1686814482000
		block = fmt.Sprintf(`"%d"`, event.BlockHeight)
	}
	text := fmt.Sprintf(`"pid":%s,"cid":%s,%s,"chain_id":"195","token_id":"195","currency":"TRX","amount":"%s","third_party_id":"PAY-%s",`+
		`"remark":"payout","status":%d,"txid":"%s","block_height":%s,"block_time":%d`,
		account, id, addresses, amount, id, status, event.TxID, block, event.BlockTime)
	if event.Status == "" {
		event = payout.Event{} // an unknown status: held
	} else {
		event.ID = payout.NewID("cregis", kind, account, id, "")
		event.Reference, event.Amount = "PAY-"+id, payout.Amount(strings.TrimSuffix(amount, "0"))
		event.Currency, event.Chain, event.Token, event.To = "TRX", "195", "195", to
	}
	return Callback{Provider: "cregis", Type: kind, Event: event, write: func(random *rand.Rand, now time.Time) []byte {
		return fmt.Appendf(nil, `{%s,"nonce":"%06d","timestamp":%d,"sign":""}`, text, random.IntN(1e6), now.UnixMilli())
	}}
}

// cregisUnknownField returns a callback with a field that Cregis does not document.
func (s *script) cregisUnknownField(kind payout.Type, status int) Callback {
	c := s.cregis(kind, status, "1.10")
	known := c.write
	c.Held, c.Event = c.Event, payout.Event{}
	c.write = func(random *rand.Rand, now time.Time) []byte {
		return append([]byte(`{"fee_rate":"0.1",`), known(random, now)[1:]...)
	}
	return c
}

var pivotStatuses = map[string]payout.Status{
	"PENDING": payout.Pending, "DELAYED": payout.Delayed, "DONE": payout.Done, "CANCELLED": payout.Cancelled,
	"SUCCESS": payout.Succeeded, "FAILED": payout.Failed,
}

func (s *script) pivotPayout() {
	final := pick(s.Rand, "SUCCESS", "SUCCESS", "FAILED")
	s.send(s.pivotSingle(final))
	if s.chance(30) {
		s.send(s.pivotSingle("DELAYED"))
	}
	if s.chance(15) {
		for _, status := range []string{"SUCCESS", "FAILED"} {
			s.send(s.pivotSingle(status))
		}
	}
	if s.chance(10) {
		s.send(pivotCallback(payout.Event{}, `{"event":"PAYMENT.TEST"}`))
	}
}

func (s *script) pivotSingle(status string) Callback {
	account, uuid, reference := Accounts("pivot")[0], s.uuid(), fmt.Sprintf("REF-%d", s.number)
	event := payout.Event{
		ID: payout.NewID("pivot", payout.TypePayout, account, uuid, reference), Reference: reference,
		Status: pivotStatuses[status], Amount: "100000", Currency: "IDR",
	}
	reason := "null"
	if status == "FAILED" {
		event.Reason = "Invalid Account"
		reason = `"Invalid Account"`
	}
	return pivotCallback(event, fmt.Sprintf(`{"event":"PAYOUT.%s","data":{"uuid":"%s","merchantId":"%s","payouts":{"referenceId":"%s",`+
		`"amount":{"currency":"IDR","value":"100000"},"status":"%s","reason":%s}}}`, status, uuid, account, reference, status, reason))
}

// pivotBatch is a bulk request that is done or cancelled. Some batches report
// intermediate totals first, and some report totals that contradict each other.
func (s *script) pivotBatch() {
	s.send(s.pivotBulk(pick(s.Rand, "DONE", "DONE", "CANCELLED"), 0, 3))
	for _, status := range []string{"PENDING", "DELAYED", "DONE"} {
		if s.chance(30) {
			s.send(s.pivotBulk(status, 2, 1))
		}
	}
	if s.chance(10) {
		s.send(s.pivotBulk("DONE", 0, 4))
	}
}

func (s *script) pivotBulk(status string, pending, settled int64) Callback {
	account, uuid := Accounts("pivot")[0], s.uuid()
	tally := func(count int64) payout.Tally {
		return payout.Tally{Count: count, Amount: payout.Amount(fmt.Sprint(count * 1000))}
	}
	totals := payout.Totals{Pending: tally(pending), Succeeded: tally(settled), Failed: tally(0), Cancelled: tally(0)}
	if status == "CANCELLED" {
		totals.Succeeded, totals.Cancelled = totals.Cancelled, totals.Succeeded
	}
	var results []string
	for _, total := range []struct {
		name  string
		tally payout.Tally
	}{{"Pending", totals.Pending}, {"Success", totals.Succeeded}, {"Failed", totals.Failed}, {"Cancelled", totals.Cancelled}} {
		results = append(results, fmt.Sprintf(`"total%sCount":%d,"total%sAmount":%s`, total.name, total.tally.Count, total.name, total.tally.Amount))
	}
	return pivotCallback(
		payout.Event{ID: payout.NewID("pivot", payout.TypeBatch, account, uuid, ""), Status: pivotStatuses[status], Totals: totals},
		fmt.Sprintf(`{"event":"PAYOUT.%s","data":{"uuid":"%s","merchantId":"%s","payoutResults":{%s},"status":"%s"}}`,
			status, uuid, account, strings.Join(results, ","), status))
}

func (s *script) uuid() string { return fmt.Sprintf("d6a46a2c-1b26-40c5-9ca3-%012d", s.number) }

func pivotCallback(event payout.Event, body string) Callback {
	return Callback{
		Provider: "pivot", Type: payout.TypePayout, Event: event,
		write: func(*rand.Rand, time.Time) []byte { return []byte(body) },
	}
}
