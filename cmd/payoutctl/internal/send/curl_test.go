package send_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/pivot"
)

// signedProvider is Pivot with another way to sign.
type signedProvider struct {
	provider.Callbacks

	sign func(key callback.Key) (http.Header, error)
}

func (s signedProvider) Sign(body []byte, key callback.Key, _ time.Time) ([]byte, http.Header, error) {
	header, err := s.sign(key)
	return body, header, err
}

func TestCallback_Curl(t *testing.T) {
	for name, test := range map[string]struct {
		sign func(key callback.Key) (http.Header, error)
		body string
		want string
	}{
		"key in a header": {
			func(key callback.Key) (http.Header, error) { return http.Header{"X-Proof": {string(key)}}, nil }, `{"memo":"it's"}`,
			`curl -i -H 'Content-Type: application/json' -H 'X-Proof: KEY' --data-binary '{"memo":"it'\''s"}' https://example.org/callbacks/pivot/payout`,
		},
		"signature in a header": {
			func(key callback.Key) (http.Header, error) {
				return http.Header{"X-Proof": {"hash of " + string(key)}}, nil
			}, "{\n}",
			"curl -i -H 'Content-Type: application/json' -H 'X-Proof: SIGNATURE' --data-binary '{\n}' https://example.org/callbacks/pivot/payout",
		},
		"body that cannot be signed": {
			func(callback.Key) (http.Header, error) { return nil, errors.New("not JSON") }, "x",
			`curl -i -H 'Content-Type: application/json' --data-binary 'x' https://example.org/callbacks/pivot/payout`,
		},
		"body that a command line cannot contain": {
			func(callback.Key) (http.Header, error) { return http.Header{}, nil }, "\x1b", "",
		},
	} {
		d := pivot.Description()
		d.Callbacks, d.ProofHeader = signedProvider{d.Callbacks, test.sign}, "X-Proof"
		out := send.Callback{Provider: d, Kind: "payout"}
		if got := out.Curl("https://example.org/", []byte(test.body)); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, test.want)
		}
	}
}
