package pivot_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
)

const (
	merchant = "922e39ab-7565-49f6-b84f-fb56122821ae"
	other    = "11111111-2222-4333-8444-555555555555"
)

func testKeys() callback.Keys {
	return callback.Keys{
		merchant: {Current: "pivot-demo-key-current", Previous: "pivot-demo-key-previous"},
		other:    {Current: "pivot-other-key"},
	}
}

func suite() providertest.Suite {
	return providertest.Suite{
		Description: pivot.Description(), Keys: testKeys(), Personal: canaries, Respond: respond,
		None: map[string]string{"recipients": "no callback names one", "currencies": "three capitals have one spelling"},
	}
}

func TestProvider(t *testing.T) { providertest.Run(t, suite()) }

func TestVerify_WrongKey(t *testing.T) {
	const key = "pivot-demo-key-current"
	sent := map[string][]string{
		"no header":               nil,
		"empty":                   {""},
		"a prefix":                {key[:len(key)-1]},
		"a longer one":            {key + "x"},
		"another case":            {strings.ToUpper(key)},
		"a space after":           {key + " "},
		"twice, in two cases":     {key, strings.ToUpper(key)},
		"joined to nothing":       {key + ","},
		"beside an empty one":     {key, ""},
		"three times, one forged": {key, key, "forged"},
		"commas alone":            {",", ""},
		"joined to a forged one":  {key + ", forged"},
		"current and previous":    {key, "pivot-demo-key-previous"},
		"the id of the key":       {callback.Key(key).ID()},
	}
	for name, values := range sent {
		t.Run(name, func(t *testing.T) {
			request := callback.NewRequest(payout.TypePayout, http.Header{"X-Api-Key": values}, body(t, "bulk-done"))
			verified, err := pivot.Provider{}.Verify(request, testKeys())
			if !errors.Is(err, callback.ErrUnauthenticated) || verified.Sender != (callback.Sender{}) {
				t.Errorf("Verify = %+v, %v, want ErrUnauthenticated", verified.Sender, err)
			}
		})
	}
}

func TestVerify_SharedKey(t *testing.T) {
	const shared = "shared-key"
	keys := callback.Keys{
		"merchant-a": {Current: "new-key-of-a", Previous: shared},
		"merchant-b": {Current: shared},
		"merchant-c": {Current: shared, Previous: shared},
		"merchant-d": {Current: "unshared-key"},
	}
	id := callback.Key(shared).ID()
	tests := map[string]struct {
		body string
		want callback.Sender
	}{
		"the body decides":                        {`{"data":{"merchantId":"merchant-c"}}`, callback.Sender{Account: "merchant-c", KeyID: id}},
		"also for a previous key":                 {`{"data":{"merchantId":"merchant-a"}}`, callback.Sender{Account: "merchant-a", KeyID: id, Previous: true}},
		"another merchant: as if none were named": {`{"data":{"merchantId":"merchant-d"}}`, callback.Sender{Account: "merchant-b", KeyID: id}},
		"an unknown merchant: the same":           {`{"data":{"merchantId":"merchant-x"}}`, callback.Sender{Account: "merchant-b", KeyID: id}},
		"none named: first of the newer ones":     {`{}`, callback.Sender{Account: "merchant-b", KeyID: id}},
		"unreadable: the same":                    {`{`, callback.Sender{Account: "merchant-b", KeyID: id}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for range 20 { // the order of a map's keys changes
				got, err := pivot.Provider{}.Verify(signed(t, []byte(test.body), shared), keys)
				if got.Sender != test.want || err != nil {
					t.Fatalf("Verify = %+v, %v, want %+v", got.Sender, err, test.want)
				}
			}
		})
	}
}

// An unknown key may belong to a merchant whose keys cannot be used.
func TestVerify_UnusableKeys(t *testing.T) {
	keys := callback.Keys{"merchant-a": {Flawed: true}, "merchant-b": {Current: "key-of-b"}}
	for name, test := range map[string]struct {
		body, key string
		want      error
	}{
		"the merchant of those keys":    {`{"data":{"merchantId":"merchant-a"}}`, "some-key", callback.ErrUnusableKeys},
		"with the key of another":       {`{"data":{"merchantId":"merchant-a"}}`, "key-of-b", callback.ErrUnusableKeys},
		"a merchant that is not stored": {`{"data":{"merchantId":"merchant-c"}}`, "some-key", callback.ErrUnauthenticated},
		"another merchant, forged":      {`{"data":{"merchantId":"merchant-b"}}`, "some-key", callback.ErrUnauthenticated},
		"another merchant":              {`{"data":{"merchantId":"merchant-b"}}`, "key-of-b", nil},
		"no merchant named":             {`{}`, "some-key", callback.ErrUnusableKeys},
		"unreadable":                    {`{`, "some-key", callback.ErrUnusableKeys},
		"an empty key":                  {`{"data":{"merchantId":"merchant-b"}}`, "", callback.ErrUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := (pivot.Provider{}).Verify(signed(t, []byte(test.body), callback.Key(test.key)), keys); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// Two large bodies with the same beginning are different callbacks, and the merchant
// that the beginning names does not matter.
func TestParse_TooLarge(t *testing.T) {
	large := append(bytes.Replace(body(t, "bulk-done"), []byte(merchant), []byte(other), 1),
		bytes.Repeat([]byte(" "), callback.MaxBody)...)
	subjects := map[string]bool{}
	for _, last := range []string{" ", "x"} {
		request := signed(t, append(bytes.Clone(large), last...), "pivot-demo-key-current")
		verified, err := pivot.Provider{}.Verify(request, testKeys())
		if err != nil || verified.Sender.Account != merchant {
			t.Fatalf("Verify = %+v, %v, want account %s", verified.Sender, err, merchant)
		}
		_, held := verified.Event()
		if held == nil || held.Reason != callback.ReasonTooLarge {
			t.Fatalf("Parse = %+v, want held %s", held, callback.ReasonTooLarge)
		}
		for _, want := range []string{fmt.Sprint(len(large) + 1), fmt.Sprintf("%x", request.BodySHA256())} {
			if !strings.Contains(held.Note, want) {
				t.Errorf("note %q lacks %s", held.Note, want)
			}
		}
		subjects[string(held.Subject)] = true
	}
	if len(subjects) != 2 {
		t.Errorf("%d subjects for two bodies", len(subjects))
	}
}

func TestParse_LargestBody(t *testing.T) {
	whole := body(t, "single-success")
	whole = append(whole, bytes.Repeat([]byte(" "), callback.MaxBody-len(whole))...)
	if event, held := parse(t, whole); held != nil || event.Status != payout.Succeeded {
		t.Errorf("Parse = %+v, %+v, want succeeded", event, held)
	}
}

func TestParse_HeldSubject(t *testing.T) {
	subjects := func(bodies ...string) map[string]bool {
		seen := map[string]bool{}
		for _, text := range bodies {
			_, held := parse(t, []byte(text))
			if held == nil {
				t.Fatalf("%s is not held", text)
			}
			seen[string(held.Subject)] = true
		}
		return seen
	}
	copies := subjects(`{"event":"X","n":9007199254740993}`, ` { "n" : 9007199254740993,"event":"\u0058"}`)
	if len(copies) != 1 {
		t.Errorf("copies of one body have %d subjects: %v", len(copies), copies)
	}
	others := subjects(`{"event":"X","n":9007199254740993}`, `{"event":"X","n":9007199254740992}`, `{"event":"Y"}`, `{}`, ``, `[]`, ` x`, `x`)
	if len(others) != 8 {
		t.Errorf("8 bodies have %d subjects: %v", len(others), others)
	}
}

func TestParse_HeldNote(t *testing.T) {
	tests := map[string]string{
		"held-payouts-array":         "payouts: an array, want an object",
		"held-results-is-a-number":   "payoutResults: 7, want an object",
		"held-amount-flat":           `payouts.amount: "100000", want an object`,
		"held-amount-is-a-number":    "amount.value: 100000, want a plain decimal in a string",
		"held-uuid-missing":          "uuid: missing, want letters",
		"held-status-disagrees-bulk": "event PAYOUT.DONE, but status PENDING",
		"held-duplicate-names":       "duplicate object member name",
		"held-reason-too-long":       "901 bytes more",
	}
	for name, want := range tests {
		if _, held := parse(t, body(t, name)); held == nil || !strings.Contains(held.Note, want) {
			t.Errorf("%s: held = %+v, want a note with %q", name, held, want)
		}
	}
}

func TestSign_DocumentedHeaders(t *testing.T) {
	got, header, err := pivot.Provider{}.Sign([]byte("any bytes"), "some-key", time.Time{})
	if err != nil || string(got) != "any bytes" {
		t.Errorf("Sign = %q, %v, want the body as it is", got, err)
	}
	want := http.Header{"X-Api-Key": {"some-key"}, "Content-Type": {"application/JSON"}, "Accept": {"application/JSON"}}
	if diff := cmp.Diff(want, header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// body returns a vector's body.
func body(t testing.TB, name string) []byte {
	t.Helper()
	for _, vector := range providertest.Vectors(t, "testdata") {
		if vector.Name == name {
			return vector.Body
		}
	}
	t.Fatalf("no vector %s", name)
	return nil
}

func signed(t testing.TB, body []byte, key callback.Key) callback.Request {
	t.Helper()
	body, header, err := pivot.Provider{}.Sign(body, key, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return callback.NewRequest(payout.TypePayout, header, body)
}

// parse parses a body that the merchant has sent.
func parse(t testing.TB, body []byte) (payout.Event, *callback.Held) {
	t.Helper()
	request := signed(t, body, "pivot-demo-key-current")
	verified, err := pivot.Provider{}.Verify(request, testKeys())
	if err != nil {
		t.Fatal(err)
	}
	return verified.Event()
}
