package providertest

import (
	"io/fs"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

// Results returns the error of each requirement that a suite does not fulfil.
func Results(t *testing.T, s Suite, testdata fs.FS) map[string]error {
	t.Helper()
	loaded, err := s.load(testdata)
	if err != nil {
		t.Fatal(err)
	}
	results := map[string]error{}
	for _, r := range Requirements() {
		if r.check == nil {
			continue
		}
		if err := loaded.run(r); err != nil {
			results[r.Name] = err
		}
	}
	return results
}

// FuzzedBody checks a body as FuzzParse does.
func FuzzedBody(t *testing.T, s Suite, testdata fs.FS, body string) error {
	t.Helper()
	loaded, err := s.load(testdata)
	if err != nil {
		t.Fatal(err)
	}
	signed, header, err := loaded.Sign([]byte(body), s.Keys["a"].Current, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	return loaded.checkParsed(callback.NewRequest(payout.TypePayout, header, signed), "a")
}

// CheckAnswer checks an answer as FuzzAnswer does.
func CheckAnswer(asked payout.ID, answer reconcile.Answer) error { return checkAnswer(asked, answer) }

// IsNotWritten reports whether an error says only that evidence is missing.
func IsNotWritten(err error) bool { return isNotWritten(err) }

// CheckKeys checks the keys of a suite, as Run does.
func CheckKeys(s Suite) error { return s.checkKeys() }
