package cregis

import (
	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/payout"
)

// messageKind is a set of the kinds of message that a project's key signs: the
// two callbacks that this package parses, other callbacks, our own requests.
type messageKind uint8

// The kinds, in the order of kinds and kindNames.
const (
	payoutCallback     messageKind = 1 << iota
	subAddressCallback             // a payout from a sub-address
	verification                   // asks whether to pay at all; it has no status, and "success" is no answer to it
	deposit                        // its memo is written by whoever pays in
	collection                     // of 2023; its status 2 means success
	payoutRequest                  // ours, to /api/v1/payout
	transferRequest                // ours, to /api/v2/payout and /api/v1/sub_address_withdrawal

	callbacks = payoutCallback | subAddressCallback
	incoming  = deposit | collection
	requests  = payoutRequest | transferRequest
	allKinds  = callbacks | verification | incoming | requests
)

var kinds = []messageKind{payoutCallback, subAddressCallback, verification, deposit, collection, payoutRequest, transferRequest}

var kindNames = []string{
	"payout callback", "sub-address payout callback", "external verification callback",
	"deposit callback", "collection callback", "payout request", "transfer request",
}

// kindOf returns the kind of message that a route is for, or 0.
func kindOf(route payout.Type) messageKind {
	switch route {
	case payout.TypePayout:
		return payoutCallback
	case payout.TypeSubAddressPayout:
		return subAddressCallback
	}
	return 0
}

// rule describes the fields of one name.
type rule struct {
	name     string
	required messageKind // kinds that always have the field
	optional messageKind // kinds that may have it
	form     form        // of the values that are accepted; nil for fields of other kinds only
	begins   string      // expression for the beginning of a value, see checkUnambiguous; "" if free texts may contain the name
	isNumber bool        // whether a JSON number is accepted as well as a string
	isFree   bool        // whether people write the value, so that it can be any text
	isOpen   bool        // whether a value can end at several places, see otherEnd
}

// isOf reports whether messages of the kind can have the field.
func (r *rule) isOf(kind messageKind) bool { return (r.required|r.optional)&kind != 0 }

// accepts reports whether the rule allows the value's JSON type.
func (r *rule) accepts(v value) bool {
	return v.kind == jsontext.KindString || r.isNumber && v.kind == jsontext.KindNumber
}

// The documented names, sorted, as indexes of documented.
const (
	address = iota
	amount
	blockHeight
	blockTime
	callbackURL
	chainID
	cid
	currency
	fromAddress
	memo
	nonce
	pid
	realAmount
	remark
	status
	thirdPartyID
	timestamp
	toAddress
	tokenID
	txID
	walletID

	documentedCount
)

// Expressions for the beginnings of values.
const (
	beginsDigit = `[0-9]`
	beginsAlnum = `[A-Za-z0-9]`
	beginsNonce = `[A-Za-z0-9]{6}`
	// Some symbols begin with $.
	beginsCurrency = `[A-Za-z0-9$]`
	// An address of the shortest known form, which is Filecoin's f0 and a number,
	// or at least 20 characters of an address.
	beginsAddress = `(?:[ft]0[0-9]|[A-Za-z0-9:_+/-]{20})`
	// A known field can have any value. White space and the end of a sentence
	// follow its name where the name is a word.
	beginsKnown = `[^ \t\r\n.,;:!?)]`
	beginsAny   = `(?:)`
)

// documented lists the fields of all kinds of message. The forms of the fields
// that become part of an event are as narrow as ordinary callbacks allow: what a
// value cannot be, nobody can read into it either. Some of Cregis's own examples
// have strings of digits in fields that the pages call integers, and the reverse;
// the signed text is the same.
var documented = [documentedCount]rule{
	address:      {name: "address", required: payoutCallback | incoming | payoutRequest, form: isAddress, begins: beginsAddress, isOpen: true},
	amount:       {name: "amount", required: allKinds, form: onAnyChain(isAmount), begins: beginsDigit},
	blockHeight:  {name: "block_height", optional: callbacks | incoming, form: onAnyChain(isHeight), begins: beginsDigit, isNumber: true},
	blockTime:    {name: "block_time", optional: callbacks | incoming, form: onAnyChain(isBlockTime), begins: beginsDigit, isNumber: true},
	callbackURL:  {name: "callback_url", optional: requests},
	chainID:      {name: "chain_id", required: callbacks | verification | incoming, form: onAnyChain(isCount), begins: beginsDigit, isNumber: true},
	cid:          {name: "cid", required: callbacks | verification | incoming, form: onAnyChain(isID), begins: beginsDigit, isNumber: true},
	currency:     {name: "currency", required: callbacks | incoming | requests, form: onAnyChain(isCurrency), begins: beginsCurrency, isOpen: true},
	fromAddress:  {name: "from_address", required: subAddressCallback | verification, optional: transferRequest, form: isAddress, begins: beginsAddress},
	memo:         {name: "memo", optional: allKinds, form: onAnyChain(isMemo), isFree: true},
	nonce:        {name: "nonce", required: allKinds, form: onAnyChain(isNonce), begins: beginsNonce},
	pid:          {name: "pid", required: allKinds, form: onAnyChain(isID), begins: beginsDigit, isNumber: true},
	realAmount:   {name: "real_amount", required: collection},
	remark:       {name: "remark", optional: callbacks | verification | requests, form: onAnyChain(isRemark), isFree: true},
	status:       {name: "status", required: callbacks | incoming, form: onAnyChain(isStatus), begins: beginsDigit, isNumber: true},
	thirdPartyID: {name: "third_party_id", required: allKinds &^ deposit, form: onAnyChain(isPrintable), begins: beginsAny, isFree: true},
	timestamp:    {name: "timestamp", required: allKinds, form: onAnyChain(isTimestamp), begins: beginsDigit, isNumber: true},
	toAddress:    {name: "to_address", required: subAddressCallback | verification | transferRequest, form: isAddress, begins: beginsAddress, isOpen: true},
	tokenID:      {name: "token_id", required: callbacks | verification | incoming, form: isToken, begins: beginsAlnum, isNumber: true},
	txID:         {name: "txid", optional: callbacks | incoming, form: onAnyChain(isTxID), begins: beginsAlnum},
	walletID:     {name: "wallet_id", optional: transferRequest},
}

// documentedIndex returns the index of a name in documented.
func documentedIndex(name string) (int, bool) {
	i, ok := documentedByName[name]
	return i, ok
}

var documentedByName = func() map[string]int {
	byName := make(map[string]int, documentedCount)
	for i, rule := range documented {
		byName[rule.name] = i
	}
	return byName
}()
