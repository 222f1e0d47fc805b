package providersim_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"payout-callbacks/pkg/testkit/providersim"
)

// A payout fails after a minute, and its callback is lost until a person pushes it.
func Example() {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "success") }))
	defer receiver.Close()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	cregis := providersim.NewCregis(providersim.Options{Now: func() time.Time { return now }}, map[string]string{"1382528827416576": "api-key"})

	if err := cregis.PlanNext(providersim.Plan{Status: providersim.Failed, After: time.Minute, Lost: true}); err != nil {
		panic(err)
	}
	cid, err := cregis.Order("1382528827416576", providersim.CregisOrder{
		Currency: "195@195", Amount: "1.1", To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", Reference: "salary-7", CallbackURL: receiver.URL,
	})
	if err != nil {
		panic(err)
	}
	now = now.Add(time.Minute)
	fmt.Println(cregis.DeliverDue(context.Background()))
	if err := cregis.Push(cid); err != nil {
		panic(err)
	}
	fmt.Println(cregis.DeliverDue(context.Background()))
	payout := cregis.Payouts()[0]
	fmt.Println(payout.Status, payout.Callbacks[0].State, payout.Callbacks[1].State)
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 7 lost acknowledged
}
