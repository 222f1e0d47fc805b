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
// USDe, pepe) with or without its network (USDT-BEP20), and the chain@token of
// a request; in the sandbox, each with a #Word behind it. Unless all of it is
// lower-case, a symbol ends in none of the letters with which the name of a
// field that follows it could begin.
func isCurrency(text string) bool {
	name, _, ok := cutSandbox(text)
	if !ok {
		return false
	}
	if chain, token, found := strings.Cut(name, "@"); found {
		return isCount(chain) && isToken(canonicalNumber(chain), token)
	}
	if _, ok := published(name); ok {
		return true
	}
	if symbol, network, found := strings.Cut(name, "-"); found {
		return isSymbol(symbol) && (isNetworkCode(network) || isNetwork(network))
	}
	return isSymbol(name)
}

// currencyOf returns the symbol of a callback's currency. A text of the form
// chain@token states the two and no currency: its symbol is "". It reports false
// where the text names another chain than the callback, or another token.
// Chain and token are in their canonical forms.
func currencyOf(chain, token, text string) (symbol string, ok bool) {
	name, isSandbox, _ := cutSandbox(text)
	if c, t, found := strings.Cut(name, "@"); found {
		c = canonicalNumber(c)
		return "", c == chain && canonicalToken(c, t) == token
	}
	row, isPublished := published(name)
	symbol, network, _ := strings.Cut(name, "-")
	switch {
	case isPublished && (isSandbox || row.chain == chain):
		return row.symbol, true
	case isSymbol(name): // also TON, TRON, SUI and opBNB, as tokens of other chains
		return symbolOn(chain, name), true
	case isPublished, isOtherChain(network, chain) && !isSandbox:
		return "", false
	}
	return symbolOn(chain, symbol), true
}

// openCurrency returns the part of a callback's currency whose end could change
// what the callback means: no test network; no chain@token, which states nothing
// that the callback's own chain and token do not; and no published name of these.
func (b *body) openCurrency() string {
	name, isSandbox, _ := cutSandbox(b.documented[currency].text)
	chain := canonicalNumber(b.documented[chainID].text)
	row, isPublished := published(name)
	isOurs := row.chain == chain && canonicalToken(chain, row.token) == canonicalToken(chain, b.documented[tokenID].text)
	if strings.Contains(name, "@") || isPublished && (isSandbox || isOurs) {
		return ""
	}
	return name
}

// cutSandbox cuts off the test network that Cregis's sandbox writes behind
// a currency, as in TRON#Shasta. It reports false where that has no such form.
func cutSandbox(text string) (name string, isSandbox, ok bool) {
	name, network, isSandbox := strings.Cut(text, "#")
	return name, isSandbox, !isSandbox || isTestNetwork(network)
}

func published(name string) (publishedRow, bool) {
	for _, row := range publishedCurrencies {
		if row.name == name {
			return row, true
		}
	}
	return publishedRow{}, false
}

// symbolOn returns the symbol of a currency on a chain. A published currency may
// be spelled as the first part of its name (TRON, SHIBA) or in another case.
func symbolOn(chain, spelling string) string {
	for _, row := range publishedCurrencies {
		first, _, _ := strings.Cut(row.name, "-")
		if row.chain == chain && (strings.EqualFold(row.symbol, spelling) || first == spelling) {
			return row.symbol
		}
	}
	return spelling
}

// isNetwork reports whether published names have this network.
func isNetwork(network string) bool { return len(chainsOf(network)) > 0 }

// isOtherChain reports whether a network, as published names spell it, belongs
// to other chains than this one only.
func isOtherChain(network, chain string) bool {
	chains := chainsOf(network)
	return len(chains) > 0 && !slices.Contains(chains, chain)
}

// chainsOf returns the chains of a network as published names spell it. Behind
// the coin Avalanche-C, the C is no network.
func chainsOf(network string) []string {
	var chains []string
	for _, row := range publishedCurrencies {
		if _, of, _ := strings.Cut(row.name, "-"); of == network && of != "" && row.name != "Avalanche-C" {
			chains = append(chains, row.chain)
		}
	}
	return chains
}
