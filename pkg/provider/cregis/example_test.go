package cregis_test

import (
	"fmt"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

func Example() {
	provider := cregis.Provider{}
	keys := callback.Keys{"1382528827416576": {Current: "f502a9ac9ca54327986f29c03b271491"}}
	body := []byte(`{"pid": 1382528827416576, "cid": 1391751691788288, "address": "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS",
		"chain_id": "195", "token_id": "195", "currency": "TRX", "amount": "1.10", "third_party_id": "salary-7",
		"status": 7, "nonce": "ubqso3", "timestamp": 1687850657960, "sign": "4d4a9c0a57ea5ae9c1e4cbdf4e0bcd1f"}`)

	_, err := provider.Verify(callback.NewRequest(payout.TypePayout, nil, body), keys)
	fmt.Println(err)

	signed, header, err := provider.Sign(body, "f502a9ac9ca54327986f29c03b271491", time.Time{})
	if err != nil {
		panic(err)
	}
	request := callback.NewRequest(payout.TypePayout, header, signed)
	verified, err := provider.Verify(request, keys)
	fmt.Println(verified.Sender.Account, err)
	event, held := verified.Event()
	fmt.Println(event.ID, event.Status, event.Amount, event.Currency, held == nil)

	// Output:
	// not authentic
	// 1382528827416576 <nil>
	// cregis/payout/1382528827416576/1391751691788288 failed 1.1 TRX true
}
