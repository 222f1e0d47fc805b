package cregis

import (
	_ "embed" // currencies.tsv
	"slices"
	"strings"
)

// publishedList is Cregis's own list of currencies, with our symbols.
//
//go:embed currencies.tsv
var publishedList string

// publishedRow is a row of the published list.
type publishedRow struct{ name, chain, token, symbol string }

// publishedCurrencies are the rows of the list.
var publishedCurrencies = func() []publishedRow {
	var rows []publishedRow
	for line := range strings.Lines(publishedList) {
		if columns := strings.Split(strings.TrimSpace(line), "\t"); !strings.HasPrefix(line, "#") && len(columns) == 5 {
			rows = append(rows, publishedRow{columns[0], columns[1], columns[2], columns[4]})
		}
	}
	return rows
}()

var (
	isSymbol      = matching(`[a-z]{2,12}|\$?[a-z]{0,5}[A-Z0-9]{1,20}(?:\.[a-z])?|\$?[a-z]{0,5}[A-Z0-9]{0,17}USDe`)
	isNetworkCode = matching(`[A-Z0-9]{1,20}`)
	isTestNetwork = matching(`[A-Za-z0-9]{1,20}`)
)

// isCurrency accepts a published name, a token's symbol (USDT, stETH, USDC.e,
// USDe, pepe) with or without its network (USDT-BEP20), and the chain@token of a
// request; in the sandbox, each followed by #Word. A symbol that is not entirely
// lower case cannot end in the beginning of the next field's name.
func isCurrency(text string) bool {
	name, _, ok := cutSandbox(text)
	if !ok {
		return false
	}
	if chain, token, isAsset := strings.Cut(name, "@"); isAsset {
		return isCount(chain) && isToken(canonicalNumber(chain), token)
	}
	if _, ok := findPublished(name); ok {
		return true
	}
	if symbol, network, hasNetwork := strings.Cut(name, "-"); hasNetwork {
		return isSymbol(symbol) && (isNetworkCode(network) || isNetwork(network))
	}
	return isSymbol(name)
}

// findSymbol returns the symbol of a callback's currency. A text of the form
// chain@token states no currency: its symbol is "". findSymbol reports false if the
// text names a chain or a token other than the callback's, which are in their
// canonical forms.
func findSymbol(chain, token, text string) (symbol string, ok bool) {
	name, isSandbox, _ := cutSandbox(text)
	if c, t, isAsset := strings.Cut(name, "@"); isAsset {
		c = canonicalNumber(c)
		return "", c == chain && canonicalToken(c, t) == token
	}
	row, isPublished := findPublished(name)
	symbol, network, _ := strings.Cut(name, "-")
	switch {
	case isPublished && (isSandbox || row.chain == chain):
		return row.symbol, true
	case isSymbol(name): // including TON, TRON, SUI and opBNB as tokens of other chains
		return canonicalSymbol(chain, name), true
	case isPublished, isOtherChain(network, chain) && !isSandbox:
		return "", false
	}
	return canonicalSymbol(chain, symbol), true
}

// openCurrency returns the part of the currency whose end could change what the
// callback means. That is never a test network, nor a chain@token or a published
// name of the callback's chain and token, which state nothing new.
func (b *body) openCurrency() string {
	name, isSandbox, _ := cutSandbox(b.documented[currency].text)
	chain := canonicalNumber(b.documented[chainID].text)
	row, isPublished := findPublished(name)
	isOurs := row.chain == chain && canonicalToken(chain, row.token) == canonicalToken(chain, b.documented[tokenID].text)
	if strings.Contains(name, "@") || isPublished && (isSandbox || isOurs) {
		return ""
	}
	return name
}

// cutSandbox removes the test network that Cregis's sandbox appends to a currency,
// as in TRON#Shasta. ok is false if the network does not have its form.
func cutSandbox(text string) (name string, isSandbox, ok bool) {
	name, network, isSandbox := strings.Cut(text, "#")
	return name, isSandbox, !isSandbox || isTestNetwork(network)
}

// findPublished returns the row of a published name.
func findPublished(name string) (publishedRow, bool) {
	for _, row := range publishedCurrencies {
		if row.name == name {
			return row, true
		}
	}
	return publishedRow{}, false
}

// canonicalSymbol returns the symbol of a currency on a chain; "" is any chain. A
// published currency can be spelled as the first part of its name (TRON, SHIBA) or in
// another case.
func canonicalSymbol(chain, spelling string) string {
	for _, row := range publishedCurrencies {
		first, _, _ := strings.Cut(row.name, "-")
		if (row.chain == chain || chain == "") && (strings.EqualFold(row.symbol, spelling) || first == spelling) {
			return row.symbol
		}
	}
	return spelling
}

// isNetwork reports whether published names have this network.
func isNetwork(network string) bool { return len(networkChains(network)) > 0 }

// isOtherChain reports whether a network, as published names spell it, belongs only
// to chains other than this one.
func isOtherChain(network, chain string) bool {
	chains := networkChains(network)
	return len(chains) > 0 && !slices.Contains(chains, chain)
}

// networkChains returns the chains of a network as published names spell it. In the
// name of the coin Avalanche-C, the C is not a network.
func networkChains(network string) []string {
	var chains []string
	for _, row := range publishedCurrencies {
		if _, suffix, _ := strings.Cut(row.name, "-"); suffix == network && suffix != "" && row.name != "Avalanche-C" {
			chains = append(chains, row.chain)
		}
	}
	return chains
}
