package cregis

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// Expect implements [reconcile.Expectations]. Type, account, and cid have the forms that
// callbacks have; the recipient can have any form, because callbacks with a rare one are
// held and then queried. A currency is a name that Cregis publishes, a symbol with or
// without its network, or chain@token.
func (p Provider) Expect(e reconcile.Expectation) (payout.Event, error) {
	route := payout.Type(e.Type)
	amount, err := payout.ParseAmount(e.Amount)
	if err := cmp.Or(
		reconcile.Require(kindOf(route) != 0, "type", "must be payout or sub-address-payout"),
		reconcile.Require(isID(e.Account), "account", "must be the number of a project"),
		reconcile.Require(e.ID == "" || isID(e.ID), "id", "must be a cid, a positive integer of 64 bits"),
		reconcile.Require(e.ID != "" || e.Reference != "", "reference", "is required without an id"),
		reconcile.Require(e.Reference == "" || p.options().isReference(e.Reference), "reference", "does not have the form of our references, see ReferencePattern"),
		reconcile.Require(e.Amount == "" || err == nil, "amount", "must be a plain decimal of at most 30 digits on either side of the point"),
		reconcile.Require(e.Currency == "" || isCurrency(e.Currency), "currency", "must be a name of Cregis's list, a symbol, symbol-network, or chain@token"),
		reconcile.Require(e.To == "" || isPlain(e.To), "to", "must be at most 128 printable ASCII characters without spaces"),
		reconcile.Require(isMemo(e.Memo) && !strings.ContainsFunc(e.Memo, isInvisible), "memo", "must be at most 128 printable characters"),
		reconcile.Require(e.Items == 0, "items", "must be left out: Cregis has no batches"),
	); err != nil {
		return payout.Event{}, err
	}
	inID := ""
	if e.ID == "" {
		inID = e.Reference
	}
	chain, token, symbol := expectedAsset(e.Currency)
	return payout.Event{
		ID:        payout.NewID(p.Name(), route, e.Account, e.ID, inID),
		Source:    payout.SourceExpectation,
		Status:    payout.Expected,
		Reference: e.Reference,
		Amount:    amount,
		Currency:  symbol,
		Chain:     chain,
		Token:     token,
		To:        canonicalAddress(chain, e.To),
		Memo:      e.Memo,
	}, nil
}

var isPlain = matching(`[!-~]{1,128}`)

func isInvisible(r rune) bool { return !unicode.IsGraphic(r) }

// expectedAsset returns what a currency states, in canonical form: chain@token a chain
// and a token, a name with one network a chain and a symbol, any other name a symbol. A
// name never states a token: Cregis decides which contract it pays with. Names such as
// TRON and TON are symbols as well, and those of the sandbox name unpublished chains.
func expectedAsset(currency string) (chain, token, symbol string) {
	name, isSandbox, _ := cutSandbox(currency)
	if c, t, isAsset := strings.Cut(name, "@"); isAsset {
		chain = canonicalNumber(c)
		return chain, canonicalToken(chain, t), ""
	}
	row, isPublished := findPublished(name)
	symbol, network, _ := strings.Cut(name, "-")
	chains := slices.Compact(networkChains(network))
	switch {
	case isPublished && (isSandbox || isSymbol(name)):
		return "", "", row.symbol
	case isPublished:
		return row.chain, "", row.symbol
	case len(chains) == 1 && !isSandbox:
		return chains[0], "", canonicalSymbol(chains[0], symbol)
	}
	return "", "", canonicalSymbol("", symbol)
}
