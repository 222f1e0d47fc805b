package pivot_test

import (
	"bytes"
	"net/http"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/pivot"
)

func TestVerify_RepeatedKey(t *testing.T) {
	const key, odd = "pivot-demo-key-current", "a,b c, d"
	keys := testKeys()
	keys["merchant-odd"] = callback.AccountKeys{Current: odd}
	for name, values := range map[string][]string{
		"two headers":                  {key, key},
		"three headers":                {key, key, key},
		"joined":                       {key + "," + key},
		"joined with spaces":           {key + " ,\t" + key + ", " + key},
		"joined and once more":         {key + ", " + key, key},
		"a key with commas, once":      {odd},
		"two headers, joined unevenly": {key, key + "," + key},
	} {
		t.Run(name, func(t *testing.T) {
			request := callback.NewRequest(payout.TypePayout, http.Header{"X-Api-Key": values}, body(t, "bulk-done"))
			if _, err := (pivot.Provider{}).Verify(request, keys); err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

// The gateway replaces bytes that are not UTF-8 by U+FFFD if it delivers a body as
// text: different references can become equal.
func TestParse_AlteredBody(t *testing.T) {
	altered := bytes.Replace(body(t, "single-success"), []byte("TestReforza"), []byte("TestReforza\ufffd"), 1)
	deliver := func(body []byte, id string, asText bool) *callback.Held {
		request := signed(t, body, "pivot-demo-key-current").WithDelivery(id, asText)
		verified, err := pivot.Provider{}.Verify(request, testKeys())
		if err != nil || verified.Sender.Account != merchant {
			t.Fatalf("Verify = %+v, %v", verified.Sender, err)
		}
		_, held := verified.Event()
		return held
	}
	large := append(bytes.Clone(altered), bytes.Repeat([]byte(" "), callback.MaxBody)...)
	end := append(bytes.Repeat([]byte(" "), callback.MaxBody), "\ufffd"...)
	for name, test := range map[string]struct {
		body []byte
		want callback.Reason
	}{
		"in the reference":    {altered, callback.ReasonUnreadable},
		"in an unknown field": {bytes.Replace(body(t, "bulk-done"), []byte(`"event"`), []byte("\"\ufffd\":1,\"event\""), 1), callback.ReasonUnreadable},
		"not JSON at all":     {[]byte("\ufffd"), callback.ReasonUnreadable},
		"too large":           {large, callback.ReasonTooLarge},
		"too large, after the bytes that are kept": {end, callback.ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			first, second, again := deliver(test.body, "id-1", true), deliver(test.body, "id-2", true), deliver(test.body, "id-1", true)
			if first == nil || second == nil || first.Reason != test.want {
				t.Fatalf("held = %+v, %+v, want %s", first, second, test.want)
			}
			if bytes.Equal(first.Subject, second.Subject) || !bytes.Equal(first.Subject, again.Subject) {
				t.Errorf("subjects %q, %q, %q: want one for each delivery", first.Subject, second.Subject, again.Subject)
			}
		})
	}
	for name, held := range map[string]*callback.Held{
		"the same bytes in base64":  deliver(altered, "id-1", false),
		"a text, escaped U+FFFD":    deliver(bytes.ReplaceAll(altered, []byte("\ufffd"), []byte(`\ufffd`)), "id-1", true),
		"a text without U+FFFD":     deliver(body(t, "single-success"), "id-1", true),
		"a text, U+FFFE and others": deliver(bytes.ReplaceAll(altered, []byte("\ufffd"), []byte("é")), "id-1", true),
	} {
		if held != nil {
			t.Errorf("%s: held %+v, want an event", name, held)
		}
	}
}
