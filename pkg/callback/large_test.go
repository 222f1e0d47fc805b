package callback_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/memory"
)

// A body of 1 MiB is cut before it is read. A provider that signs the body cannot be
// verified; a provider that sends its key in a header can, and the beginning of the
// body is held.
func TestHandle_BodyOfAMebibyte(t *testing.T) {
	const key = callback.Key("key-of-the-merchant")
	keys := &keyring{keys: callback.Keys{"1382528827416576": {Current: key}, "922e39ab": {Current: key}}}
	header := http.Header{"X-Api-Key": {string(key)}}
	body := bytes.Repeat([]byte("x"), 1<<20)
	for _, test := range []struct {
		provider callback.Provider
		want     callback.Verdict
		code     int
		kept     int
	}{
		{cregis.Provider{}, callback.TooLarge, http.StatusRequestEntityTooLarge, 0},
		{pivot.Provider{}, callback.Acknowledged, http.StatusOK, 1},
	} {
		store := &memory.Store{}
		handler := &callback.Handler{
			Provider: test.provider, Keys: keys, Now: time.Now,
			Inbox: &inbox.Inbox{Store: store, Queue: &memory.Queue{Now: time.Now}, Now: time.Now},
		}
		result := handler.Handle(t.Context(), callback.NewRequest(payout.TypePayout, header, body))
		if result.Verdict != test.want || result.Reply.Code != test.code {
			t.Errorf("%s: got %s, %d, want %s, %d", test.provider.Name(), result.Verdict, result.Reply.Code, test.want, test.code)
		}
		receipts := store.Receipts()
		if len(receipts) != test.kept {
			t.Errorf("%s: %d receipts, want %d", test.provider.Name(), len(receipts), test.kept)
		}
		for _, receipt := range receipts {
			if receipt.State != inbox.Held || len(receipt.Body) != callback.MaxBody {
				t.Errorf("%s: %s with %d bytes, want the first %d held", test.provider.Name(), receipt.State, len(receipt.Body), callback.MaxBody)
			}
		}
	}
}
