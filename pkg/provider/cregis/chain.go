package cregis

import (
	"regexp"
	"strings"
)

// chainForm is the form of addresses and tokens on a chain, without checksums. The
// lengths are the usual ones, so close together that no value can be read as a
// shorter value and a field after it.
type chainForm struct {
	address *regexp.Regexp
	token   *regexp.Regexp // besides the number of the native coin
}

// The alphabets of addresses.
const (
	base58Chars = `[1-9A-HJ-NP-Za-km-z]`
	bech32Chars = `[02-9ac-hj-np-z]`
)

// The forms of addresses.
const (
	formEVM = `0x[0-9a-fA-F]{40}`
	// An address of version 0 (1…, r…) has 34 characters, 1 in 24 has 33, 1 in a
	// million fewer; with any other version the length is fixed.
	formBitcoin  = `[13mn2]` + base58Chars + `{31,34}|(?:bc|tb)1` + bech32Chars + `{39}|(?:bc|tb)1` + bech32Chars + `{59}|BC1[02-9AC-HJ-NP-Z]{39}|BC1[02-9AC-HJ-NP-Z]{59}`
	formDogecoin = `[DA9nm2]` + base58Chars + `{33}`
	formLitecoin = `[LM3mn2Q]` + base58Chars + `{32,34}|t?ltc1` + bech32Chars + `{39}|t?ltc1` + bech32Chars + `{59}`
	formCash     = `[13mn2]` + base58Chars + `{31,34}|(?:bitcoincash:|bchtest:)?[qprz][02-9ac-hj-np-z]{41}`
	formTRON     = `T` + base58Chars + `{33}`
	formSolana   = base58Chars + `{42,44}`
	formTON      = `[EUk0][Qf][A-Za-z0-9_-]{46}|[EUk0][Qf][A-Za-z0-9+/]{46}|(?:0|-1):[0-9a-fA-F]{64}`
	formFilecoin = `[ft]0[0-9]{1,20}|[ft][12][a-z2-7]{39}|[ft]3[a-z2-7]{84}|[ft]410f[a-z2-7]{39}|` + formEVM
	formRipple   = `r` + base58Chars + `{31,33}|[XT]` + base58Chars + `{46}`
	formSui      = `0x[0-9a-fA-F]{64}`
)

// chainForms are the forms of the chains in Cregis's published list of currencies, by
// chain id.
var chainForms = func() map[string]chainForm {
	evm := newChainForm(formEVM, formEVM)
	forms := map[string]chainForm{
		"0":    newChainForm(formBitcoin, ""),
		"2":    newChainForm(formLitecoin, ""),
		"3":    newChainForm(formDogecoin, ""),
		"5":    newChainForm(formCash, `[0-9a-f]{64}`),
		"144":  newChainForm(formRipple, `(?:[A-Za-z0-9]{3}|[0-9A-Fa-f]{40})[.:+-]r`+base58Chars+`{24,34}`),
		"195":  newChainForm(formTRON, formTRON),
		"1000": newChainForm(formSolana, base58Chars+`{32,44}`),
		"2000": newChainForm(formTON, formTON),
		"2307": newChainForm(formFilecoin, formFilecoin),
		"3000": newChainForm(formSui, `0x[0-9a-fA-F]{1,64}(?:::[A-Za-z0-9_]{1,64}){0,2}`),
	}
	for _, chain := range []string{"60", "61", "62", "63", "64", "65", "66", "67", "2510"} {
		forms[chain] = evm
	}
	return forms
}()

// otherChain is the form on all other chains: the forms above and those of other large
// chains, with 20 characters or more.
var otherChain = newChainForm(
	strings.Join([]string{
		formEVM, formSui, formBitcoin, formDogecoin, formLitecoin, formCash, formTRON, formSolana, formTON, formRipple,
		`[ft][12][a-z2-7]{39}|[ft]3[a-z2-7]{84}|[ft]410f[a-z2-7]{39}`, // Filecoin
		base58Chars + `{46,48}`,     // Polkadot, Tezos
		`[A-Z2-7]{56}|[A-Z2-7]{58}`, // Stellar, Algorand
		`addr(?:_test)?1[vw]` + bech32Chars + `{52}|addr(?:_test)?1[qxyz]` + bech32Chars + `{97}`, // Cardano
		`[a-z]{1,12}1` + bech32Chars + `{38}|[a-z]{1,12}1` + bech32Chars + `{58}`,                 // Cosmos
		`[0-9a-f]{64}`, // NEAR
	}, "|"),
	strings.Join([]string{
		`[A-Z0-9]{1,12}`, `0x[0-9a-fA-F]{1,64}(?:::[A-Za-z0-9:_-]{0,64})?`, base58Chars + `{25,44}`, `[A-Z2-7]{56,58}`,
		formTON, `[0-9a-fA-F]{40,120}`, `[A-Za-z0-9]{1,64}[.:-](?:` + base58Chars + `{25,44}|[A-Z2-7]{56,58}|[0-9a-fA-F]{2,64})`,
	}, "|"))

func newChainForm(address, token string) chainForm {
	form := chainForm{address: wholeText(address)}
	if token != "" {
		form.token = wholeText(token)
	}
	return form
}

// formOf returns the form of a chain.
func formOf(chain string) chainForm {
	if form, ok := chainForms[chain]; ok {
		return form
	}
	return otherChain
}

func isAddress(chain, text string) bool { return formOf(chain).address.MatchString(text) }

// isToken accepts the name of a token on its chain: a number for the native coin (and
// for some tokens), a contract, a type, a code with its issuer.
func isToken(chain, text string) bool {
	form := formOf(chain)
	return isCount(text) || form.token != nil && form.token.MatchString(text)
}
