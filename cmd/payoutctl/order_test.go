package main_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"payout-callbacks/pkg/testkit/providersim"
)

// order orders a payout of 1.1 TRX at a simulated Cregis that never calls back: order
// ACCOUNT REFERENCE FILE. It sets CID, and writes the credentials of the simulator's API
// into the file.
func order(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: order ACCOUNT REFERENCE FILE")
	}
	const key = "api-key-of-a-test"
	cregis := providersim.NewCregis(providersim.Options{Now: time.Now}, map[string]string{args[0]: key})
	api := httptest.NewServer(cregis)
	ts.Defer(api.Close)
	ts.Check(cregis.PlanNext(providersim.Plan{Lost: true}))
	cid, err := cregis.Order(args[0], providersim.CregisOrder{
		Currency: "195@195", Amount: "1.1", To: "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS", Reference: args[1],
	})
	ts.Check(err)
	ts.Setenv("CID", cid)
	credentials, err := json.Marshal(map[string]string{"baseUrl": api.URL, "key": key})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), credentials, 0o600))
}
