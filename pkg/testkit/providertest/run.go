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

// Provider is what the suite needs of a provider: the whole of it, and a way
// to send as it would.
type Provider interface {
	callback.Provider
	callback.Signer
}

// Option tells Run what is particular about a provider's scheme.
type Option func(*suite)

// HeaderKey says that the scheme covers no byte of the body: it is a key in
// the named header, and what is flipped are the bytes of that.
func HeaderKey(name string) Option {
	return func(s *suite) { s.headerKey = name }
}

// suite is a provider under test, with the keys it knows.
type suite struct {
	Provider
	keys      callback.Keys
	headerKey string
}

// A binary that only loads vectors gets no flag from this package.
var update = updateFlag()

func updateFlag() *bool {
	if !testing.Testing() {
		return new(bool)
	}
	return flag.Bool("update", false, "rewrite the wanted events in testdata")
}

// Run checks that the provider gives every vector in dir its verdict, that the
// laws hold that every scheme and every parser must keep, and that its replies
// are those in dir/replies.txtar. The keys must hold at least two accounts, one
// of them with a previous key.
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

// Vectors loads the vectors in dir for another test: the seeds of a fuzz
// target, the requests of an end-to-end test.
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

// checkKeys refuses keys that would let a law hold for want of cases.
func (s suite) checkKeys() error {
	if len(s.keys) < 2 {
		return errors.New("keys: want two accounts at least, to tell them apart")
	}
	for _, of := range s.keys {
		if of.Previous != "" {
			return nil
		}
	}
	return errors.New("keys: want an account with a previous key")
}

// checkKinds asks for the vectors that every provider has: something accepted,
// something held, something forged, and a status that it does not know.
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

// result is what became of one request.
type result struct {
	expect string // in the words of a vector's expect line
	sender callback.Sender
	event  payout.Event
	held   *callback.Held
}

// told identifies what a request told: equal values are one fact to us.
func (r result) text() string {
	if r.held != nil {
		return fmt.Sprintf("%s %q", r.expect, r.held.Subject)
	}
	return fmt.Sprintf("%s %s %s", r.expect, r.event.ID, r.event.Fingerprint())
}

// judge takes a request the way the application does: verify, then parse.
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
		return result{}, errors.New("parse: held, and yet an event that is not empty")
	}
	if held.Note == "" {
		return result{}, errors.New("parse: held without a note for the person who looks")
	}
	return result{expect: Held + " " + string(held.Reason), sender: sender, held: held}, nil
}
