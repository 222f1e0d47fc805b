package cregis

import "payout-callbacks/pkg/payout"

// messageKind is a set of the kinds of message that are signed with a project's
// key: the two callbacks that are parsed here, other callbacks, our own requests.
type messageKind uint8

// The kinds, in the order of kindNames.
const (
	payoutCallback     messageKind = 1 << iota
	subAddressCallback             // out of a sub-address
	verification                   // asks whether to pay at all; has no status, and "success" is no answer to it
	deposit                        // its memo is written by whoever pays in
	collection                     // of 2023; its status 2 means success
	payoutRequest                  // ours, to /api/v1/payout
	transferRequest                // ours, to /api/v2/payout and /api/v1/sub_address_withdrawal

	callbacks = payoutCallback | subAddressCallback
	incoming  = deposit | collection
	requests  = payoutRequest | transferRequest
	allKinds  = callbacks | verification | incoming | requests
)

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

// rule is what is known about the fields with one name.
type rule struct {
	name   string
	must   messageKind // kinds that always have it
	may    messageKind // kinds that can have it
	form   form        // of the values that are accepted; nil for fields of other kinds only
	begins begins      // the beginning of a value, see checkUnambiguous; nil if its name is allowed in a free text
	number bool        // whether a JSON number is accepted besides a string
	free   bool        // whether people write it: any text can stand in it
	splits bool        // whether a value of the form can end in another field, see hasOtherEnd
}

// form reports whether text is a value of a field in a callback about the chain.
type form func(chain, text string) bool

// anyChain returns the form of a value that is written alike on all chains.
func anyChain(is func(text string) bool) form {
	return func(_, text string) bool { return is(text) }
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

// documented lists the fields of all kinds of message. The forms of the fields
// that an event is built from are as tight as ordinary callbacks allow: what
// a value cannot be, nobody can read into it either. Fields that the pages call
// integers come as strings of digits in some of Cregis's own examples, and the
// other way round; the signed text is the same.
var documented = [documentedCount]rule{
	address:      {name: "address", must: payoutCallback | incoming | payoutRequest, form: isAddress, begins: beginsAddress, splits: true},
	amount:       {name: "amount", must: allKinds, form: anyChain(isAmount), begins: atLeast(1, digit)},
	blockHeight:  {name: "block_height", may: callbacks | incoming, form: anyChain(isHeight), begins: atLeast(1, digit), number: true},
	blockTime:    {name: "block_time", may: callbacks | incoming, form: anyChain(isBlockTime), begins: atLeast(1, digit), number: true},
	callbackURL:  {name: "callback_url", may: requests},
	chainID:      {name: "chain_id", must: callbacks | verification | incoming, form: anyChain(isCount), begins: atLeast(1, digit), number: true},
	cid:          {name: "cid", must: callbacks | verification | incoming, form: anyChain(isID), begins: atLeast(1, digit), number: true},
	currency:     {name: "currency", must: callbacks | incoming | requests, form: anyChain(isCurrency), begins: beginsCurrency, splits: true},
	fromAddress:  {name: "from_address", must: subAddressCallback | verification, may: transferRequest, form: isAddress, begins: beginsAddress},
	memo:         {name: "memo", may: allKinds, form: anyChain(isMemo), free: true},
	nonce:        {name: "nonce", must: allKinds, form: anyChain(isNonce), begins: atLeast(6, alnum)},
	pid:          {name: "pid", must: allKinds, form: anyChain(isID), begins: atLeast(1, digit), number: true},
	realAmount:   {name: "real_amount", must: collection},
	remark:       {name: "remark", may: callbacks | verification | requests, form: anyChain(isRemark), free: true},
	status:       {name: "status", must: callbacks | incoming, form: anyChain(isStatus), begins: atLeast(1, digit), number: true},
	thirdPartyID: {name: "third_party_id", must: allKinds &^ deposit, form: anyChain(isPrintable), begins: anything, free: true},
	timestamp:    {name: "timestamp", must: allKinds, form: anyChain(isTimestamp), begins: atLeast(1, digit), number: true},
	toAddress:    {name: "to_address", must: subAddressCallback | verification | transferRequest, form: isAddress, begins: beginsAddress, splits: true},
	tokenID:      {name: "token_id", must: callbacks | verification | incoming, form: isToken, begins: atLeast(1, alnum), number: true},
	txID:         {name: "txid", may: callbacks | incoming, form: anyChain(isTxID), begins: atLeast(1, alnum)},
	walletID:     {name: "wallet_id", may: transferRequest},
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
