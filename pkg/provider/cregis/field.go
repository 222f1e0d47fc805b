package cregis

import (
	"math/bits"
	"slices"
	"strings"
)

// shapes is a set of the texts that are signed with a project's key: the two
// callbacks that are read here, those that are not, and our own requests.
type shapes uint8

// The shapes, in the order of shapeNames.
const (
	payoutCallback     shapes = 1 << iota
	subAddressCallback        // out of a sub-address
	verification              // asks whether to pay at all; has no status, and "success" is no answer to it
	deposit                   // its memo is written by whoever pays in
	collection                // of 2023; its status 2 means success
	payoutRequest             // ours, to /api/v1/payout
	transferRequest           // ours, to /api/v2/payout and /api/v1/sub_address_withdrawal

	callbacks = payoutCallback | subAddressCallback
	incoming  = deposit | collection
	requests  = payoutRequest | transferRequest
	everyone  = callbacks | verification | incoming | requests
)

var shapeNames = []string{
	"payout callback", "sub-address payout callback", "external verification callback",
	"deposit callback", "collection callback", "payout request", "transfer request",
}

func (s shapes) each() []shapes {
	var each []shapes
	for i := range shapeNames {
		if one := shapes(1) << i; s&one != 0 {
			each = append(each, one)
		}
	}
	return each
}

// rule is what is known of the fields of one name.
type rule struct {
	name   string
	must   shapes            // that always have it
	may    shapes            // that can have it
	form   func(string) bool // of the values that are taken
	number bool              // whether a JSON number is taken besides a string
	event  bool              // whether it is part of what an event means
	free   bool              // whether people write it: any text can stand in it
	other  bool              // whether no page documents it
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

// documented says what is known of the fields of all shapes. The forms of the fields that
// an event is made of are as tight as ordinary callbacks allow: what a value
// cannot be cannot be read into it either. Fields that the pages call integers
// come as strings of digits in some of Cregis's own examples, and the other way
// round; the signed text is the same.
var documented = [documentedCount]rule{
	address:      {name: "address", must: payoutCallback | incoming | payoutRequest, form: isAddress, event: true},
	amount:       {name: "amount", must: everyone, form: isAmount, event: true},
	blockHeight:  {name: "block_height", may: callbacks | incoming, form: isHeight, number: true, event: true},
	blockTime:    {name: "block_time", may: callbacks | incoming, form: isBlockTime, number: true, event: true},
	callbackURL:  {name: "callback_url", may: requests, free: true},
	chainID:      {name: "chain_id", must: callbacks | verification | incoming, form: isCount, number: true, event: true},
	cid:          {name: "cid", must: callbacks | verification | incoming, form: isID, number: true, event: true},
	currency:     {name: "currency", must: callbacks | incoming | requests, form: isCurrency, event: true},
	fromAddress:  {name: "from_address", must: subAddressCallback | verification, may: transferRequest, form: isAddress, event: true},
	memo:         {name: "memo", may: everyone, form: isMemo, event: true, free: true},
	nonce:        {name: "nonce", must: everyone, form: isNonce},
	pid:          {name: "pid", must: everyone, form: isID, number: true, event: true},
	realAmount:   {name: "real_amount", must: collection},
	remark:       {name: "remark", may: callbacks | verification | requests, form: isRemark, free: true},
	status:       {name: "status", must: callbacks | incoming, form: isStatus, number: true, event: true},
	thirdPartyID: {name: "third_party_id", must: everyone &^ deposit, form: isReference, event: true, free: true},
	timestamp:    {name: "timestamp", must: everyone, form: isTimestamp, number: true},
	toAddress:    {name: "to_address", must: subAddressCallback | verification | transferRequest, form: isAddress, event: true},
	tokenID:      {name: "token_id", must: callbacks | verification | incoming, form: isToken, number: true, event: true},
	txID:         {name: "txid", may: callbacks | incoming, form: isTxID, event: true},
	walletID:     {name: "wallet_id", may: transferRequest},
}

// lexicon finds names in a text.
type lexicon struct {
	rules []rule // sorted by name
	// By byte, the rules whose names have it at their first and at their second
	// place: a name begins only where both sets have it, which is nearly nowhere.
	first, second [256]set
}

// set is a set of rules, of which there are never as many as it has bits.
type set uint64

const _ = uint(64 - documentedCount - maxOthers)

var documentedNames = newLexicon(documented[:])

func newLexicon(rules []rule) *lexicon {
	names := &lexicon{rules: rules}
	for i, rule := range rules {
		names.first[rule.name[0]] |= 1 << i
		if len(rule.name) > 1 {
			names.second[rule.name[1]] |= 1 << i
			continue
		}
		for char := range names.second {
			names.second[char] |= 1 << i
		}
	}
	return names
}

// with returns the lexicon with the names of other fields added, of which
// there are at most maxOthers. What Cregis may come to sign besides can stand
// in any shape.
func (l *lexicon) with(others []field) *lexicon {
	rules := slices.Clone(l.rules)
	for _, other := range others {
		at := slices.IndexFunc(rules, func(known rule) bool { return known.name > other.name })
		if at < 0 {
			at = len(rules)
		}
		rules = slices.Insert(rules, at, rule{name: other.name, may: everyone, other: true})
	}
	return newLexicon(rules)
}

// find returns the index of the rule for a name.
func (l *lexicon) find(name string) (int, bool) {
	if name == "" {
		return 0, false
	}
	for found := l.first[name[0]]; found != 0; found &= found - 1 {
		if i := found.least(); l.rules[i].name == name {
			return i, true
		}
	}
	return 0, false
}

// places returns where names stand in the text, one inside another too, and
// stops looking once there are more than maxPlaces.
func (l *lexicon) places(text string) []place {
	places := make([]place, 0, documentedCount)
	for at := 0; at < len(text) && len(places) <= maxPlaces; at++ {
		begun := l.first[text[at]]
		if begun == 0 {
			continue
		}
		if at+1 < len(text) {
			begun &= l.second[text[at+1]]
		}
		for ; begun != 0; begun &= begun - 1 {
			if i := begun.least(); strings.HasPrefix(text[at:], l.rules[i].name) {
				places = append(places, place{at: at, end: at + len(l.rules[i].name), rule: i})
			}
		}
	}
	return places
}

func (s set) least() int { return bits.TrailingZeros64(uint64(s)) }
