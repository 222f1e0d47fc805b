package providersim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The statuses of Cregis. A payout that has not ended is 0 (docs/api-reference/request-apis/payout/payout-query).
var cregisStatuses = map[Status]int{
	Pending: 0, Approved: 1, RejectedBySig: 2, Cancelled: 3, Rejected: 4, Processing: 5, Succeeded: 6, Failed: 7, none: 6,
}

const (
	cregisSucceeded = 6
	cregisFailed    = 7
	cregisUnknown   = 8
)

// cregisCallback is the body of a callback, in the order of the samples
// (docs/api-reference/callback/payout, docs/api-reference/callback/withdrawal).
type cregisCallback struct {
	PID       int64  `json:"pid"`
	CID       int64  `json:"cid"`
	Address   string `json:"address,omitempty"`      // of a payout
	From      string `json:"from_address,omitempty"` // of a sub-address payout
	To        string `json:"to_address,omitempty"`   // of a sub-address payout
	Chain     string `json:"chain_id"`
	Token     string `json:"token_id"`
	Currency  string `json:"currency"`
	Amount    string `json:"amount"`
	Reference string `json:"third_party_id"`
	Remark    string `json:"remark"`
	Memo      string `json:"memo,omitempty"` // TON and XRP only
	Status    int    `json:"status"`
	cregisBlock

	Nonce     string `json:"nonce"`
	Timestamp int64  `json:"timestamp"`
	Sign      string `json:"sign"`
}

// cregisBlock is where a transaction is on its chain; null without one.
type cregisBlock struct {
	TxID   *string `json:"txid"`
	Height *string `json:"block_height"`
	Time   any     `json:"block_time"` // int64, or string in the answer about a sub-address payout
}

// callback implements provider. Statuses 2, 4, 6, and 7 have a callback, which
// is signed when it is written: a repetition has the same timestamp.
func (c *Cregis) callback(p *payout, plan Plan, at time.Time) (request, bool) {
	status := cregisStatuses[plan.Status]
	if !slices.Contains([]int{2, 4, cregisSucceeded, cregisFailed}, status) {
		return request{}, false
	}
	body := cregisCallback{
		PID: parseID(p.account), CID: parseID(p.id), Chain: p.chain.chain, Token: p.chain.token, Currency: p.chain.name,
		Amount: p.transfer.Amount, Reference: p.transfer.Reference, Remark: p.transfer.Remark, Memo: p.transfer.Memo,
		Status: status, cregisBlock: p.block(status, at), Timestamp: at.UnixMilli(),
		Nonce: c.text("abcdefghijklmnopqrstuvwxyz0123456789", 6),
	}
	to := p.transfer.To
	switch plan.Altered {
	case AlteredAmount:
		body.Amount = "9" + body.Amount
	case AlteredRecipient:
		to = p.chain.wallet
	case AlteredCurrency:
		body.Currency = "Unknown Coin"
	}
	if p.kind == CregisPayout {
		body.Address = to
	} else {
		body.From, body.To = p.transfer.From, to
	}
	key := c.keys[p.account]
	if plan.Forged {
		key = c.text("0123456789abcdef", 32)
	}
	fields, _ := readFlat(mustMarshal(body))
	body.Sign = cregisSign(key, fields)
	return request{http.Header{"Content-Type": {"application/json"}}, mustMarshal(body)}, true
}

// block returns the block of a payout that reached its chain.
func (p *payout) block(status int, ended time.Time) cregisBlock {
	if status != cregisSucceeded && status != cregisFailed {
		return cregisBlock{}
	}
	return cregisBlock{&p.txid, &p.height, ended.UnixMilli()}
}

// cregisRecord is the answer to a query, in the order of the sample. It has no
// cid (docs/api-reference/request-apis/payout/payout-query).
type cregisRecord struct {
	PID       int64   `json:"pid"`
	From      *string `json:"from_address"`
	Address   string  `json:"address,omitempty"`    // of a payout
	To        string  `json:"to_address,omitempty"` // of a sub-address payout
	Chain     string  `json:"chain_id"`
	Token     string  `json:"token_id"`
	Currency  string  `json:"currency"`
	Amount    any     `json:"amount"` // string
	Reference string  `json:"third_party_id"`
	Remark    string  `json:"remark"`
	Memo      string  `json:"memo,omitempty"`
	Status    int     `json:"status"`
	cregisBlock
}

// serveQuery returns the function that serves queries about payouts of a type.
func (c *Cregis) serveQuery(kind string) func(*http.Request, []byte) answer {
	return func(_ *http.Request, body []byte) answer {
		fields, refused := c.authenticate(body)
		if refused != nil {
			return refused.cregisAnswer()
		}
		missing := &APIError{"E0014", "the payout does not exist"}
		p, ok := c.find(fields["cid"])
		if !ok || p.account != fields["pid"] || p.kind != kind {
			return missing.cregisAnswer()
		}
		asOf, fault, ok := c.query(p)
		if !ok {
			return missing.cregisAnswer()
		}
		result := cregisAnswer(c.record(p, asOf, fault))
		result.fault, result.retryAfter = fault, p.plan.RetryAfter
		return result
	}
}

// record returns what Cregis states about a payout as of a time.
func (c *Cregis) record(p *payout, asOf time.Time, fault Fault) cregisRecord {
	status := cregisStatuses[Pending]
	last, hasEnded := p.endAt(asOf)
	if hasEnded {
		status = cregisStatuses[last.plan.Status]
	}
	record := cregisRecord{
		PID: parseID(p.account), Chain: p.chain.chain, Token: p.chain.token, Currency: p.chain.name,
		Amount: p.transfer.Amount, Reference: p.transfer.Reference, Remark: p.transfer.Remark, Memo: p.transfer.Memo,
		Status: status, cregisBlock: p.block(status, last.at),
	}
	if p.kind == CregisPayout {
		record.Address = p.transfer.To
		if hasEnded {
			record.From = &p.transfer.From
		}
	} else {
		record.From, record.To = &p.transfer.From, p.transfer.To
		// The SDK's model has a string here; the page says int64.
		if at, ok := record.Time.(int64); ok && !c.hasNumericBlockTime {
			record.Time = strconv.FormatInt(at, 10)
		}
	}
	switch fault {
	case OtherAccount:
		record.PID++
	case OtherReference:
		record.Reference += "-other"
	case UnknownStatus:
		record.Status = cregisUnknown
	case AmountForm:
		record.Amount = json.Number(p.transfer.Amount)
	case CurrencyForm:
		record.Currency = p.transfer.Currency
	}
	return record
}

// status implements provider.
func (c *Cregis) status(p *payout, at time.Time) string {
	return strconv.Itoa(c.record(p, at, "").Status)
}

// mustMarshal encodes a body of ours, which cannot fail.
func mustMarshal(body any) []byte {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return raw
}
