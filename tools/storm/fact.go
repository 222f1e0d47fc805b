package main

import (
	"fmt"
	"math/rand/v2"

	"payout-callbacks/pkg/payout"
)

// fact is what a callback tells, before a provider words and signs it.
type fact struct {
	provider string
	kind     payout.Type
	number   int
	status   string
	amount   int
	bulk     bool
}

func (f fact) account() string {
	if f.provider == "pivot" {
		return merchant
	}
	return project
}

func (f fact) path() string { return fmt.Sprintf("/callbacks/%s/%s", f.provider, f.kind) }

// body words the fact, with whatever differs between two pushes of it.
func (f fact) body(random *rand.Rand) []byte {
	switch {
	case f.provider == "cregis":
		return f.cregis(random)
	case f.bulk:
		return fmt.Appendf(nil, `{"event": "PAYOUT.%s", "data": {"uuid": "%s", "merchantId": "%s", "status": "%s", "payoutResults": {`+
			`"totalPendingCount": 0, "totalPendingAmount": 0, "totalSuccessCount": 3, "totalSuccessAmount": %d, `+
			`"totalFailedCount": 0, "totalFailedAmount": 0, "totalCancelledCount": 0, "totalCancelledAmount": 0}}}`,
			f.status, f.uuid(), merchant, f.status, f.amount)
	}
	return fmt.Appendf(nil, `{"event": "PAYOUT.%s", "data": {"uuid": "%s", "merchantId": "%s", "payouts": {"referenceId": "PAY-%d", `+
		`"amount": {"currency": "IDR", "value": "%d"}, "status": "%s", "reason": null}}}`,
		f.status, f.uuid(), merchant, f.number, f.amount, f.status)
}

func (f fact) cregis(random *rand.Rand) []byte {
	addresses := `"address": "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"`
	if f.kind == payout.TypeSubAddressPayout {
		addresses = `"from_address": "TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL", "to_address": "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"`
	}
	return fmt.Appendf(nil, `{"pid": %s, "cid": %d, %s, "chain_id": "195", "token_id": "195", "currency": "TRX", "amount": "%d.5", `+
		`"third_party_id": "PAY-%d", "remark": "storm", "status": %s, "txid": "%064x", "block_height": "34527604", `+
		`"block_time": 1686814482000, "nonce": "%s", "timestamp": %d, "sign": ""}`,
		project, 1391751691788288+f.number, addresses, f.amount, f.number, f.status, f.number,
		nonce(random), 1687850657960+random.IntN(1_000_000_000))
}

func (f fact) uuid() string { return fmt.Sprintf("d6a46a2c-1b26-40c5-9ca3-%012d", f.number) }

func nonce(random *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, 6)
	for n := range text {
		text[n] = letters[random.IntN(len(letters))]
	}
	return string(text)
}
