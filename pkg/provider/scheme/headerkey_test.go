package scheme_test

import (
	"errors"
	"net/http"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/scheme"
)

const apiKey = scheme.HeaderKey("X-Api-Key")

func TestHeaderKey_Values(t *testing.T) {
	keys := callback.Keys{"a": {Current: "key-of-a", Previous: "older"}, "b": {Current: "with, commas"}, "c": {}}
	for name, test := range map[string]struct {
		values []string
		want   string
	}{
		"the current key":     {[]string{"key-of-a"}, "a"},
		"the previous key":    {[]string{"older"}, "a"},
		"with commas":         {[]string{"with, commas"}, "b"},
		"twice, in two lines": {[]string{"key-of-a", "key-of-a"}, "a"},
		"twice, joined":       {[]string{"key-of-a, key-of-a"}, "a"},
		"two keys":            {[]string{"key-of-a", "older"}, ""},
		"beside a forged one": {[]string{"key-of-a", "forged"}, ""},
		"another case":        {[]string{"KEY-OF-A"}, ""},
		"a prefix":            {[]string{"key-of-"}, ""},
		"a longer one":        {[]string{"key-of-ab"}, ""},
		"empty":               {[]string{""}, ""},
		"no header":           {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sender, err := apiKey.Verify(http.Header{"X-Api-Key": test.values}, keys, scheme.Claim{Account: noAccount})
			if sender.Account != test.want || (test.want == "") != errors.Is(err, callback.ErrUnauthenticated) {
				t.Errorf("got %+v, %v, want account %q", sender, err, test.want)
			}
		})
	}
}

// The body decides among accounts that share a key, and no body makes another account
// the sender.
func TestClaim_SharedKey(t *testing.T) {
	keys := callback.Keys{"a": {Current: "new", Previous: "shared"}, "b": {Current: "shared"}, "c": {Current: "shared"}, "d": {Current: "other"}}
	for claimed, want := range map[string]string{"c": "c", "a": "a", "d": "b", "x": "b", "": "b"} {
		for range 20 { // the order of a map's keys changes
			claim := scheme.Claim{Account: func() string { return claimed }}
			if sender, err := apiKey.Verify(apiKey.Sign("shared"), keys, claim); err != nil || sender.Account != want {
				t.Fatalf("a body of %q: got %+v, %v, want account %s", claimed, sender, err, want)
			}
		}
	}
}

// A refused request is not read.
func TestClaim_RefusedWithoutReading(t *testing.T) {
	claim := scheme.Claim{Account: func() string { t.Error("the body is read"); return "" }}
	if _, err := apiKey.Verify(apiKey.Sign("forged"), callback.Keys{"a": {Current: "key"}}, claim); !errors.Is(err, callback.ErrUnauthenticated) {
		t.Error(err)
	}
}
