package provider_test

import (
	"slices"
	"testing"
	"time"

	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
)

func TestVariable(t *testing.T) {
	for parameter, want := range map[string]string{
		"CregisKnownFields": "CREGIS_KNOWN_FIELDS", "ReferencePattern": "REFERENCE_PATTERN", "Acme24Queries": "ACME24_QUERIES",
	} {
		if got := provider.Variable(parameter); got != want {
			t.Errorf("variable of %s is %s, want %s", parameter, got, want)
		}
	}
}

func TestAccount_MatchesWholeIDs(t *testing.T) {
	for _, d := range []provider.Description{cregis.Description(), pivot.Description()} {
		if example := d.Account.Example; !d.Account.Matches(example) || d.Account.Matches(example+"\n") || d.Account.Matches("x"+example) {
			t.Errorf("%s does not match its example as a whole", d.Title)
		}
	}
}

func TestRetries_Wait(t *testing.T) {
	retries := pivot.Description().Retries
	for code, isRetried := range map[int]bool{200: false, 400: false, 401: false, 407: false, 408: true, 409: false, 429: true, 499: false, 500: true, 503: true, 599: true} {
		var waits []time.Duration
		for attempt := 1; ; attempt++ {
			wait, ok := retries.Wait(attempt, code)
			if !ok {
				break
			}
			waits = append(waits, wait)
		}
		if want := map[bool][]time.Duration{true: retries.Waits}[isRetried]; !slices.Equal(waits, want) {
			t.Errorf("after %d: waits %v, want %v", code, waits, want)
		}
	}
	if _, ok := cregis.Description().Retries.Wait(1, 503); ok {
		t.Error("Cregis retries")
	}
}
