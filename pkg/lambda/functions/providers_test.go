package functions_test

import (
	"net/http"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

// Tools parse callbacks as the functions of the stack do: with its known fields
// and its pattern of references.
func TestWithOutputs_ParametersOfTheStack(t *testing.T) {
	body := `{"pid":1382528827416576,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195","token_id":"195",
		"currency":"TRX","amount":"1.1","third_party_id":"PAY-1","status":6,"nonce":"ubqso3","timestamp":1687850657960,"sub_status":"done"}`
	for name, test := range map[string]struct {
		outputs map[string]string
		want    callback.Reason
	}{
		"none":                          {nil, callback.ReasonUnknownField},
		"known fields":                  {map[string]string{"CregisKnownFields": "fee,sub_status"}, ""},
		"a pattern that does not match": {map[string]string{"CregisKnownFields": "sub_status", "ReferencePattern": "[0-9]+"}, callback.ReasonField},
		"a matching pattern":            {map[string]string{"CregisKnownFields": "sub_status", "ReferencePattern": "PAY-[0-9]+"}, ""},
		"an invalid value":              {map[string]string{"ReferencePattern": "("}, "error"},
	} {
		configured, err := functions.WithOutputs(cregis.Description(), test.outputs)
		if err != nil {
			if test.want != "error" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var got callback.Reason
		if _, held := configured.Restore(callback.NewRequest(payout.TypePayout, http.Header{}, []byte(body)), callback.Sender{}).Event(); held != nil {
			got = held.Reason
		}
		if got != test.want {
			t.Errorf("%s: held for %q, want %q", name, got, test.want)
		}
	}
}
