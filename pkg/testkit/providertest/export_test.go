package providertest

import (
	"io/fs"
	"testing"
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

// IsNotWritten reports whether an error says only that evidence is missing.
func IsNotWritten(err error) bool { return isNotWritten(err) }

// CheckKeys checks the keys of a suite, as Run does.
func CheckKeys(s Suite) error { return s.checkKeys() }
