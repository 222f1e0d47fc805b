package callback_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
)

const (
	project  = "1382528827416576"
	merchant = "922e39ab-7565-49f6-b84f-fb56122821ae"
)

var came = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func held(provider callback.Provider, account string, reason callback.Reason, body string) inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: provider.Name(), Type: payout.TypePayout, Account: account, Subject: []byte(body), Reason: string(reason),
	}, []byte(body), "0a1b2c", came)
}

func cregisBody(status, extra string) string {
	return fmt.Sprintf(`{"pid":%s,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195","token_id":"195",
		"currency":"TRX","amount":"1.1","third_party_id":"PAY-1","status":%s,"nonce":"ubqso3","timestamp":1687850657960,"sign":"x"%s}`, project, status, extra)
}

func pivotBody(event string) string {
	return fmt.Sprintf(`{"event":%q,"data":{"uuid":"d6a46a2c-9d91-45a5-b5ef-a6b2c0e4e32f","merchantId":%q,"payouts":
		{"referenceId":"ref-1","status":"SUCCESS","amount":{"value":"100000","currency":"IDR"}}}}`, event, merchant)
}

// Reparse returns the receipt of the original callback, due from now on.
func TestReparse(t *testing.T) {
	now := came.Add(72 * time.Hour)
	for name, test := range map[string]struct {
		provider callback.Provider
		held     inbox.Receipt
		want     string // the status; "" if it stays held
		reason   callback.Reason
	}{
		"understood now": {cregis.Provider{}, held(cregis.Provider{}, project, callback.ReasonStatus, cregisBody("6", "")), "succeeded", ""},
		"a status that is still unknown": {cregis.Provider{}, held(cregis.Provider{}, project, callback.ReasonStatus, cregisBody("5", "")), "",
			callback.ReasonStatus},
		"a signature that covers two readings": {
			cregis.Provider{},
			held(cregis.Provider{}, project, callback.ReasonAmbiguous, cregisBody("7", `,"remark":"a status6third_party_idPAY-9"`)), "", callback.ReasonAmbiguous,
		},
		"understood now, other provider": {pivot.Provider{}, held(pivot.Provider{}, merchant, callback.ReasonStatus, pivotBody("PAYOUT.SUCCESS")), "succeeded", ""},
		"cut, and the rest seems complete": {
			pivot.Provider{}, held(pivot.Provider{}, merchant, callback.ReasonTooLarge, pivotBody("PAYOUT.SUCCESS")), "", callback.ReasonTooLarge,
		},
		"altered before delivery, and seems complete": {
			pivot.Provider{}, held(pivot.Provider{}, merchant, callback.ReasonUnreadable, strings.Replace(pivotBody("PAYOUT.SUCCESS"), "ref-1", "ref-\ufffd", 1)),
			"", callback.ReasonUnreadable,
		},
		"unreadable then, and not altered": {
			pivot.Provider{}, held(pivot.Provider{}, merchant, callback.ReasonUnreadable, pivotBody("PAYOUT.SUCCESS")), "succeeded", "",
		},
		"another account than that of the key": {pivot.Provider{}, held(pivot.Provider{}, "another", callback.ReasonStatus, pivotBody("PAYOUT.SUCCESS")), "", callback.ReasonMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			got := callback.Reparse(test.provider, test.held, now)
			if test.want == "" {
				if got.State != inbox.Held || got.Reason != string(test.reason) {
					t.Errorf("%s for %q (%s), want held for %q", got.State, got.Reason, got.Note, test.reason)
				}
				return
			}
			if got.State != inbox.Received || string(got.Event.Status) != test.want {
				t.Fatalf("%s for %q (%s), status %s", got.State, got.Reason, got.Note, got.Event.Status)
			}
			if !got.AcceptedAt.Equal(came) || !got.DueAt.Equal(now.Add(inbox.FirstDue)) || got.KeyID != "0a1b2c" ||
				string(got.Body) != string(test.held.Body) || !strings.HasPrefix(got.Key.Receipt, test.want) {
				t.Errorf("not the callback that came: %+v", got)
			}
		})
	}
}

// An answer to a query that was not understood is not a callback.
func TestReparse_HeldAnswer(t *testing.T) {
	body := []byte(cregisBody("6", ""))
	answer := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Source: payout.SourceQuery, Type: payout.TypePayout, Account: project, Subject: body, Reason: string(callback.ReasonStatus),
	}, body, "", came)
	if got := callback.Reparse(cregis.Provider{}, answer, came); got.State != inbox.Held || got.Key != answer.Key {
		t.Errorf("got %s %v, want the held answer", got.State, got.Key)
	}
}
