package providertest

import (
	"encoding/json"
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
			loaded.checkParsed(t, request, account)
			if event, held := loaded.Restore(request, callback.Sender{Account: account}).Event(); held == nil && more != nil {
				more(t, request, event)
			}
		}
	})
}

func (s *suite) checkParsed(t *testing.T, request callback.Request, account string) {
	t.Helper()
	verified, err := s.Verify(request, s.Keys)
	if s.sendsKey && (err != nil || verified.Sender.Account != account) {
		t.Fatalf("Verify = %+v, %v", verified.Sender, err)
	}
	event, held := s.Restore(request, callback.Sender{Account: account}).Event()
	if held != nil {
		if event != (payout.Event{}) || held.Note == "" || !utf8.ValidString(held.Note) || !slices.Contains(callback.Reasons(), held.Reason) {
			t.Errorf("event %+v, held %+v", event, held)
		}
		return
	}
	isBatch := event.ID.Type() == payout.TypeBatch
	switch {
	case event.ID.Provider() != s.Name() || event.ID.Type() != request.Type && !isBatch || len(event.ID) > 2048:
		t.Errorf("ID = %q", event.ID)
	case err == nil && event.ID.Account() != verified.Sender.Account:
		t.Errorf("an event of %s, sent by %s", event.ID.Account(), verified.Sender.Account)
	case !slices.Contains(stated, event.Status), !isBatch && event.Amount == "", !event.Amount.IsValid(), !event.Totals.IsValid():
		t.Errorf("the event is not complete: %+v", event)
	}
	spaced := jsontext.Value(slices.Clone(request.Body))
	if spaced.Format(jsontext.SpaceAfterColon(true), jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(true)) != nil || len(spaced) > callback.MaxBody {
		return
	}
	again, held := s.Restore(callback.NewRequest(request.Type, request.Header, spaced), callback.Sender{Account: account}).Event()
	if held != nil || again != event {
		t.Errorf("re-spaced: %+v, held %+v, want %+v", again, held, event)
	}
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
		if (answer.Outcome == reconcile.Answered) != (len(answer.Statements) > 0) || len(answer.Detail) > 200 {
			t.Fatalf("%+v", answer)
		}
		for _, statement := range answer.Statements {
			checkStatement(t, replaced.Asked[0].ID, statement)
			if status == http.StatusOK && more != nil {
				more(t, body, statement)
			}
		}
	})
}

func checkStatement(t *testing.T, asked payout.ID, statement reconcile.Statement) {
	t.Helper()
	event, held := statement.Event, statement.Held
	id, source := event.ID, event.Source
	if held != nil {
		id, source = payout.NewID(held.Provider, held.Type, held.Account, held.ProviderID, ""), held.Source
	}
	isBatch := id.Type() == payout.TypeBatch
	switch {
	case id.Provider() != asked.Provider() || id.Account() != asked.Account() || id.PayoutID() != asked.PayoutID() || source != payout.SourceQuery:
		t.Errorf("a statement of %s about %s, asked about %s", source, id, asked)
	case held != nil && (held.Note == "" || len(held.Note) > 4096):
		t.Errorf("held %+v", held)
	case held == nil && (!slices.Contains(stated, event.Status) || !event.Amount.IsValid() || !event.Totals.IsValid() || !isBatch && event.Status.IsFinal() && event.Amount == ""):
		t.Errorf("the event is not complete: %+v", event)
	case !json.Valid(statement.Body) || len(statement.Body) > callback.MaxBody:
		t.Errorf("a body of %d bytes", len(statement.Body))
	}
}
