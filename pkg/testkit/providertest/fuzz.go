package providertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

func report(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// maxSeed omits the largest vectors: a fuzzer would spend its time on making them smaller.
const maxSeed = 4 << 10

func (s Suite) loadForFuzz(f *testing.F) *suite {
	f.Helper()
	loaded, err := s.load(os.DirFS(testdata))
	if err != nil {
		f.Fatal(err)
	}
	return loaded
}

// FuzzParse starts from the vectors in testdata. It checks that each body, signed by the
// provider, is held or becomes a complete event of the account; never both or neither. It
// skips without an accepted vector. more, if not nil, checks an event further.
func FuzzParse(f *testing.F, s Suite, more func(t *testing.T, request callback.Request, event payout.Event)) {
	f.Helper()
	loaded := s.loadForFuzz(f)
	if !slices.ContainsFunc(loaded.vectors, func(v Vector) bool { return v.Expect == Accepted }) {
		f.Skip(notWrittenError("an accepted vector"))
	}
	for _, v := range loaded.vectors {
		if len(v.Body) < maxSeed {
			f.Add(v.Body)
		}
	}
	account := slices.MinFunc(slices.Collect(maps.Keys(s.Keys)), func(a, b string) int {
		return len(s.Keys[b].Previous) - len(s.Keys[a].Previous)
	})
	f.Fuzz(func(t *testing.T, body []byte) {
		signed, header, err := loaded.Sign(body, s.Keys[account].Current, signedAt)
		if err != nil {
			return // it cannot be signed
		}
		for _, kind := range loaded.Types() {
			request := callback.NewRequest(kind, header, signed)
			report(t, loaded.checkParsed(request, account))
			if event, held := loaded.Restore(request, callback.Sender{Account: account}).Event(); held == nil && more != nil {
				more(t, request, event)
			}
		}
	})
}

// checkParsed checks what a signed body becomes.
func (s *suite) checkParsed(request callback.Request, account string) error {
	verified, err := s.Verify(request, s.Keys)
	if s.sendsKey && (err != nil || verified.Sender.Account != account) {
		return fmt.Errorf("verify: sender %+v, %w", verified.Sender, orNil(err))
	}
	event, held := s.Restore(request, callback.Sender{Account: account}).Event()
	if held != nil {
		if event != (payout.Event{}) || held.Note == "" || !utf8.ValidString(held.Note) || !slices.Contains(callback.Reasons(), held.Reason) {
			return fmt.Errorf("event %+v, held %+v", event, held)
		}
		return nil
	}
	isBatch := event.ID.Type() == payout.TypeBatch
	switch {
	case event.ID.Provider() != s.Name() || event.ID.Type() != request.Type && !isBatch || len(event.ID) > 2048:
		return fmt.Errorf("ID = %q", event.ID)
	case err == nil && event.ID.Account() != verified.Sender.Account:
		return fmt.Errorf("an event of %s, sent by %s", event.ID.Account(), verified.Sender.Account)
	case !slices.Contains(stated, event.Status), !isBatch && event.Amount == "", !event.Amount.IsValid(), !event.Totals.IsValid():
		return fmt.Errorf("the event is not complete: %+v", event)
	}
	spaced := jsontext.Value(slices.Clone(request.Body))
	isJSON := spaced.Format(jsontext.SpaceAfterColon(true), jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(true)) == nil
	if !isJSON || len(spaced) > callback.MaxBody {
		return nil
	}
	again, held := s.Restore(callback.NewRequest(request.Type, request.Header, spaced), callback.Sender{Account: account}).Event()
	if held != nil || again != event {
		return fmt.Errorf("re-spaced: %+v, held %+v, want %+v", again, held, event)
	}
	return nil
}

// place is a response of an answered vector, by its request.
type place struct {
	vector  AnswerVector
	request string
}

func (s *suite) places() []place {
	var places []place
	for _, v := range s.answers {
		for _, request := range slices.Sorted(maps.Keys(v.Responses)) {
			if v.outcome() == reconcile.Answered {
				places = append(places, place{v, request})
			}
		}
	}
	return places
}

// addAnswers adds each response at its place, and those of other vectors there as well.
func (s *suite) addAnswers(f *testing.F, places []place) {
	f.Helper()
	for i, p := range places {
		f.Add(i, p.vector.Responses[p.request].Status, p.vector.Responses[p.request].Body)
	}
	for _, v := range s.answers {
		for request, response := range v.Responses {
			if i := slices.IndexFunc(places, func(p place) bool { return p.request == request }); i >= 0 {
				f.Add(i, response.Status, response.Body)
			}
		}
	}
}

// FuzzAnswer starts from the answered vectors in testdata/answers, and replaces one of
// their responses. It checks that an answer states nothing about another request, and only
// what can be applied. It skips without an answered vector. more, if not nil, checks a
// statement further.
func FuzzAnswer(f *testing.F, s Suite, more func(t *testing.T, response []byte, statement reconcile.Statement)) {
	f.Helper()
	loaded := s.loadForFuzz(f)
	places := loaded.places()
	if len(places) == 0 {
		f.Skip(notWrittenError("an answer vector with the outcome answered"))
	}
	loaded.addAnswers(f, places)
	f.Fuzz(func(t *testing.T, at, status int, body []byte) {
		if status < 200 || status > 599 {
			return // no status of HTTP
		}
		p := places[uint(at)%uint(len(places))]
		replaced := p.vector
		replaced.Responses = maps.Clone(p.vector.Responses)
		replaced.Responses[p.request] = Response{Status: status, Body: body}
		answer, err := loaded.askAt(replaced, replaced.Asked)
		if err != nil {
			t.Fatal(err)
		}
		report(t, checkAnswer(replaced.Asked[0].ID, answer))
		for _, statement := range answer.Statements {
			if status == http.StatusOK && more != nil {
				more(t, body, statement)
			}
		}
	})
}

// checkAnswer checks what an answer, whatever it is, states about the payout that was
// asked about.
func checkAnswer(asked payout.ID, answer reconcile.Answer) error {
	if (answer.Outcome == reconcile.Answered) != (len(answer.Statements) > 0) || len(answer.Detail) > 200 {
		return fmt.Errorf("%+v", answer)
	}
	var faults []error
	for _, statement := range answer.Statements {
		faults = append(faults, checkStatement(asked, statement))
	}
	return errors.Join(faults...)
}

func checkStatement(asked payout.ID, statement reconcile.Statement) error {
	event, held := statement.Event, statement.Held
	id, source := event.ID, event.Source
	if held != nil {
		id, source = payout.NewID(held.Provider, held.Type, held.Account, held.ProviderID, ""), held.Source
	}
	isBatch := id.Type() == payout.TypeBatch
	switch {
	case id.Provider() != asked.Provider() || id.Account() != asked.Account() || id.PayoutID() != asked.PayoutID() || source != payout.SourceQuery:
		return fmt.Errorf("a statement of %s about %s, asked about %s", source, id, asked)
	case held != nil && (held.Note == "" || len(held.Note) > 4096):
		return fmt.Errorf("held %+v", held)
	case held == nil && (!slices.Contains(stated, event.Status) || !event.Amount.IsValid() || !event.Totals.IsValid() || !isBatch && event.Status.IsFinal() && event.Amount == ""):
		return fmt.Errorf("the event is not complete: %+v", event)
	case !json.Valid(statement.Body) || len(statement.Body) > callback.MaxBody:
		return fmt.Errorf("a body of %d bytes", len(statement.Body))
	}
	return nil
}
