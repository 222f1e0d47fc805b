package providertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

const answerFile = "answer.json"

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
// 200 unless the name ends in another.
type AnswerVector struct {
	Name      string
	Asked     []reconcile.Asked
	Responses map[string]Response // by method, path and query
	Want      string

	archive *txtar.Archive
}

// Response is what a provider's API responds to a request.
type Response struct {
	Status int
	Body   []byte
}

// ServeHTTP serves the responses of the vector, and 501 for any other request.
func (v AnswerVector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response, ok := v.Responses[r.Method+" "+r.URL.RequestURI()]
	if !ok {
		response = Response{Status: http.StatusNotImplemented, Body: []byte(r.Method + " " + r.URL.RequestURI())}
	}
	w.WriteHeader(response.Status)
	_, _ = w.Write(response.Body)
}

// RunAnswers asks about the payouts of each vector in dir. The function connects to the
// API at a URL. No answer may contain a secret: what a provider states about the
// recipient's account, which must not be kept.
func RunAnswers(t *testing.T, dir string, connect func(t *testing.T, url string) reconcile.Querier, secrets ...string) {
	t.Helper()
	for _, vector := range Answers(t, dir) {
		t.Run(vector.Name, func(t *testing.T) {
			server := httptest.NewServer(vector)
			defer server.Close()
			got := AnswerText(t, connect(t, server.URL).Ask(t.Context(), vector.Asked))
			for _, secret := range secrets {
				if strings.Contains(got, secret) {
					t.Errorf("the answer contains %q:\n%s", secret, got)
				}
			}
			if *update {
				vector.rewrite(t, dir, got)
			} else if difference := cmp.Diff(vector.Want, got); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// Answers loads the answer vectors in dir.
func Answers(t testing.TB, dir string) []AnswerVector {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d vectors in %s, %v", len(names), dir, err)
	}
	var vectors []AnswerVector
	for _, name := range names {
		vector, err := loadAnswer(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		vectors = append(vectors, vector)
	}
	return vectors
}

func loadAnswer(name string) (AnswerVector, error) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		return AnswerVector{}, err
	}
	v := AnswerVector{Name: strings.TrimSuffix(filepath.Base(name), ".txtar"), Responses: map[string]Response{}, archive: archive}
	hasSource := false
	for line := range strings.Lines(string(archive.Comment)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "", "why":
		case "source":
			hasSource = true
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
		request, response := file.Name, Response{Status: http.StatusOK, Body: bytes.TrimSuffix(file.Data, []byte("\n"))}
		if i := strings.LastIndex(request, " "); strings.Count(request, " ") == 2 {
			if response.Status, err = strconv.Atoi(request[i+1:]); err != nil {
				return v, fmt.Errorf("%q: the last word is not an HTTP status", request)
			}
			request = request[:i]
		}
		v.Responses[request] = response
	}
	if !hasSource || len(v.Asked) == 0 {
		return v, errors.New("no source line, or no ask line")
	}
	return v, nil
}

func (v AnswerVector) rewrite(t *testing.T, dir, answer string) {
	t.Helper()
	archive := *v.archive
	archive.Files = slices.DeleteFunc(slices.Clone(archive.Files), func(f txtar.File) bool { return f.Name == answerFile })
	archive.Files = append(archive.Files, txtar.File{Name: answerFile, Data: []byte(answer)})
	if err := os.WriteFile(filepath.Join(dir, v.Name+".txtar"), txtar.Format(&archive), 0o644); err != nil {
		t.Fatal(err)
	}
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
	if err != nil {
		t.Fatal(err)
	}
	return string(raw) + "\n"
}
