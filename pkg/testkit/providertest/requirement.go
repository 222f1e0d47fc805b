package providertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Requirement is what each provider has to show, a row of docs/providers/TEMPLATE.md. Its
// test passes, fails, or is skipped because the evidence is not written yet: no test
// passes for want of vectors. A test that is not in TestProvider may be missing if
// TestProvider/<Name> passes, because the requirement does not apply.
type Requirement struct {
	Name string
	Test string // the test that shows it

	check    func(*suite) error // nil for a test of the provider's own package
	optional bool               // may be in Suite.None
}

// ofQueries is the prefix of the requirements on a provider that can be queried. The
// name "queries" in Suite.None stands for all of them.
const (
	ofQueries = "query-"
	queries   = "queries"
)

// Requirements lists all requirements.
func Requirements() []Requirement {
	all := []Requirement{
		{Name: "sources", check: (*suite).checkSources},
		{Name: "verdicts", check: (*suite).checkVerdicts},
		{Name: "unchanged-request", check: law(suite.untouched)},
		{Name: "sender", check: law(suite.names)},
		{Name: "copies", check: law(suite.resent)},
		{Name: "spacing", check: law(suite.respaced)},
		{Name: "previous-key", check: law(suite.previous)},
		{Name: "removed-key", check: law(suite.retired)},
		{Name: "new-key", check: law(suite.renewed)},
		{Name: "no-keys", check: law(suite.withoutKeys)},
		{Name: "unusable-keys", check: law(suite.flawed)},
		{Name: "other-account", check: law(suite.otherAccount)},
		{Name: "signing-time", check: law(suite.timely)},
		{Name: "altered-bodies", check: law(suite.flipped)},
		{Name: "cut-bodies", check: law(suite.cut)},
		{Name: "restored-bodies", check: (*suite).checkRestore},
		{Name: "replies", check: (*suite).checkReplies},
		{Name: "retries", check: (*suite).checkRetries},
		{Name: "statuses", check: (*suite).checkStatuses},
		{Name: "recipients", check: spelling("recipient"), optional: true},
		{Name: "currencies", check: spelling("currency"), optional: true},
		{Name: "spellings", check: (*suite).checkSpellings},
		{Name: "expectations", check: (*suite).checkExpectations, optional: true},
		{Name: "canaries", check: law(suite.canaries)},
		{Name: "fuzz", Test: "FuzzParse"},
		{Name: "query-answers", check: (*suite).checkAnswers},
		{Name: "query-statuses", check: (*suite).checkQueryStatuses},
		{Name: "query-not-found", check: (*suite).checkNotFound, optional: true},
		{Name: "query-in-process", check: (*suite).checkInProcess, optional: true},
		{Name: "query-pages", check: (*suite).checkPages, optional: true},
		{Name: "query-rate-limits", check: (*suite).checkRateLimits},
		{Name: "query-failures", check: (*suite).checkFailures},
		{Name: "query-agreement", check: (*suite).checkAgreement},
		{Name: "query-stale", check: (*suite).checkStale},
		{Name: "query-canaries", check: (*suite).checkAnswerCanaries},
		{Name: "query-credentials", check: (*suite).checkCredentials},
		{Name: "query-fuzz", Test: "FuzzAnswer"},
	}
	for i := range all {
		if all[i].Test == "" {
			all[i].Test = "TestProvider/" + all[i].Name
		}
	}
	return all
}

// notWrittenError is the error of a requirement without evidence. It says what to write.
type notWrittenError string

// Error implements error.
func (n notWrittenError) Error() string { return "not written: " + string(n) }

// isNotWritten reports whether nothing is wrong but that evidence is missing.
func isNotWritten(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return !isNotWritten(err) })
	}
	_, ok := err.(notWrittenError) //nolint:errorlint // an error that wraps it may be about more
	return ok
}

// noneName returns the name by which Suite.None has a requirement.
func (s *suite) noneName(r Requirement) string {
	if strings.HasPrefix(r.Name, ofQueries) && s.None[queries] != "" {
		return queries
	}
	return r.Name
}

// run checks a requirement. A reason why it does not apply takes the place of evidence,
// and is wrong beside evidence.
func (s *suite) run(r Requirement) error {
	name := s.noneName(r)
	reason, isNone := s.None[name]
	switch {
	case strings.HasPrefix(r.Name, ofQueries) && s.Description.Queries == nil && !isNone:
		return notWrittenError("Description.Queries, or the reason in Suite.None why the provider cannot be queried")
	case !isNone:
		return r.check(s)
	case name == queries && s.Description.Queries != nil, name != queries && !r.optional, reason == "":
		return fmt.Errorf("%s cannot be in Suite.None", name)
	case name == queries:
		return nil
	}
	if err := r.check(s); !isNotWritten(err) {
		return fmt.Errorf("%s is in Suite.None, and yet its evidence is written", name)
	}
	return nil
}

// errNoCase is the error of a law for a vector of which it says nothing.
var errNoCase = errors.New("no case of the law")

// law returns the check of what holds for each vector. A law without a case is not written.
func law(holds func(suite, Vector) error) func(*suite) error {
	return func(s *suite) error {
		cases := 0
		err := s.each(func(v Vector) error {
			err := holds(*s, v)
			if errors.Is(err, errNoCase) {
				return nil
			}
			cases++
			return err
		})
		if cases == 0 {
			return errors.Join(err, notWrittenError("a vector that shows it"))
		}
		return err
	}
}

// each calls a check with each vector and names the vectors in its errors.
func (s *suite) each(check func(Vector) error) error {
	var faults []error
	for _, vector := range s.vectors {
		if err := check(vector); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", vector.Name, err))
		}
	}
	return errors.Join(faults...)
}
