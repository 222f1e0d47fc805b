package cregis_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// chain has the spellings of a block chain.
type chain struct {
	id, token, currency string
	address, txid       func(*rand.Rand) string
	memo                bool
}

const (
	hexDigits   = "0123456789abcdef"
	upperDigits = "0123456789ABCDEF"
	mixedDigits = "0123456789abcdefABCDEF"
	base58      = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	bech32      = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	base64URL   = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	base64Std   = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	lowercase36 = "abcdefghijklmnopqrstuvwxyz0123456789"
)

func random(prefix, alphabet string, lengths ...int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		var text strings.Builder
		text.WriteString(prefix)
		for range lengths[r.IntN(len(lengths))] {
			text.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
		return text.String()
	}
}

var chains = []chain{
	{"0", "0", "BTC", random("bc1q", bech32, 38, 58), random("", hexDigits, 64), false},
	{"0", "0", "BTC", random("1", base58, 32, 33), random("", hexDigits, 64), false},
	{"2", "2", "LTC", random("ltc1q", bech32, 38), random("", hexDigits, 64), false},
	{"3", "3", "DOGE", random("D", base58, 33), random("", hexDigits, 64), false},
	{"145", "145", "BCH", random("bitcoincash:q", bech32, 41), random("", hexDigits, 64), false},
	{"60", "60", "ETH", random("0x", mixedDigits, 40), random("0x", hexDigits, 64), false},
	{"60", "0xdAC17F958D2ee523a2206206994597C13D831ec7", "USDT", random("0x", mixedDigits, 40), random("0x", hexDigits, 64), false},
	{"60", "0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84", "stETH", random("0x", mixedDigits, 40), random("0x", hexDigits, 64), false},
	{"2510", "0x55d398326f99059fF775485246999027B3197955", "USDT-BEP20", random("0x", mixedDigits, 40), random("0x", hexDigits, 64), false},
	{"43114", "0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", "USDC.e", random("0x", mixedDigits, 40), random("0x", hexDigits, 64), false},
	{"60", "0x4c9EDD5852cd905f086C759E8383e09bff1E68B3", "USDe", random("0x", mixedDigits, 40), random("0x", hexDigits, 64), false},
	{"60", "0x6982508145454Ce325dDbE47a25d4ec3d2311933", "pepe", random("0x", mixedDigits, 40), random("0x", hexDigits, 64), false},
	{"195", "195", "TRX", random("T", base58, 33), random("", hexDigits, 64), false},
	{"195", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "USDT", random("T", base58, 33), random("", hexDigits, 64), false},
	{"195", "1002000", "BTT", random("T", base58, 33), random("", hexDigits, 64), false},
	{"501", "501", "SOL", random("", base58, 43, 44), random("", base58, 86, 87, 88), false},
	{"501", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "USDC", random("", base58, 43, 44), random("", base58, 87, 88), false},
	{"607", "607", "TON", random("UQ", base64URL, 46), random("", hexDigits, 64), true},
	{"607", "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs", "USDT", random("EQ", base64URL, 46), random("", base64Std, 43), true},
	{"144", "144", "XRP", random("r", base58, 32, 33), random("", upperDigits, 64), true},
	{"144", "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B", "USD", random("r", base58, 33), random("", upperDigits, 64), true},
	{"148", "148", "XLM", random("G", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 55), random("", hexDigits, 64), true},
	{"1815", "1815", "ADA", random("addr1q", bech32, 97), random("", hexDigits, 64), false},
	{"354", "354", "DOT", random("1", base58, 46, 47), random("0x", hexDigits, 64), false},
	{"283", "31566704", "USDC", random("", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 58), random("", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 52), false},
	{"784", "0x2::sui::SUI", "SUI", random("0x", hexDigits, 64), random("", base58, 43, 44), false},
	{"637", "0x1::aptos_coin::AptosCoin", "APT", random("0x", hexDigits, 64), random("0x", hexDigits, 64), false},
	{"118", "118", "ATOM", random("cosmos1", bech32, 38), random("", upperDigits, 64), false},
}

// Texts that people write, by field: testdata/ordinary.
var (
	remarks    = append(ordinary("remarks"), make([]string, 40)...) // many callbacks have no remark
	memos      = ordinary("memos")
	references = ordinary("references")
)

// ordinary returns the lines of a list.
func ordinary(list string) []string {
	text, err := os.ReadFile(filepath.Join("testdata", "ordinary", list+".txt"))
	if err != nil {
		panic(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// reference returns a reference from the list or with a usual form.
func reference(r *rand.Rand) string {
	return pick(r, []func(*rand.Rand) string{
		func(r *rand.Rand) string { return pick(r, references) },
		random("", hexDigits, 32),
		random("PAY-", "0123456789", 1, 6, 12),
		random("order_status_", lowercase36, 10),
		random("ticket/", lowercase36, 8),
		random("tid", lowercase36, 20),
		random("", base58, 22),
		func(r *rand.Rand) string {
			return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48))
		},
	})(r)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// realistic returns a callback as the provider could send it.
func realistic(r *rand.Rand) (payout.Type, []pair) {
	on := pick(r, chains)
	status := pick(r, []string{"2", "4", "6", "6", "6", "6", "7"})
	pairs := []pair{
		{"pid", project}, {"cid", fmt.Sprint(1300000000000000 + r.Int64N(1e14))},
		{"chain_id", on.id}, {"token_id", on.token}, {"currency", on.currency},
		{"amount", pick(r, []string{"1.1", "100", "0.00000001", "25000.5", "1", "7.50", fmt.Sprintf("%.6f", r.Float64()*1000)})},
		{"third_party_id", reference(r)}, {"remark", pick(r, remarks)}, {"status", status},
		{"nonce", random("", lowercase36, 6)(r)}, {"timestamp", fmt.Sprint(1687850657960 + r.Int64N(1e11))},
	}
	if status == "6" || status == "7" && r.IntN(2) == 0 {
		pairs = append(pairs, pair{"txid", on.txid(r)}, pair{"block_height", fmt.Sprint(r.IntN(1e8))},
			pair{"block_time", fmt.Sprint(1686814482000 + r.Int64N(1e11))})
	}
	if on.memo && r.IntN(2) == 0 {
		pairs = append(pairs, pair{"memo", pick(r, memos)})
	}
	if r.IntN(3) == 0 {
		return payout.TypeSubAddressPayout, append(pairs, pair{"from_address", on.address(r)}, pair{"to_address", on.address(r)})
	}
	return payout.TypePayout, append(pairs, pair{"address", on.address(r)})
}

// A held callback is safe, and costs a query. At most 1 in 1,000 ordinary callbacks
// is held.
func TestParse_OrdinaryCallbacks(t *testing.T) {
	const bodies = 40_000
	r := rand.New(rand.NewPCG(1, 2))
	held := 0
	for range bodies {
		route, pairs := realistic(r)
		if _, why := parsePairs(cregis.Provider{}, route, pairs); why != nil {
			held++
			t.Logf("held: %s: %s", why.Reason, why.Note)
		}
	}
	t.Logf("held %d of %d (%.4f %%)", held, bodies, 100*float64(held)/bodies)
	if held > bodies/1000 {
		t.Errorf("held %d of %d ordinary callbacks", held, bodies)
	}
}

// Each text of the lists is accepted in each field that people write.
func TestParse_OrdinaryTexts(t *testing.T) {
	for _, text := range slices.Concat(remarks, memos, references) {
		for _, name := range []string{"remark", "memo", "third_party_id"} {
			if text == "" || name == "third_party_id" && !isASCII(text) {
				continue
			}
			if _, held := parsePairs(cregis.Provider{}, payout.TypePayout, changed(payoutPairs, pair{name, text})); held != nil {
				t.Errorf("%s %q: held as %s: %s", name, text, held.Reason, held.Note)
			}
		}
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > '~' })
}
