package scheme_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/scheme"
)

var (
	plain  = scheme.HMAC{Header: "X-Signature"}
	github = scheme.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256="}
	stripe = scheme.HMAC{
		Header: "Stripe-Signature", Prefix: "v1=",
		Timestamp: &scheme.Timestamp{Prefix: "t=", Text: "{t}.", Tolerance: 5 * time.Minute},
	}
	slack = scheme.HMAC{
		Header: "X-Slack-Signature", Prefix: "v0=",
		Timestamp: &scheme.Timestamp{Header: "X-Slack-Request-Timestamp", Text: "v0:{t}:", Tolerance: 5 * time.Minute},
	}
)

const slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
	"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
	"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"

// published has requests that other programs signed: the examples of two providers' pages,
// and what openssl dgst -sha256 -hmac prints.
var published = map[string]struct {
	scheme scheme.HMAC
	key    callback.Key
	header map[string]string
	body   string
	at     int64
}{
	"https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries": {
		github, "It's a Secret to Everybody",
		map[string]string{"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}, "Hello, World!", 0,
	},
	"https://api.slack.com/authentication/verifying-requests-from-slack": {
		slack, "8f742231b10e8888abcd99yyyzzz85a5",
		map[string]string{
			"X-Slack-Signature":         "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
			"X-Slack-Request-Timestamp": "1531420618",
		}, slackBody, 1531420618,
	},
	"openssl, as https://docs.stripe.com/webhooks/signature": {
		stripe, "whsec_test",
		map[string]string{"Stripe-Signature": "t=1614265330,v1=98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d,v0=00"},
		`{"test": 2432232314}`, 1614265330,
	},
	"openssl, in base64": {
		scheme.HMAC{Header: "X-Signature", Encoding: scheme.Base64}, "key",
		map[string]string{"X-Signature": "iKZ/JLvNrtDmyZdAS7eadDuvRMa6svTCcyjjAJ0i40I="}, `{"a":1}`, 0,
	},
}

func newRequest(header http.Header, body string, at int64) callback.Request {
	return callback.NewRequest(payout.TypePayout, header, []byte(body)).WithReceivedAt(time.Unix(at, 0))
}

func noAccount() string { return "" }

func verify(s scheme.HMAC, request callback.Request, keys callback.Keys) (callback.Sender, error) {
	return s.Verify(request, keys, scheme.Claim{Account: noAccount})
}

func TestHMAC_PublishedSignatures(t *testing.T) {
	for name, test := range published {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			for name, value := range test.header {
				header.Set(name, value)
			}
			request := newRequest(header, test.body, test.at)
			sender, err := verify(test.scheme, request, callback.Keys{"a": {Current: "newer", Previous: test.key}})
			if want := (callback.Sender{Account: "a", KeyID: test.key.ID(), Previous: true}); err != nil || sender != want {
				t.Errorf("got %+v, %v, want %+v", sender, err, want)
			}
			request.Body = append(request.Body, '\n')
			if _, err := verify(test.scheme, request, callback.Keys{"a": {Current: test.key}}); !errors.Is(err, callback.ErrUnauthenticated) {
				t.Errorf("with a byte more: %v", err)
			}
		})
	}
}

// What Sign returns is verified, and nothing is with a bit flipped in a header or the
// body, a byte cut off, or the key of nobody.
func TestHMAC_SignedAndAltered(t *testing.T) {
	const key, body, at = callback.Key("key"), `{"account":"a"}`, 1614265330
	keys := callback.Keys{"a": {Current: key}, "b": {Current: "another"}}
	for name, test := range published {
		t.Run(name, func(t *testing.T) {
			header := test.scheme.Sign([]byte(body), key, time.Unix(at, 0))
			if sender, err := verify(test.scheme, newRequest(header, body, at), keys); err != nil || sender.Account != "a" {
				t.Fatalf("got %+v, %v", sender, err)
			}
			refuse := func(header http.Header, body string, keys callback.Keys, what string) {
				if _, err := verify(test.scheme, newRequest(header, body, at), keys); !errors.Is(err, callback.ErrUnauthenticated) {
					t.Errorf("%s: %v, want ErrUnauthenticated", what, err)
				}
			}
			for i := range body {
				flipped := []byte(body)
				flipped[i] ^= 1
				refuse(header, string(flipped), keys, "body "+string(flipped))
			}
			for name := range header {
				for i := range header.Get(name) {
					value := []byte(header.Get(name))
					value[i] ^= 1
					altered := header.Clone()
					altered.Set(name, string(value))
					refuse(altered, body, keys, name+": "+string(value))
				}
				for _, value := range []string{"", header.Get(name)[1:], header.Get(name)[:len(header.Get(name))-1], header.Get(name) + "0"} {
					altered := header.Clone()
					altered.Set(name, value)
					refuse(altered, body, keys, name+": "+value)
				}
				altered := header.Clone()
				altered.Del(name)
				refuse(altered, body, keys, "without "+name)
			}
			refuse(header, body, callback.Keys{"b": {Current: "another"}}, "the key of nobody")
			refuse(header, body, nil, "no keys")
		})
	}
}

func TestHMAC_Signatures(t *testing.T) {
	const body = "body"
	right := strings.TrimPrefix(github.Sign([]byte(body), "key", time.Time{}).Get(github.Header), github.Prefix)
	wrong := strings.Repeat("00", 32)
	for name, test := range map[string]struct {
		values     []string
		isVerified bool
	}{
		"one":                        {[]string{"sha256=" + right}, true},
		"the digits in upper case":   {[]string{"sha256=" + strings.ToUpper(right)}, true},
		"the prefix in upper case":   {[]string{"SHA256=" + right}, false},
		"no prefix":                  {[]string{right}, false},
		"the prefix alone":           {[]string{"sha256="}, false},
		"another scheme's":           {[]string{"sha1=" + right}, false},
		"a space in the middle":      {[]string{"sha256= " + right}, false},
		"twice, in two lines":        {[]string{"sha256=" + right, "sha256=" + right}, true},
		"a forged one before":        {[]string{"sha256=" + wrong + ",sha256=" + right}, true},
		"after a space":              {[]string{"sha256=" + wrong + " sha256=" + right}, true},
		"in the second line":         {[]string{"sha256=" + wrong, "sha256=" + right}, true},
		"forged ones only":           {[]string{"sha256=" + wrong, "sha256=" + wrong}, false},
		"joined without a separator": {[]string{"sha256=" + right + "sha256=" + right}, false},
		"of too many":                {[]string{strings.Repeat("x,", 16) + "sha256=" + right}, false},
		"of as many as are read":     {[]string{strings.Repeat("x,", 15) + "sha256=" + right}, true},
		"in too long a header":       {[]string{strings.Repeat(" ", 4096) + "sha256=" + right}, false},
		"empty":                      {[]string{""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			request := newRequest(http.Header{github.Header: test.values}, body, 0)
			_, err := verify(github, request, callback.Keys{"a": {Current: "key"}})
			if test.isVerified != (err == nil) || err != nil && !errors.Is(err, callback.ErrUnauthenticated) {
				t.Errorf("got %v, verified should be %v", err, test.isVerified)
			}
		})
	}
}

// A copy of an old request is refused, although its signature is right.
func TestHMAC_TimestampTolerance(t *testing.T) {
	const sent, body = 1614265330, "body"
	keys := callback.Keys{"a": {Current: "key"}}
	for _, s := range []scheme.HMAC{stripe, slack} {
		header := s.Sign([]byte(body), "key", time.Unix(sent, 0))
		for late, isVerified := range map[int64]bool{-301: false, -300: true, 0: true, 300: true, 301: false, -sent: false} {
			if _, err := verify(s, newRequest(header, body, sent+late), keys); isVerified != (err == nil) {
				t.Errorf("%s, received %d s later: %v", s.Header, late, err)
			}
		}
		request := callback.NewRequest(payout.TypePayout, header, []byte(body)) // of unknown time
		if _, err := verify(s, request, keys); !errors.Is(err, callback.ErrUnauthenticated) {
			t.Errorf("%s, received at an unknown time: %v", s.Header, err)
		}
	}
}

// A request with two timestamps is refused: the signature covers one of them.
func TestHMAC_TimestampForms(t *testing.T) {
	const sent, body = 1614265330, "body"
	keys := callback.Keys{"a": {Current: "key"}}
	signature := func(stamp string) string {
		unprefixed := scheme.HMAC{Header: "H"}.Sign([]byte(stamp+"."+body), "key", time.Time{})
		return ",v1=" + unprefixed.Get("H")
	}
	for value, isVerified := range map[string]bool{
		"t=1614265330" + signature("1614265330"):                           true,
		"t=01614265330" + signature("01614265330"):                         true,
		"t=1614265330,t=1614265330" + signature("1614265330"):              false,
		"t=1614265330,t=1614265331" + signature("1614265330"):              false,
		"t=+1614265330" + signature("+1614265330"):                         false,
		"t=1614265330.0" + signature("1614265330.0"):                       false,
		"t=1614265330000" + signature("1614265330000"):                     false,
		"t=" + signature(""):                                               false,
		"T=1614265330" + signature("1614265330"):                           false,
		"t=99999999999999999999" + signature("99999999999999999999"):       false,
		strings.TrimPrefix(signature("1614265330"), ",") + ",t=1614265330": true,
	} {
		_, err := verify(stripe, newRequest(http.Header{stripe.Header: {value}}, body, sent), keys)
		if isVerified != (err == nil) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// An empty key is not set yet: everybody can sign with it.
func TestHMAC_UnusableKeys(t *testing.T) {
	const body = "body"
	signed := func(key callback.Key) callback.Request {
		return newRequest(plain.Sign([]byte(body), key, time.Time{}), body, 0)
	}
	for name, test := range map[string]struct {
		request callback.Request
		keys    callback.Keys
		account string
		want    error
	}{
		"signed with an empty key":          {signed(""), callback.Keys{"a": {}, "b": {Current: "key"}}, "a", callback.ErrUnauthenticated},
		"of the account whose are unusable": {signed("key"), callback.Keys{"a": {Flawed: true}, "b": {}}, "a", callback.ErrUnusableKeys},
		"no account named":                  {signed("key"), callback.Keys{"a": {Flawed: true}, "b": {}}, "", callback.ErrUnusableKeys},
		"another account named":             {signed("key"), callback.Keys{"a": {Flawed: true}, "b": {}}, "b", callback.ErrUnauthenticated},
		"unsigned":                          {newRequest(http.Header{}, body, 0), callback.Keys{"a": {Flawed: true}}, "a", callback.ErrUnauthenticated},
		"the current one is right":          {signed("key"), callback.Keys{"a": {Current: "key", Flawed: true}}, "a", nil},
		"too large": {
			newRequest(plain.Sign(nil, "key", time.Time{}), strings.Repeat(" ", callback.MaxBody+1), 0),
			callback.Keys{"a": {Current: "key"}}, "a", callback.ErrTooLarge,
		},
	} {
		t.Run(name, func(t *testing.T) {
			claim := scheme.Claim{Account: func() string { return test.account }}
			if _, err := plain.Verify(test.request, test.keys, claim); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// No header verifies a request but one with the signature that Sign returns.
func FuzzHMAC(f *testing.F) {
	const body, at = "body", 1614265330
	for _, test := range published {
		for name := range test.header {
			f.Add(test.scheme.Sign([]byte(body), "key", time.Unix(at, 0)).Get(name), "1614265330")
			f.Add(test.header[name], "")
		}
	}
	f.Fuzz(func(t *testing.T, value, stamp string) {
		for _, test := range published {
			s := test.scheme
			header := http.Header{s.Header: {value}}
			if s.Timestamp != nil && s.Timestamp.Header != "" {
				header.Set(s.Timestamp.Header, stamp)
			}
			if _, err := verify(s, newRequest(header, body, at), callback.Keys{"a": {Current: "key"}}); err != nil {
				if !errors.Is(err, callback.ErrUnauthenticated) {
					t.Errorf("%v", err)
				}
				continue
			}
			isSigned := false
			for seconds := int64(at - 300); seconds <= at+300 && !isSigned; seconds++ { // each time within the tolerance
				signed := s.Sign([]byte(body), "key", time.Unix(seconds, 0)).Get(s.Header)
				signature := signed[strings.LastIndex(signed, ",")+1:]
				isSigned = strings.Contains(value, signature) || s.Encoding == scheme.Hex && containsHex(value, signature[len(s.Prefix):])
			}
			if !isSigned {
				t.Errorf("verified by %q, %q", value, stamp)
			}
		}
	})
}

// containsHex reports whether a text contains digits in either case.
func containsHex(text, digits string) bool {
	want, err := hex.DecodeString(digits)
	return err == nil && bytes.Contains(bytes.ToLower([]byte(text)), []byte(hex.EncodeToString(want)))
}
