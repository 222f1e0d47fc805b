package providertest_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/testkit/providertest"
)

const header = "expect: accepted\ntype: payout\nsource: own\n"

func TestLoad(t *testing.T) {
	tests := map[string]struct {
		file string
		body string // wanted
		err  string // part of the error, "" for none
	}{
		"a body":                      {header + "-- body --\n{}\n", "{}", ""},
		"the last newline is txtar's": {header + "-- body --\n{}\n\n", "{}\n", ""},
		"no body at all":              {header + "-- body --\n", "", ""},
		"other bytes":                 {header + "-- body.quoted --\n\"\\xff\\n\"\n\"[\" x3\n", "\xff\n[[[", ""},
		"an unknown header line":      {header + "expct: held\n-- body --\n", "", "unknown header line"},
		"an unknown file":             {header + "-- body --\n-- evnt.json --\n", "", "unknown file"},
		"two bodies":                  {header + "-- body --\n-- body.quoted --\n", "", "2 bodies"},
		"no body":                     {header, "", "0 bodies"},
		"an unknown verdict":          {"expect: fine\n" + "-- body --\n", "", "not a verdict"},
		"held for no reason":          {"expect: held\n-- body --\n", "", "only held has a reason"},
		"no type":                     {"expect: accepted\nsource: own\n-- body --\n", "", "no type"},
		"no source":                   {"expect: accepted\ntype: payout\n-- body --\n", "", "no source"},
		"an unknown key":              {header + "sign: a next\n-- body --\n", "", "not a key of an account"},
		"an invalid header":           {header + "-- headers --\nX\n-- body --\n", "", "is not a header"},
		"an event of a refused callback": {strings.Replace(header, "accepted", "unauthentic", 1) + "-- body --\n-- event.json --\n{}\n", "",
			"only an accepted"},
		"an invalid repetition": {header + "-- body.quoted --\n\"a\" x-1\n", "", "and a count"},
		"an invalid string":     {header + "-- body.quoted --\na\n", "", "body.quoted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			vectors, err := providertest.Load(fstest.MapFS{
				"case.txtar":    {Data: []byte(test.file)},
				"replies.txtar": {Data: []byte("no vector")},
			})
			switch {
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("error = %v, want one with %q", err, test.err)
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err == "" && (len(vectors) != 1 || string(vectors[0].Body) != test.body):
				t.Errorf("vectors = %+v, want one with body %q", vectors, test.body)
			}
		})
	}
}

func TestSigned_NamedKey(t *testing.T) {
	file := header + "sign: a previous\n-- headers --\nX-Extra: 1\n-- body --\n{\"account\":\"a\"}\n"
	vectors, err := providertest.Load(fstest.MapFS{"case.txtar": {Data: []byte(file)}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := vectors[0].Request(toy{}, keys())
	if err != nil {
		t.Fatal(err)
	}
	verified, err := toy{}.Verify(request, keys())
	if err != nil || !verified.Sender.Previous || request.Header.Get("X-Extra") != "1" {
		t.Errorf("Verify = %+v, %v with headers %v", verified.Sender, err, request.Header)
	}
	if _, err := vectors[0].Request(toy{}, callback.Keys{"a": {Current: "key-of-a"}}); err == nil {
		t.Error("signed with a missing key")
	}
}

func TestFormat_LoadsAgain(t *testing.T) {
	for _, body := range []string{"", "{}", "{\n}\n", "a\r\nb", "\t", "-- body --\n", "x\n-- body --\ny", "\xff\x00\u202e\ufffd", `"quoted"`} {
		v := providertest.Vector{Why: "w", Source: "own", Expect: "held unknown-status", Type: "payout", Account: "a", Body: []byte(body)}
		vectors, err := providertest.Load(fstest.MapFS{"case.txtar": {Data: v.Format()}})
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		got := vectors[0]
		if string(got.Body) != body || got.Why != v.Why || got.Source != v.Source || got.Expect != v.Expect || got.Type != v.Type || got.Account != v.Account {
			t.Errorf("%q is loaded as %+v", body, got)
		}
	}
}

// dated signs with the time, as a scheme with a timestamp does.
type dated struct{ toy }

func (dated) Sign(body []byte, _ callback.Key, at time.Time) ([]byte, http.Header, error) {
	return body, http.Header{"Date": {at.String()}}, nil
}

// A vector is received when it is signed, so that its timestamp is within the tolerance.
func TestVector_ReceivedWhenSigned(t *testing.T) {
	request, err := providertest.Vector{Account: "a"}.Request(dated{}, callback.Keys{"a": {Current: "key"}})
	if err != nil || request.ReceivedAt().IsZero() || request.Header.Get("Date") != request.ReceivedAt().String() {
		t.Errorf("signed at %s, received at %s, %v", request.Header.Get("Date"), request.ReceivedAt(), err)
	}
}
