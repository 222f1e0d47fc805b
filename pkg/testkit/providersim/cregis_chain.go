package providersim

import "regexp"

// chainFacts are what Cregis adds to an order in a currency. All simulated
// chains have transaction ids of 64 hexadecimal digits.
type chainFacts struct {
	chain, token, name string // as callbacks name them
	decimals           int
	wallet             string // of the project, also the recipient of an altered callback
	isAddress          func(string) bool
	txidPrefix         string
}

var (
	isTRONAddress   = regexp.MustCompile(`^T[1-9A-HJ-NP-Za-km-z]{33}$`).MatchString
	isRippleAddress = regexp.MustCompile(`^r[1-9A-HJ-NP-Za-km-z]{24,34}$`).MatchString
	isEVMAddress    = regexp.MustCompile(`^0x[0-9a-fA-F]{40}$`).MatchString
)

const (
	walletTRON   = "TNPeeaaFB7K9cmo4uQpcU32zGK8G1NYqeL"
	walletRipple = "rhAZ673nG6fSXovPAkw3EcrhKyWwXducoi"
	walletEVM    = "0x8894E0a0c962CB723c1976a4421c95949bE2D4E3"
)

// cregisChains are the currencies that can be ordered, as chain@token
// (docs/api-reference/currency-identifiers). Coins have the short names of the
// callback samples, tokens the names of the list.
var cregisChains = map[string]chainFacts{
	"195@195": {"195", "195", "TRX", 6, walletTRON, isTRONAddress, ""},
	"195@TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": {
		"195", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "USDT-TRC20", 6, walletTRON, isTRONAddress, "",
	},
	"144@144": {"144", "144", "XRP", 6, walletRipple, isRippleAddress, ""},
	"60@60":   {"60", "60", "ETH", 18, walletEVM, isEVMAddress, "0x"},
	"60@0xdac17f958d2ee523a2206206994597c13d831ec7": {
		"60", "0xdac17f958d2ee523a2206206994597c13d831ec7", "USDT-ERC20", 6, walletEVM, isEVMAddress, "0x",
	},
	"2510@0x55d398326f99059ff775485246999027b3197955": {
		"2510", "0x55d398326f99059ff775485246999027b3197955", "USDT-BEP20", 18, walletEVM, isEVMAddress, "0x",
	},
}
