package callback_test

import (
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

func TestACopyOfARequestWithAnotherBodyIsReadAnew(t *testing.T) {
	reads := 0
	read := func(body []byte) string { reads++; return string(body) }
	first := callback.NewRequest(payout.TypePayout, nil, []byte("one"))
	second := first
	for range 2 {
		if got := callback.ReadOnce(first, read); got != "one" || reads != 1 {
			t.Errorf("got %q after %d reads, want one after 1", got, reads)
		}
	}
	second.Body = []byte("two")
	if got := callback.ReadOnce(second, read); got != "two" {
		t.Errorf("got %q of a body that says two", got)
	}
	if got := callback.ReadOnce(callback.Request{Body: []byte("three")}, read); got != "three" {
		t.Errorf("got %q of a request that nobody made by NewRequest", got)
	}
	// One type's reading is not another's.
	if got := callback.ReadOnce(first, func(body []byte) int { return len(body) }); got != 3 {
		t.Errorf("got %d", got)
	}
}
