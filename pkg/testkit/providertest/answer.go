package providertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

const (
	answersDir = "answers" // in testdata
	answerFile = "answer.json"
)

// AnswerVector is a query with what the provider's API responds, and the wanted answer.
// In its file, each file but answer.json is a response, named by its request:
//
//	why: example of the page
//	source: https://example.org/payout-query, 2026-03-02
//	ask: cregis/payout/1/2 our-reference
//	-- POST /api/v1/payout/query --
//	{"code":"00000"}
//	-- GET /v1/payouts/2 404 --
//	{"code":"resource_missing"}
//	-- answer.json --
//	{"outcome":"answered"}
//
// The reference may be left out; there is an ask line for each payout. The HTTP status is
// 200 unless the name has another, perhaps with headers: "GET /x 429 Retry-After:30".
type AnswerVector struct {
	Name      string
	Source    string // the source of its responses
	Asked     []reconcile.Asked
	Responses map[string]Response // by method, path and query
	Want      string

	archive *txtar.Archive
}

// Response is what a provider's API responds to a request.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// ServeHTTP serves the responses of the vector, and 501 for any other request.
func (v AnswerVector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, ok := v.Responses[r.Method+" "+r.URL.RequestURI()]
	if !ok {
		response = Response{Status: http.StatusNotImplemented, Body: []byte(r.Method + " " + r.URL.RequestURI())}
	}
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.Status)
	_, _ = w.Write(response.Body)
}

// loadAnswers loads the answer vectors in a folder, sorted by name.
func loadAnswers(fsys fs.FS, dir string) ([]AnswerVector, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	var vectors []AnswerVector
	var faults []error
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		vector, err := loadAnswer(name, data)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		vectors = append(vectors, vector)
	}
	return vectors, errors.Join(faults...)
}

func loadAnswer(name string, data []byte) (AnswerVector, error) {
	archive := txtar.Parse(data)
	v := AnswerVector{Name: strings.TrimSuffix(path.Base(name), ".txtar"), Responses: map[string]Response{}, archive: archive}
	for line := range strings.Lines(string(archive.Comment)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "", "why":
		case "source":
			v.Source = value
		case "ask":
			id, reference, _ := strings.Cut(value, " ")
			v.Asked = append(v.Asked, reconcile.Asked{ID: payout.ID(id), Reference: reference})
		default:
			return v, fmt.Errorf("unknown header line %q", name)
		}
	}
	for _, file := range archive.Files {
		if file.Name == answerFile {
			v.Want = string(file.Data)
			continue
		}
		request, response, err := readResponse(file)
		if err != nil {
			return v, err
		}
		v.Responses[request] = response
	}
	if v.Source == "" || len(v.Asked) == 0 {
		return v, errors.New("no source line, or no ask line")
	}
	return v, nil
}

// readResponse reads a response whose name is its request, perhaps with an HTTP status,
// perhaps with a header.
func readResponse(file txtar.File) (request string, response Response, err error) {
	response = Response{Status: http.StatusOK, Header: http.Header{}, Body: bytes.TrimSuffix(file.Data, []byte("\n"))}
	words := strings.Fields(file.Name)
	if len(words) < 2 {
		return "", response, fmt.Errorf("%q is not a request", file.Name)
	}
	if len(words) > 2 {
		if response.Status, err = strconv.Atoi(words[2]); err != nil {
			return "", response, fmt.Errorf("%q: the third word is not an HTTP status", file.Name)
		}
	}
	for _, word := range words[min(3, len(words)):] {
		name, value, ok := strings.Cut(word, ":")
		if !ok {
			return "", response, fmt.Errorf("%q: %q is not a header", file.Name, word)
		}
		response.Header.Set(name, value)
	}
	return words[0] + " " + words[1], response, nil
}

// answerText is an answer as in answer.json.
type answerText struct {
	Outcome    reconcile.Outcome `json:"outcome"`
	Detail     string            `json:"detail,omitzero"`
	RetryAfter string            `json:"retryAfter,omitzero"`
	Statements []statementText   `json:"statements,omitzero"`
}

type statementText struct {
	Event golden          `json:"event,omitzero"`
	Held  *heldText       `json:"held,omitzero"`
	Body  json.RawMessage `json:"body"`
}

type heldText struct {
	Type       payout.Type `json:"type"`
	Reason     string      `json:"reason"`
	Note       string      `json:"note"`
	ProviderID string      `json:"providerId"`
	Reference  string      `json:"reference,omitzero"`
}

// AnswerText returns an answer as in answer.json.
func AnswerText(t testing.TB, answer reconcile.Answer) string {
	t.Helper()
	text, err := formatAnswer(answer)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func formatAnswer(answer reconcile.Answer) (string, error) {
	text := answerText{Outcome: answer.Outcome, Detail: answer.Detail}
	if answer.RetryAfter != 0 {
		text.RetryAfter = answer.RetryAfter.String()
	}
	for _, s := range answer.Statements {
		statement := statementText{Event: golden(s.Event), Body: s.Body}
		if held := s.Held; held != nil {
			statement.Held = &heldText{held.Type, held.Reason, held.Note, held.ProviderID, held.Reference}
		}
		text.Statements = append(text.Statements, statement)
	}
	raw, err := json.MarshalIndent(text, "", "  ")
	return string(raw) + "\n", err
}
