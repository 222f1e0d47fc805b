package providertest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// Provider is a provider that can also sign callbacks.
type Provider interface {
	callback.Provider
	callback.Signer
}

// Option describes the scheme of a provider to Run.
type Option func(*suite)

// HeaderKey is for a scheme that covers no byte of the body: a key in the named
// header. The suite then flips the bytes of the key.
func HeaderKey(name string) Option {
	return func(s *suite) { s.headerKey = name }
}

// suite is a provider under test, with its keys.
type suite struct {
	Provider
	keys      callback.Keys
	headerKey string
}

// update is a flag of tests only: a binary that loads vectors has no such flag.
var update = updateFlag()

func updateFlag() *bool {
	if !testing.Testing() {
		return new(bool)
	}
	return flag.Bool("update", false, "rewrite the wanted events in testdata")
}

// Run checks that the provider gives every vector in dir its verdict, that it obeys the
// laws of every scheme and parser, and that its replies are those in
// dir/replies.txtar. The keys must have at least two accounts, one of them with a
// previous key.
func Run(t *testing.T, provider Provider, keys callback.Keys, dir string, options ...Option) {
	t.Helper()
	s := suite{Provider: provider, keys: keys}
	for _, option := range options {
		option(&s)
	}
	if err := s.checkKeys(); err != nil {
		t.Fatal(err)
	}
	vectors := Vectors(t, dir)
	t.Run("vectors are of every kind", func(t *testing.T) { report(t, s.checkKinds(vectors)) })
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) { s.run(t, vector, dir) })
	}
	t.Run("replies", func(t *testing.T) { report(t, s.checkReplies(os.DirFS(dir))) })
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

func (s suite) run(t *testing.T, vector Vector, dir string) {
	if *update && vector.Expect == Accepted {
		if err := s.rewrite(&vector, dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, law := range laws {
		if err := law.check(s, vector); err != nil {
			t.Errorf("%s: %v", law.name, err)
		}
	}
}

func report(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// checkKeys refuses keys with which a law would have no cases.
func (s suite) checkKeys() error {
	if len(s.keys) < 2 {
		return errors.New("keys: want at least two accounts")
	}
	for _, accountKeys := range s.keys {
		if accountKeys.Previous != "" {
			return nil
		}
	}
	return errors.New("keys: want an account with a previous key")
}

// checkKinds requires the vectors that every provider has: an accepted, a held and a
// forged callback, and an unknown status.
func (s suite) checkKinds(vectors []Vector) error {
	var faults []error
	for _, want := range []string{Accepted, Unauthentic, Held + " " + string(callback.ReasonStatus)} {
		if !slices.ContainsFunc(vectors, func(v Vector) bool { return v.Expect == want }) {
			faults = append(faults, fmt.Errorf("no vector expects: %s", want))
		}
	}
	for _, kind := range s.Types() {
		if !slices.ContainsFunc(vectors, func(v Vector) bool { return v.Type == kind && v.Expect == Accepted }) {
			faults = append(faults, fmt.Errorf("no accepted vector of type %s", kind))
		}
	}
	return errors.Join(faults...)
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

// check verifies and parses a request, as the application does.
func (s suite) check(request callback.Request, keys callback.Keys) (result, error) {
	verified, err := s.Verify(request, keys)
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
