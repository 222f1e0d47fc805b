package cregis_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// chain is how things are named on one block chain.
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
	{"0", "0", "BTC", random("1", base58, 25, 32, 33), random("", hexDigits, 64), false},
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
	{"144", "144", "XRP", random("r", base58, 24, 32, 33, 34), random("", upperDigits, 64), true},
	{"144", "USD.rvYAfWj5gh67oV6fW32ZzP3Aw4Eubs59B", "USD", random("r", base58, 33), random("", upperDigits, 64), true},
	{"148", "148", "XLM", random("G", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 55), random("", hexDigits, 64), true},
	{"1815", "1815", "ADA", random("addr1q", bech32, 97), random("", hexDigits, 64), false},
	{"354", "354", "DOT", random("1", base58, 46, 47), random("0x", hexDigits, 64), false},
	{"283", "31566704", "USDC", random("", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 58), random("", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 52), false},
	{"784", "0x2::sui::SUI", "SUI", random("0x", hexDigits, 64), random("", base58, 43, 44), false},
	{"637", "0x1::aptos_coin::AptosCoin", "APT", random("0x", hexDigits, 64), random("0x", hexDigits, 64), false},
	{"118", "118", "ATOM", random("cosmos1", bech32, 38), random("", upperDigits, 64), false},
}

// Remarks as people write them: with the words that are field names, with
// names and numbers next to each other, in several scripts.
var remarks = []string{
	"", "", "payout", "salary March", "status pending", "please check the status", "amount due: 12.50",
	"memo: thanks", "txid will follow", "invoice 2231 / timestamp 1687850657960", "address changed",
	"cid 4711, pid 12", "status6", "status=6", "chain_id 195 token_id 195", "refund for order-9812",
	"currency TRX", "block_height?", "nonce abcdef", "third_party_id unknown", "remark", "提币 ✓", "зарплата",
	"rapid transfer", "placido domingo", "status: 7 -> 6 after retry", "memo5 network TON", "to_address from_address",
	"{\"status\":6}", "a\nb\tc", "amount1.1address", "50% off", "👍👍", "pid7cid9", "real_amount 5", "callback_url https://x.example/status",
}

var references = []func(*rand.Rand) string{
	random("", hexDigits, 32),
	random("PAY-", "0123456789", 1, 6, 12),
	random("order_status_", lowercase36, 10),
	random("amount-", lowercase36, 4),
	random("ticket/", lowercase36, 8),
	random("memo:", lowercase36, 8),
	random("tid", lowercase36, 20),
	func(r *rand.Rand) string {
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48))
	},
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// realistic returns a callback as the provider may send it.
func realistic(r *rand.Rand) (payout.Type, []pair) {
	on := pick(r, chains)
	status := pick(r, []string{"2", "4", "6", "6", "6", "6", "7"})
	pairs := []pair{
		{"pid", project}, {"cid", fmt.Sprint(1300000000000000 + r.Int64N(1e14))},
		{"chain_id", on.id}, {"token_id", on.token}, {"currency", on.currency},
		{"amount", pick(r, []string{"1.1", "100", "0.00000001", "25000.5", "1", "7.50", fmt.Sprintf("%.6f", r.Float64()*1000)})},
		{"third_party_id", pick(r, references)(r)}, {"remark", pick(r, remarks)}, {"status", status},
		{"nonce", random("", lowercase36, 6)(r)}, {"timestamp", fmt.Sprint(1687850657960 + r.Int64N(1e11))},
	}
	if status == "6" || status == "7" && r.IntN(2) == 0 {
		pairs = append(pairs, pair{"txid", on.txid(r)}, pair{"block_height", fmt.Sprint(r.IntN(1e8))},
			pair{"block_time", fmt.Sprint(1686814482000 + r.Int64N(1e11))})
	}
	if on.memo && r.IntN(2) == 0 {
		pairs = append(pairs, pair{"memo", pick(r, []string{"123", "4294967295", "order 77", "status", "5nonce"})})
	}
	if r.IntN(3) == 0 {
		return payout.TypeSubAddressPayout, append(pairs, pair{"from_address", on.address(r)}, pair{"to_address", on.address(r)})
	}
	return payout.TypePayout, append(pairs, pair{"address", on.address(r)})
}

// Holding is safe and a nuisance: of ordinary callbacks none may be held.
func TestOrdinaryCallbacksAreNotHeld(t *testing.T) {
	const bodies = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	held, slow := 0, 0
	for i := range bodies {
		kind, pairs := realistic(r)
		body := bodyOf(pairs)
		_, why := cregis.Provider{}.Parse(callback.NewRequest(kind, nil, body), callback.Sender{})
		if why != nil {
			held++
			t.Logf("held: %s: %s\n%s", why.Reason, why.Note, body)
		}
		if i%5 > 0 {
			continue
		}
		short, long := cregis.OtherReadings(kind, body)
		if !short {
			slow++
		}
		if long > 0 {
			t.Errorf("%d other readings (the short way says none: %t): %s", long, short, body)
		}
	}
	t.Logf("held %d of %d (%.4f %%); %.1f %% took the long way", held, bodies, 100*float64(held)/bodies, 500*float64(slow)/bodies)
	if held > 0 {
		t.Errorf("held %d of %d ordinary callbacks", held, bodies)
	}
}
