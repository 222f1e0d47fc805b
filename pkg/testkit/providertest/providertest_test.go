package providertest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/providertest"
)

func keys() callback.Keys {
	return callback.Keys{
		"a": {Current: "key-of-a", Previous: "old-key-of-a"},
		"b": {Current: "key-of-b"},
	}
}

func vector(expect, body string) providertest.Vector {
	v := providertest.Vector{Expect: expect, Type: payout.TypePayout, Source: "own", Account: "a", Body: []byte(body)}
	if expect == providertest.Accepted {
		v.Event = "{\n  \"id\": \"toy/payout/a/7\",\n  \"status\": \"succeeded\"\n}\n"
	}
	return v
}

var (
	paid    = vector(providertest.Accepted, `{"account": "a", "id": "7", "status": "paid", "memo": ""}`)
	unknown = vector("held unknown-status", `{"account": "a", "id": "7", "status": "odd"}`)
)

func TestLaws_SoundProvider(t *testing.T) {
	for _, v := range []providertest.Vector{paid, unknown} {
		if broken := providertest.Broken(toy{}, keys(), v); broken != nil {
			t.Errorf("%s: %q", v.Expect, broken)
		}
	}
}

func TestLaws_BrokenProvider(t *testing.T) {
	tests := brokenVerify()
	maps.Copy(tests, brokenParse())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if broken := providertest.Broken(test.provider, keys(), paid); !slices.Contains(broken, test.law) {
				t.Errorf("broken laws = %q, want %q among them", broken, test.law)
			}
		})
	}
}

func TestLaws_SubjectDependsOnBodyOnly(t *testing.T) {
	spaced := toy{parse: func(r callback.Request, _ callback.Sender) (payout.Event, *callback.Held) {
		return payout.Event{}, &callback.Held{Reason: callback.ReasonStatus, Note: "note", Subject: r.Body}
	}}
	if broken := providertest.Broken(spaced, keys(), unknown); len(broken) == 0 {
		t.Error("a subject that depends on the signature was not found")
	}
}

const goodReplies = `
-- acknowledged --
200 text/plain
success
-- unauthentic --
401 text/plain
refused
-- malformed --
400 text/plain
refused
-- too-large --
413 text/plain
refused
-- unavailable --
503 text/plain
`

func TestReplies(t *testing.T) {
	change := func(verdict callback.Verdict, to callback.Reply) toy {
		return toy{reply: func(v callback.Verdict) callback.Reply {
			if v == verdict {
				return to
			}
			return toy{}.Reply(v)
		}}
	}
	tests := map[string]struct {
		provider toy
		want     string // part of the error; "" for none
	}{
		"as in the table":              {toy{}, ""},
		"a reason is given":            {change(callback.Malformed, callback.Reply{Code: 400, Body: "bad JSON"}), "differs by reason"},
		"a refusal is retried":         {change(callback.Unauthenticated, callback.Reply{Code: 503, Body: "refused"}), "want a 4xx"},
		"our fault is the sender's":    {change(callback.Unavailable, callback.Reply{Code: 400}), "the fault is ours"},
		"our fault looks acknowledged": {change(callback.Unavailable, callback.Reply{Code: 503, Body: "success"}), "looks like"},
		"no acknowledgement":           {change(callback.Acknowledged, callback.Reply{}), "want 200"},
		"an unknown verdict succeeds":  {change("no such verdict", callback.Reply{Code: 200, Body: "success"}), "looks like"},
		"another content type":         {change(callback.Acknowledged, callback.Reply{Code: 200, ContentType: "text/html", Body: "success"}), "text/html"},
	}
	fsys := fstest.MapFS{"replies.txtar": {Data: []byte(goodReplies)}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := providertest.CheckReplies(test.provider, fsys)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestRun_RequiredCases(t *testing.T) {
	for name, few := range map[string]callback.Keys{
		"one account":      {"a": {Current: "x", Previous: "y"}},
		"no previous keys": {"a": {Current: "x"}, "b": {Current: "y"}},
	} {
		if providertest.CheckKeys(few) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := providertest.CheckKeys(keys()); err != nil {
		t.Error(err)
	}
	forged := vector(providertest.Unauthentic, `{}`)
	if err := providertest.CheckKinds(toy{}, []providertest.Vector{paid, unknown, forged}); err != nil {
		t.Error(err)
	}
	for _, few := range [][]providertest.Vector{{paid, unknown}, {paid, forged}, {unknown, forged}} {
		if providertest.CheckKinds(toy{}, few) == nil {
			t.Error("no error for a missing kind of vector")
		}
	}
}
