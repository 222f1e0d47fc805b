package pivot_test

import (
	"bytes"
	"net/http"
	"strings"
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

func TestParse_TwoSpellings(t *testing.T) {
	const uuid = "d6a46a2c-1b26-40c5-9ca3-e063e69635a0"
	for name, test := range map[string]struct {
		old, new string
		same     bool
	}{
		"uuid in upper case":     {uuid, strings.ToUpper(uuid), true},
		"uuid in both cases":     {uuid, "D6a46A2c" + uuid[8:], true},
		"merchant in upper case": {merchant, strings.ToUpper(merchant), true},
		"another uuid":           {uuid, "D6A46A2D" + uuid[8:], false},
		"reference in upper case": {
			"TestReforzaPivot001", "TESTREFORZAPIVOT001", false, // ours, and its case may be significant
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, vector := range []string{"single-success", "bulk-done"} {
				before, _ := parse(t, body(t, vector))
				after, held := parse(t, bytes.Replace(body(t, vector), []byte(test.old), []byte(test.new), 1))
				if held != nil {
					t.Fatal(held.Note)
				}
				isSame := before.ID == after.ID && before.Fingerprint() == after.Fingerprint()
				if applies := bytes.Contains(body(t, vector), []byte(test.old)); applies && isSame != test.same {
					t.Errorf("%s: %s and %s are one payout: %t", vector, before.ID, after.ID, isSame)
				}
			}
		})
	}
	formC, _ := parse(t, bytes.ReplaceAll(body(t, "single-success"), []byte("TestReforza"), []byte("Té \u1ec7 \ud55c \u212b")))
	formD, held := parse(t, bytes.ReplaceAll(body(t, "single-success"), []byte("TestReforza"), []byte("Te\u0301 e\u0302\u0323 \u1112\u1161\u11ab A\u030a")))
	if held != nil || formC.ID != formD.ID || formC.Fingerprint() != formD.Fingerprint() || formD.Reference != "Té \u1ec7 \ud55c ÅPivot001" {
		t.Errorf("two forms of one reference: %q and %q, held %+v", formC.Reference, formD.Reference, held)
	}
	lower, _ := parse(t, bytes.ReplaceAll(body(t, "single-success"), []byte(uuid), []byte("abc-7")))
	upper, _ := parse(t, bytes.ReplaceAll(body(t, "single-success"), []byte(uuid), []byte("ABC-7")))
	if lower.ID == upper.ID {
		t.Errorf("two ids that are no uuids became one payout: %s", upper.ID)
	}
}
