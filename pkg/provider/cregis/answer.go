package cregis

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// An answer to a query is bound to the question by TLS, not by a signature, and nobody
// can cut it. So its values need no forms, only bounds: a format that holds a callback
// does not hold the answer as well.

// envelope is the form of each answer (docs/api-reference/response).
type envelope struct {
	Code string         `json:"code"`
	Data jsontext.Value `json:"data"`
}

// The codes of docs/api-reference/return-codes that concern a query. All other codes
// make an answer unusable.
var codeOutcomes = map[string]reconcile.Outcome{
	"B0001": reconcile.KeyRefused, // the signature
	"E0001": reconcile.AddressRefused,
	"E0003": reconcile.KeyRefused, // the project
	"E0014": reconcile.NotFound,
}

const codeSuccess = "00000"

var isCode = regexp.MustCompile(`^[A-Z0-9]{1,10}$`)

// queryStatuses are the statuses that a query states besides those of callbacks: 0 awaits
// approval, 5 the signature, 1 is signed, 3 was cancelled in review, which has no
// callback (docs/api-reference/request-apis/payout/payout-query).
var queryStatuses = map[string]meaning{
	"0": {status: payout.Pending},
	"1": {status: payout.Pending},
	"3": {status: payout.Cancelled},
	"5": {status: payout.Pending},
}

// meaningOf returns what a status of a query stands for.
func meaningOf(status string) (meaning, bool) {
	if m, ok := statuses[status]; ok {
		return m, true
	}
	m, ok := queryStatuses[status]
	return m, ok
}

// readAnswer reads the answer about a payout.
func readAnswer(response reconcile.Response, payouts []reconcile.Asked) reconcile.Answer {
	var e envelope
	if err := json.Unmarshal(response.Body, &e); err != nil || !isCode.MatchString(e.Code) {
		return unreadable(response.Status)
	}
	if e.Code != codeSuccess || response.Status != http.StatusOK {
		outcome, ok := codeOutcomes[e.Code]
		if !ok {
			outcome = reconcile.Unusable
		}
		return reconcile.Answer{Outcome: outcome, Detail: fmt.Sprintf("HTTP %d, code %s", response.Status, e.Code)}
	}
	statement, problem := readStatement(e.Data, payouts)
	if problem != "" {
		return reconcile.Answer{Outcome: reconcile.Unusable, Detail: problem}
	}
	return reconcile.Answer{Outcome: reconcile.Answered, Statements: []reconcile.Statement{statement}}
}

// unreadable returns the answer for a body that is not Cregis's. No page says who sends
// it: a firewall that refuses addresses or keys, as far as the status says so.
func unreadable(status int) reconcile.Answer {
	answer := reconcile.Answer{Outcome: reconcile.Unusable, Detail: fmt.Sprintf("HTTP %d, not the documented JSON", status)}
	switch status {
	case http.StatusUnauthorized:
		answer.Outcome = reconcile.KeyRefused
	case http.StatusForbidden:
		answer.Outcome = reconcile.AddressRefused
	}
	return answer
}

// reply is the data of an answer. Both queries have the same fields, except for the
// recipient; the blocks of a payout that has not reached its chain are null.
type reply struct {
	PID         jsontext.Value `json:"pid"`
	ChainID     jsontext.Value `json:"chain_id"`
	TokenID     jsontext.Value `json:"token_id"`
	Currency    jsontext.Value `json:"currency"`
	FromAddress jsontext.Value `json:"from_address"`
	Address     jsontext.Value `json:"address"`    // of a payout: the recipient
	ToAddress   jsontext.Value `json:"to_address"` // of a sub-address payout: the recipient
	Amount      jsontext.Value `json:"amount"`
	Status      jsontext.Value `json:"status"`
	Reference   jsontext.Value `json:"third_party_id"`
	Memo        jsontext.Value `json:"memo"`
	TxID        jsontext.Value `json:"txid"`
	BlockHeight jsontext.Value `json:"block_height"`
	BlockTime   jsontext.Value `json:"block_time"`
}

// readStatement reads what the data of an answer state about the payout that was asked
// about, or returns which field cannot be used.
func readStatement(data jsontext.Value, payouts []reconcile.Asked) (statement reconcile.Statement, problem string) {
	var r reply
	if len(data) > callback.MaxBody {
		return statement, "data: too long"
	}
	if err := json.Unmarshal(data, &r); err != nil || data.Kind() != jsontext.KindBeginObject {
		return statement, "data: not the documented object"
	}
	id := payouts[0].ID
	reader := new(fieldReader)
	event, matches := reader.event(r, id)
	status := reader.text("status", r.Status)
	m, isKnown := meaningOf(status)
	event.Status, event.Reason = m.status, m.reason
	reader.check(event, reader.text("pid", r.PID), payouts)
	statement.Body = bytes.Clone(data)
	switch {
	case reader.problem != "":
		return reconcile.Statement{}, reader.problem
	case !isKnown:
		statement.Held = reconcile.HeldAnswer(event, status, string(callback.ReasonStatus), fmt.Sprintf("a query states the status %.64q; known are 0 to 7", status))
	case !matches:
		statement.Held = reconcile.HeldAnswer(event, status, string(callback.ReasonMismatch), fmt.Sprintf("a query states the currency %s, which does not match chain %q and token %q",
			r.Currency, event.Chain, event.Token))
	default:
		statement.Event = event
	}
	return statement, ""
}

// fieldReader reads the values of a reply. It keeps the first field that cannot be used.
type fieldReader struct{ problem string }

func (r *fieldReader) failIf(condition bool, field, problem string) {
	if condition && r.problem == "" {
		r.problem = field + ": " + problem
	}
}

// maxText is the number of characters of the longest value: twice what callbacks may have.
const maxText = 256

// text returns a string, or a number as it is written; "" for null and an absent field.
func (r *fieldReader) text(field string, value jsontext.Value) string {
	text := ""
	switch value.Kind() {
	case jsontext.KindString:
		unquoted, err := jsontext.AppendUnquote(nil, value)
		r.failIf(err != nil, field, "cannot be read") // not reached: the value was parsed
		text = string(unquoted)
	case jsontext.KindNumber:
		text = string(value)
	case jsontext.KindInvalid, jsontext.KindNull:
	default:
		r.failIf(true, field, "neither text nor a number")
	}
	r.failIf(utf8.RuneCountInString(text) > maxText, field, "too long")
	return text
}

// printable returns a text without invisible characters.
func (r *fieldReader) printable(field string, value jsontext.Value) string {
	text := r.text(field, value)
	r.failIf(strings.ContainsFunc(text, isInvisible), field, "not printable")
	return text
}

// number returns a non-negative integer, which may be in quotes; 0 if it is absent.
func (r *fieldReader) number(field string, value jsontext.Value) uint64 {
	text := r.text(field, value)
	if text == "" {
		return 0
	}
	number, err := strconv.ParseUint(text, 10, 63)
	r.failIf(err != nil, field, "not an integer")
	return number
}

// amount returns the amount. It is text: a number may have another unit.
func (r *fieldReader) amount(value jsontext.Value) payout.Amount {
	text := r.text("amount", value)
	if text == "" {
		return ""
	}
	amount, err := payout.ParseAmount(text)
	r.failIf(err != nil || value.Kind() != jsontext.KindString, "amount", "not a plain decimal in text")
	return amount
}

// event reads what a reply states, without the status. It reports whether the currency
// matches chain and token. Like a callback, a payout states no sender.
func (r *fieldReader) event(data reply, id payout.ID) (event payout.Event, matches bool) {
	to, from := r.printable("to_address", data.ToAddress), r.printable("from_address", data.FromAddress)
	if id.Type() == payout.TypePayout {
		to, from = r.printable("address", data.Address), ""
	}
	chain, token, symbol, matches := r.asset(data)
	event = payout.Event{
		ID:          id,
		Source:      payout.SourceQuery,
		Reference:   r.printable("third_party_id", data.Reference),
		Amount:      r.amount(data.Amount),
		Currency:    symbol,
		Chain:       chain,
		Token:       token,
		From:        canonicalAddress(chain, from),
		To:          canonicalAddress(chain, to),
		Memo:        r.text("memo", data.Memo),
		BlockHeight: r.number("block_height", data.BlockHeight),
		BlockTime:   int64(r.number("block_time", data.BlockTime)), //nolint:gosec // number has at most 63 bits
	}
	event.TxID = canonicalTxID(chain, event.To, r.printable("txid", data.TxID))
	return event, matches
}

// asset reads chain, token, and symbol, and reports whether the currency matches the
// other two. Without a chain_id, the currency states all it can.
func (r *fieldReader) asset(data reply) (chain, token, symbol string, matches bool) {
	currency := r.printable("currency", data.Currency)
	chain, token = r.printable("chain_id", data.ChainID), r.printable("token_id", data.TokenID)
	if chain == "" {
		chain, token, symbol = expectedAsset(currency)
		return chain, token, symbol, true
	}
	chain = canonicalNumber(chain)
	token = canonicalToken(chain, token)
	if !isCurrency(currency) {
		return chain, token, currency, true // a name in another form, or none
	}
	symbol, matches = findSymbol(chain, token, currency)
	return chain, token, symbol, matches
}

// check checks that the answer is about the payout that was asked about, and that a final
// status comes with what its callback would state.
func (r *fieldReader) check(event payout.Event, project string, payouts []reconcile.Asked) {
	r.failIf(project != event.ID.Account(), "pid", "not the project that was asked about")
	for _, asked := range payouts {
		r.failIf(asked.Reference != "" && asked.Reference != event.Reference, "third_party_id", "not the reference of the payout that was asked about")
	}
	if !event.Status.IsFinal() {
		return
	}
	r.failIf(event.Amount == "", "amount", "missing")
	r.failIf(event.Chain == "", "chain_id", "missing")
	r.failIf(event.To == "", "recipient", "missing")
	r.failIf(event.Reference == "", "third_party_id", "missing")
}
