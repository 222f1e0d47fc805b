package providertest_test

import (
	"net/http"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider/scheme"
	"payout-callbacks/pkg/testkit/providertest"
)

// newDatedToy returns a toy whose proof has the time of signing.
func newDatedToy(tolerance time.Duration) toy {
	dated := scheme.HMAC{
		Header: "X-Proof", Timestamp: &scheme.Timestamp{Header: "X-Time", Text: "{t}.", Tolerance: tolerance},
	}
	return toy{
		sign: func(body []byte, key callback.Key, at time.Time) ([]byte, http.Header, error) {
			return body, dated.Sign(body, key, at), nil
		},
		verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
			fields, _ := flat(r.Body)
			sender, err := dated.Verify(r, k, scheme.Claim{Account: func() string { return fields["account"] }})
			if err == nil && sender.Account != fields["account"] {
				return callback.Sender{}, callback.ErrUnauthenticated
			}
			return sender, err
		},
	}
}

// newToyOfAge returns a toy that verifies a callback only if its age at receipt, since
// vectors are signed, is in tolerance.
func newToyOfAge(isTolerated func(time.Duration) bool) toy {
	request, err := providertest.Vector{Account: "a"}.Request(dated{}, keys())
	if err != nil {
		panic(err)
	}
	return toy{verify: func(r callback.Request, k callback.Keys) (callback.Sender, error) {
		if !isTolerated(r.ReceivedAt().Sub(request.ReceivedAt())) {
			return callback.Sender{}, callback.ErrUnauthenticated
		}
		return sound.authenticate(r, k)
	}}
}

func brokenTimes() map[string]broken {
	return map[string]broken{
		"tolerates no difference of clocks":   {requirement: "signing-time", provider: newDatedToy(0)},
		"tolerates no clock that is ahead":    {requirement: "signing-time", provider: newToyOfAge(func(age time.Duration) bool { return age >= 0 })},
		"tolerates no time on the way":        {requirement: "signing-time", provider: newToyOfAge(func(age time.Duration) bool { return age <= 0 || age > time.Hour })},
		"verifies a copy for ever":            {requirement: "signing-time", provider: newDatedToy(1_000_000 * time.Hour)},
		"refuses by a time that nobody signs": {requirement: "signing-time", provider: newToyOfAge(func(age time.Duration) bool { return age < time.Hour })},
	}
}

// A scheme with the time of signing passes each requirement, also if it is verified as
// long as the provider sends it again.
func TestSuite_ProviderWithTimestamps(t *testing.T) {
	for _, tolerance := range []time.Duration{10 * time.Second, 5 * time.Minute, 24 * time.Hour} {
		if results := providertest.Results(t, suite(newDatedToy(tolerance), toyAPI{}), fsOf(testdata())); len(results) > 0 {
			t.Errorf("tolerance %s: %v", tolerance, results)
		}
	}
}
