package pivot_test

import (
	"fmt"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/pivot"
)

func Example() {
	provider := pivot.Provider{}
	keys := callback.Keys{"922e39ab": {Current: "callback-api-key"}}

	body, header, err := provider.Sign([]byte(`{"event": "PAYOUT.SUCCESS", "data": {
		"uuid": "d6a46a2c", "merchantId": "922e39ab",
		"payouts": {
			"referenceId": "salary-7", "status": "SUCCESS", "reason": null,
			"amount": {"currency": "IDR", "value": "100000"}
		}}}`), "callback-api-key", time.Time{})
	if err != nil {
		panic(err)
	}
	request := callback.NewRequest(payout.TypePayout, header, body)

	verified, err := provider.Verify(request, keys)
	fmt.Println(verified.Sender.Account, err)
	event, held := verified.Event()
	fmt.Println(event.ID, event.Status, event.Amount, event.Currency, held == nil)

	request.Header.Set("X-API-Key", "guessed")
	_, err = provider.Verify(request, keys)
	fmt.Println(err, provider.Reply(callback.Unauthenticated).Code)
	// Output:
	// 922e39ab <nil>
	// pivot/payout/922e39ab/d6a46a2c/salary-7 succeeded 100000 IDR true
	// not authentic 401
}
