package providertest

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
)

const testdata = "testdata"

// Provider is a provider that can also sign callbacks.
type Provider interface {
	callback.Provider
	callback.Signer
}

// Suite is a provider under test.
type Suite struct {
	Description provider.Description
	// Keys has at least two accounts, and a previous key of the account that signs.
	Keys callback.Keys
	// Personal are parts of the documented answers that no statement may keep: what they
	// state about the recipient's account.
	Personal []string
	// Respond returns the provider's API, as it answers about the payout of a callback; nil
	// for a payout about which it has no answer.
	Respond func(callback []byte) http.Handler
	// None has the reason why a requirement does not apply, by its name: no callback names
	// a recipient. The name "queries" stands for all requirements on queries.
	None map[string]string
}

// suite is a Suite with its vectors.
type suite struct {
	Suite
	provider.Callbacks

	sendsKey bool  // the scheme covers no byte of the body
	fsys     fs.FS // testdata
	vectors  []Vector
	answers  []AnswerVector
}

func (s Suite) load(fsys fs.FS) (*suite, error) {
	if err := s.checkKeys(); err != nil {
		return nil, err
	}
	vectors, err := Load(fsys)
	if err != nil {
		return nil, err
	}
	answers, err := loadAnswers(fsys, answersDir)
	return &suite{Suite: s, Callbacks: s.Description.Callbacks, sendsKey: s.Description.SendsKey(), fsys: fsys, vectors: vectors, answers: answers}, err
}

// update is a flag of tests only: a binary that loads vectors has no such flag.
var update = updateFlag()

func updateFlag() *bool {
	if !testing.Testing() {
		return new(bool)
	}
	return flag.Bool("update", false, "rewrite the wanted events and answers in testdata")
}

// Run checks each requirement on a provider with the vectors and tables in testdata, in a
// subtest with its name. It skips a requirement whose evidence is not written.
func Run(t *testing.T, s Suite) {
	t.Helper()
	loaded, err := s.load(os.DirFS(testdata))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := loaded.rewrite(); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range Requirements() {
		reason := s.None[loaded.noneName(r)]
		if r.check == nil && reason == "" {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			switch err := loaded.run(r); {
			case isNotWritten(err):
				t.Skip(err)
			case err != nil:
				t.Error(err)
			case reason != "":
				t.Log("does not apply: " + reason)
			}
		})
	}
}

// Vectors loads the vectors in dir for another test, such as the seeds of a fuzz target
// or the requests of an end-to-end test.
func Vectors(t testing.TB, dir string) []Vector {
	t.Helper()
	vectors, err := Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(vectors) == 0 {
		t.Fatalf("no vectors in %s", dir)
	}
	return vectors
}

// checkKeys refuses keys with which a law would have no cases.
func (s Suite) checkKeys() error {
	if len(s.Keys) < 2 {
		return errors.New("keys: want at least two accounts")
	}
	for _, accountKeys := range s.Keys {
		if accountKeys.Previous != "" {
			return nil
		}
	}
	return errors.New("keys: want an account with a previous key")
}

// checkVerdicts checks that each vector gets its verdict, and that the vectors are those
// that every provider has: an accepted callback of each type, a forged one, and one with
// an unknown status.
func (s *suite) checkVerdicts() error {
	faults := []error{s.each(s.verdict)}
	for _, want := range []string{Unauthentic, Held + " " + string(callback.ReasonStatus)} {
		if !slices.ContainsFunc(s.vectors, func(v Vector) bool { return v.Expect == want }) {
			faults = append(faults, notWrittenError("a vector that expects "+want))
		}
	}
	for _, kind := range s.Types() {
		if !slices.ContainsFunc(s.vectors, func(v Vector) bool { return v.Type == kind && v.Expect == Accepted }) {
			faults = append(faults, notWrittenError("an accepted vector of type "+string(kind)))
		}
	}
	return errors.Join(faults...)
}

// checkSources checks that each vector is the tests' own or names a page and its date, and
// that a page has an accepted callback.
func (s *suite) checkSources() error {
	var faults []error
	isDocumented := false
	check := func(name, source string, accepted bool) {
		isPage := strings.Contains(source, "://")
		isDocumented = isDocumented || isPage && accepted
		if isPage && !hasDate(source) || !isPage && !strings.HasPrefix(source, "own") {
			faults = append(faults, fmt.Errorf("%s: source %q: want a page and the date on which it was read, or own", name, source))
		}
	}
	for _, v := range s.vectors {
		check(v.Name, v.Source, v.Expect == Accepted)
	}
	for _, v := range s.answers {
		check(answersDir+"/"+v.Name, v.Source, false)
	}
	if !isDocumented {
		faults = append(faults, notWrittenError("an accepted vector from the provider's documentation"))
	}
	return errors.Join(faults...)
}

// checkRestore checks that bodies that nobody could have verified are held, whatever the
// type of their receipt.
func (s *suite) checkRestore() error {
	sender := callback.Sender{}
	for _, v := range s.vectors {
		sender.Account = v.Account
	}
	for _, body := range []string{"", "[]", "{}", "null", "{\"a\":\"\xff\"}", `{"a":1,"a":2}`, "\x1f\x8b", strings.Repeat("x", callback.MaxBody+1)} {
		for _, kind := range append(s.Types(), payout.TypeBatch, "") {
			event, held := s.Restore(callback.NewRequest(kind, nil, []byte(body)), sender).Event()
			if held == nil || held.Note == "" || !slices.Contains(callback.Reasons(), held.Reason) || event != (payout.Event{}) {
				return fmt.Errorf("%.20q: event %+v, held %+v: want it held, with a reason and a note", body, event, held)
			}
		}
	}
	return nil
}

// result is the result of verifying and parsing a request.
type result struct {
	expect string // in the words of a vector's expect line
	sender callback.Sender
	event  payout.Event
	held   *callback.Held
}

// identity is equal for requests that state the same: one event, or one held callback.
func (r result) identity() string {
	if r.held != nil {
		return fmt.Sprintf("%s %q", r.expect, r.held.Subject)
	}
	return fmt.Sprintf("%s %s %s", r.expect, r.event.ID, r.event.Fingerprint())
}

// isEvent reports whether the request became an event.
func (r result) isEvent() bool { return r.expect == Accepted }

// Verify verifies a request that was received when it was signed.
func (s suite) Verify(request callback.Request, keys callback.Keys) (callback.Verified, error) {
	return s.Callbacks.Verify(request.WithReceivedAt(signedAt), keys)
}

// check verifies and parses a request, as the application does.
func (s suite) check(request callback.Request, keys callback.Keys) (result, error) {
	return s.checkAt(request, keys, signedAt)
}

// checkAt is like check, of a request that is received at another time.
func (s suite) checkAt(request callback.Request, keys callback.Keys, receivedAt time.Time) (result, error) {
	verified, err := s.Callbacks.Verify(request.WithReceivedAt(receivedAt), keys)
	switch {
	case errors.Is(err, callback.ErrUnauthenticated):
		return result{expect: Unauthentic}, nil
	case errors.Is(err, callback.ErrMalformed):
		return result{expect: Malformed}, nil
	case errors.Is(err, callback.ErrTooLarge):
		return result{expect: TooLarge}, nil
	case err != nil:
		return result{}, fmt.Errorf("verify: %w: want one of callback's three errors", err)
	}
	sender := verified.Sender
	event, held := verified.Event()
	if held == nil {
		return result{expect: Accepted, sender: sender, event: event}, nil
	}
	if event != (payout.Event{}) {
		return result{}, errors.New("parse: held, with an event that is not empty")
	}
	if held.Note == "" {
		return result{}, errors.New("parse: held without a note")
	}
	return result{expect: Held + " " + string(held.Reason), sender: sender, held: held}, nil
}
