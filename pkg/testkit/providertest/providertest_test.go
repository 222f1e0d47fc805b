package providertest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/testkit/providertest"
)

func keys() callback.Keys {
	return callback.Keys{
		"a": {Current: "key-of-a", Previous: "old-key-of-a"},
		"b": {Current: "key-of-b"},
	}
}

func suite(p toy, api toyAPI) providertest.Suite {
	return providertest.Suite{Description: describe(p, api), Keys: keys(), Personal: []string{"Ada Lovelace"}, Respond: respond}
}

// testdata is the evidence of the toy, by file.
func testdata() map[string]string {
	const ask = "source: https://example.org/query, 2026-03-02\nask: toy/payout/a/7\n"
	answered := func(status string) string {
		return "-- answer.json --\n{\n  \"outcome\": \"answered\",\n  \"statements\": [\n    {\n      \"event\": {\n        \"id\": \"toy/payout/a/7\",\n" +
			"        \"source\": \"query\",\n        \"status\": \"" + status + "\",\n        \"amount\": \"2.5\"\n      },\n      \"body\": {}\n    }\n  ]\n}\n"
	}
	outcome := func(lines string) string { return "-- answer.json --\n{\n  \"outcome\": " + lines + "\n}\n" }
	return map[string]string{
		"paid.txtar": `expect: accepted
type: payout
source: https://example.org/callbacks, 2026-03-02
sign: a
-- body --
{"account": "a", "id": "7", "status": "paid", "amount": "2.5", "to": "X1", "currency": "EUR", "memo": "m"}
-- event.json --
{
  "id": "toy/payout/a/7",
  "status": "succeeded",
  "amount": "2.5",
  "currency": "EUR",
  "to": "x1",
  "memo": "m"
}
`,
		"unknown.txtar": "expect: held unknown-status\ntype: payout\nsource: own\nsign: a\n-- body --\n{\"account\": \"a\", \"id\": \"7\", \"status\": \"odd\"}\n",
		"forged.txtar":  "expect: unauthentic\ntype: payout\nsource: own\n-- body --\n{\"account\": \"a\", \"id\": \"7\", \"status\": \"paid\", \"sign\": \"0\"}\n",
		"replies.txtar": `source: https://example.org/callbacks, 2026-03-02
retried: 5xx
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
-- unavailable retried --
503 text/plain
`,
		"statuses.txt": "source: https://example.org/statuses, 2026-03-02\nvector: paid\n" +
			"succeeded {\"status\": \"paid\"}\nfailed {\"status\": \"failed\"}\nheld unknown-status {\"status\": \"new\"}\n",
		"spellings.txt": "source: own\nvector: paid\nsame recipient\n{\"to\": \"x1\"}\n{}\nsame currency\n{\"currency\": \"eur\"}\n{}\n" +
			"different events\n{}\n{\"to\": \"X2\"}\n{\"memo\": \"M\"}\n{\"status\": \"failed\"}\n" +
			"different payouts\n{}\n{\"id\": \"8\"}\n",
		"answers/statuses.txt": "source: https://example.org/query, 2026-03-02\nvector: failed\nrequest: GET /payouts/7?page=1\n" +
			"succeeded {\"status\": \"paid\"}\nheld unknown-status {\"status\": \"new\"}\n",
		"answers/paid.txtar": ask + "-- GET /payouts/7?page=1 --\n{\"pages\": \"2\", \"name\": \"Ada Lovelace\"}\n" +
			"-- GET /payouts/7?page=2 --\n{\"pages\": \"2\", \"status\": \"paid\", \"amount\": \"2.5\"}\n" + answered("succeeded"),
		"answers/failed.txtar":  ask + "-- GET /payouts/7?page=1 --\n{\"pages\": \"1\", \"status\": \"failed\", \"amount\": \"2.5\"}\n" + answered("failed"),
		"answers/unknown.txtar": ask + "-- GET /payouts/7?page=1 404 --\n{\"code\": \"unknown\"}\n" + outcome(`"not-found"`),
		"answers/working.txtar": ask + "-- GET /payouts/7?page=1 --\n{\"pages\": \"1\", \"status\": \"working\"}\n" + outcome(`"in-process"`),
		"answers/limited.txtar": ask + "-- GET /payouts/7?page=1 429 Retry-After:30 --\n{}\n" +
			outcome("\"rate-limited\",\n  \"detail\": \"HTTP 429\",\n  \"retryAfter\": \"30s\""),
	}
}

func fsOf(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestSuite_SoundProvider(t *testing.T) {
	if results := providertest.Results(t, suite(toy{}, toyAPI{}), fsOf(testdata())); len(results) > 0 {
		t.Errorf("%v", results)
	}
}

// A requirement that no provider fails is none.
func TestSuite_BrokenProvider(t *testing.T) {
	failed := map[string]bool{}
	for name, test := range allBroken() {
		t.Run(name, func(t *testing.T) {
			files := testdata()
			for file, change := range test.files {
				if files[file] = strings.Replace(files[file], change[0], change[1], 1); files[file] == testdata()[file] {
					t.Fatalf("%s has no %q", file, change[0])
				}
			}
			s := suite(test.provider, test.api)
			s.None, s.Description.ProofHeader = test.none, test.proofHeader
			results := providertest.Results(t, s, fsOf(files))
			if err := results[test.requirement]; err == nil || providertest.IsNotWritten(err) {
				t.Errorf("failed: %q, want %q among them, got %v", slices.Sorted(maps.Keys(results)), test.requirement, err)
			}
			failed[test.requirement] = true
		})
	}
	for _, r := range providertest.Requirements() {
		if strings.HasPrefix(r.Test, "TestProvider/") && !failed[r.Name] {
			t.Errorf("no provider fails %s", r.Name)
		}
	}
}

// A provider without evidence passes nothing that the evidence would show.
func TestSuite_MissingEvidence(t *testing.T) {
	bare := map[string]string{"forged.txtar": testdata()["forged.txtar"]}
	results := providertest.Results(t, suite(toy{}, toyAPI{}), fsOf(bare))
	withoutEvidence := []string{"restored-bodies", "query-credentials"} // their cases are the suite's
	for _, r := range providertest.Requirements() {
		if strings.HasPrefix(r.Test, "TestProvider/") && !slices.Contains(withoutEvidence, r.Name) && !providertest.IsNotWritten(results[r.Name]) {
			t.Errorf("%s: got %v, want it not written", r.Name, results[r.Name])
		}
	}
	held := testdata()
	delete(held, "paid.txtar")
	s := suite(toy{}, toyAPI{})
	s.Keys = callback.Keys{"a": {Current: "key-of-a"}, "b": {Current: "key-of-b", Previous: "old-key-of-b"}}
	for _, requirement := range []string{"cut-bodies", "previous-key", "query-agreement"} { // no vector is accepted, nor of an account with two keys
		if err := providertest.Results(t, s, fsOf(held))[requirement]; !providertest.IsNotWritten(err) {
			t.Errorf("without a case: %s is %v, want it not written", requirement, err)
		}
	}
	for file, requirement := range map[string]string{
		"paid.txtar": "verdicts", "unknown.txtar": "verdicts", "forged.txtar": "verdicts", "replies.txtar": "retries", "statuses.txt": "statuses",
		"spellings.txt": "spellings", "answers/statuses.txt": "query-statuses", "answers/unknown.txtar": "query-not-found", "answers/working.txtar": "query-in-process",
		"answers/paid.txtar": "query-pages", "answers/limited.txtar": "query-rate-limits",
	} {
		files := testdata()
		delete(files, file)
		if file == "paid.txtar" {
			delete(files, "statuses.txt")
			delete(files, "spellings.txt")
		}
		if err := providertest.Results(t, suite(toy{}, toyAPI{}), fsOf(files))[requirement]; !providertest.IsNotWritten(err) {
			t.Errorf("without %s: %s is %v, want it not written", file, requirement, err)
		}
	}
}

func TestSuite_None(t *testing.T) {
	files := testdata()
	files["spellings.txt"] = strings.Replace(files["spellings.txt"], "same recipient", "same account", 1)
	s := suite(toy{}, toyAPI{})
	s.None = map[string]string{"recipients": "no callback names a recipient"}
	if err := providertest.Results(t, s, fsOf(files))["recipients"]; err != nil {
		t.Errorf("a reason takes the place of evidence: %v", err)
	}
	s = suite(toy{}, toyAPI{})
	s.Description.Expectations = nil
	if err := providertest.Results(t, s, fsOf(files))["expectations"]; !providertest.IsNotWritten(err) {
		t.Errorf("no expectations and no reason: %v", err)
	}
	s.None = map[string]string{"expectations": "our service orders by hand"}
	if err := providertest.Results(t, s, fsOf(files))["expectations"]; err != nil {
		t.Errorf("no expectations, with the reason: %v", err)
	}
	s = suite(toy{}, toyAPI{})
	s.Description.Queries = nil
	if err := providertest.Results(t, s, fsOf(files))["query-stale"]; !providertest.IsNotWritten(err) {
		t.Errorf("no queries and no reason: %v", err)
	}
	s.None = map[string]string{"queries": "the provider has no API"}
	if err := providertest.Results(t, s, fsOf(files))["query-stale"]; err != nil {
		t.Errorf("no queries, with the reason: %v", err)
	}
}

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
		want     string // part of the error
	}{
		"a reason is given":            {change(callback.Malformed, callback.Reply{Code: 400, Body: "bad JSON"}), "differs by reason"},
		"a refusal is retried":         {change(callback.Unauthenticated, callback.Reply{Code: 503, Body: "refused"}), "want a 4xx"},
		"our fault is the sender's":    {change(callback.Unavailable, callback.Reply{Code: 400}), "the fault is ours"},
		"our fault looks acknowledged": {change(callback.Unavailable, callback.Reply{Code: 503, Body: "success"}), "looks like"},
		"no acknowledgement":           {change(callback.Acknowledged, callback.Reply{}), "want 200"},
		"an unknown verdict succeeds":  {change("no such verdict", callback.Reply{Code: 200, Body: "success"}), "looks like"},
		"another content type":         {change(callback.Acknowledged, callback.Reply{Code: 200, ContentType: "text/html", Body: "success"}), "text/html"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := providertest.Results(t, suite(test.provider, toyAPI{}), fsOf(testdata()))["replies"]
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
}

// Codes without waits are never retried; the error says what is missing.
func TestSuite_RetriesWithoutWaits(t *testing.T) {
	s := suite(toy{}, toyAPI{})
	s.Description.Retries.Waits = nil
	if err := providertest.Results(t, s, fsOf(testdata()))["retries"]; err == nil || !strings.Contains(err.Error(), "no waits") {
		t.Errorf("error = %v, want one about waits", err)
	}
}

func TestSuite_Keys(t *testing.T) {
	for name, few := range map[string]callback.Keys{
		"one account":      {"a": {Current: "x", Previous: "y"}},
		"no previous keys": {"a": {Current: "x"}, "b": {Current: "y"}},
	} {
		if providertest.CheckKeys(providertest.Suite{Keys: few}) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
