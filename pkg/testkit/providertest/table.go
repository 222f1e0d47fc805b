package providertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// Tables in testdata, besides the vectors.
const (
	statusTable   = "statuses.txt"
	spellingTable = "spellings.txt"
)

var hasDate = regexp.MustCompile(`\b20\d\d-[01]\d-[0-3]\d\b`).MatchString

// row is a line of a table: a change of a vector's body, and what stands before it.
type row struct {
	line   int
	label  string
	change string // a JSON merge patch, see RFC 7386
	group  int    // rows between two headings have one group
	vector string
	// request names the response of an answer vector that is changed.
	request string
}

// readTable reads a table of changes. Its lines are
//
//	# a comment
//	source: of the rows that follow: a page with its date, or "own"
//	vector: the name of the vector that the rows that follow change
//	request: the request whose response they change, of an answer vector
//	same recipient          a heading, of the rows that follow it
//	rejected  {"status":2}  a row: a label, and the change
func (s *suite) readTable(name string) ([]row, error) {
	data, err := fs.ReadFile(s.fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notWrittenError(testdata + "/" + name)
	} else if err != nil {
		return nil, err
	}
	var rows []row
	next := row{}
	source := ""
	for line := range strings.Lines(string(data)) {
		next.line++
		line = strings.TrimSpace(line)
		label, change, isRow := strings.Cut(line, "{")
		switch key, value, _ := strings.Cut(line, ": "); {
		case line == "" || strings.HasPrefix(line, "#"):
		case key == "source":
			source = value
		case key == "vector":
			next.vector = value
		case key == "request":
			next.request = value
		case !isRow:
			next.group++
			next.label = line
		case source == "" || strings.Contains(source, "://") && !hasDate(source):
			err = errors.New("a row without a source, or a page without its date")
		default:
			row := next
			row.label, row.change = strings.TrimSpace(next.label+strings.TrimRight(label, " ")), "{"+change
			rows = append(rows, row)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, next.line, err)
		}
	}
	if len(rows) == 0 {
		return nil, notWrittenError("rows of " + testdata + "/" + name)
	}
	return rows, nil
}

// checkRow checks the vector of a row with its change, signed as the provider would.
func (s *suite) checkRow(r row) (result, error) {
	i := slices.IndexFunc(s.vectors, func(v Vector) bool { return v.Name == r.vector })
	if i < 0 {
		return result{}, fmt.Errorf("no vector %q", r.vector)
	}
	changed := s.vectors[i]
	request, err := changed.Request(s, s.Keys)
	if err != nil {
		return result{}, err
	}
	original, err := s.check(request, s.Keys)
	if err != nil {
		return result{}, err
	}
	if original.sender.Account == "" {
		return result{}, errors.New("the vector is not authentic")
	}
	if changed.Body, err = patch(changed.Body, r.change); err != nil {
		return result{}, err
	}
	return s.under(changed, s.Keys[original.sender.Account].Current)
}

// checkStatuses checks the table of documented statuses: each is mapped to a status of
// ours, perhaps with a reason, or held. It has each status that a vector has.
func (s *suite) checkStatuses() error {
	rows, err := s.readTable(statusTable)
	if err != nil {
		return err
	}
	mapped := map[payout.Status]bool{}
	isHeld := false
	var faults []error
	for _, row := range rows {
		got, err := s.checkRow(row)
		status, _, _ := strings.Cut(row.label, " ")
		isHeld = isHeld || status == Held
		mapped[payout.Status(status)] = true
		stated := strings.TrimSpace(string(got.event.Status) + " " + got.event.Reason)
		if got.held != nil {
			stated = got.expect
		}
		if err != nil || row.label != stated && row.label != string(got.event.Status) {
			faults = append(faults, fmt.Errorf("%s:%d: got %s %s, want %s: %w", statusTable, row.line, got.expect, stated, row.label, orNil(err)))
		}
	}
	for _, v := range s.vectors {
		var event golden
		if v.Expect == Accepted && json.Unmarshal([]byte(v.Event), &event) == nil && !mapped[event.Status] {
			faults = append(faults, fmt.Errorf("%s: no row maps to %s, as vector %s does", statusTable, event.Status, v.Name))
		}
	}
	if !isHeld || len(mapped) < 2 {
		faults = append(faults, notWrittenError(statusTable+": a status that is mapped, and one that is held"))
	}
	return errors.Join(faults...)
}

// checkQueryStatuses checks the table of the statuses that answers have, as checkStatuses
// does for callbacks.
func (s *suite) checkQueryStatuses() error {
	rows, err := s.readTable(answersDir + "/" + statusTable)
	if err != nil {
		return err
	}
	var faults []error
	isHeld, isMapped := false, false
	for _, row := range rows {
		got, err := s.checkAnswerRow(row)
		if err != nil || got != row.label {
			faults = append(faults, fmt.Errorf("%s/%s:%d: got %s, want %s: %w", answersDir, statusTable, row.line, got, row.label, orNil(err)))
		}
		status, _, _ := strings.Cut(row.label, " ")
		isHeld, isMapped = isHeld || status == Held, isMapped || status != Held
	}
	if !isHeld || !isMapped {
		faults = append(faults, notWrittenError(answersDir+"/"+statusTable+": a status that is mapped, and one that is held"))
	}
	return errors.Join(faults...)
}

// checkAnswerRow returns the status that the answer of a changed vector states about the
// payout, or "held" and the reason.
func (s *suite) checkAnswerRow(r row) (string, error) {
	i := slices.IndexFunc(s.answers, func(v AnswerVector) bool { return v.Name == r.vector })
	if i < 0 {
		return "", fmt.Errorf("no answer vector %q", r.vector)
	}
	v := s.answers[i]
	response, ok := v.Responses[r.request]
	if !ok {
		return "", fmt.Errorf("%s has no response to %q", v.Name, r.request)
	}
	var err error
	if response.Body, err = patch(response.Body, r.change); err != nil {
		return "", err
	}
	v.Responses = maps.Clone(v.Responses)
	v.Responses[r.request] = response
	answer, err := s.askAt(v, v.Asked)
	if err != nil {
		return "", err
	}
	id := v.Asked[0].ID
	for _, statement := range answer.Statements {
		if held := statement.Held; held != nil && held.Type == id.Type() && held.ProviderID == id.PayoutID() {
			return Held + " " + held.Reason, nil
		}
		if statement.Event.ID == id {
			return string(statement.Event.Status), nil
		}
	}
	return string(answer.Outcome), nil
}

// orNil keeps fmt.Errorf from printing a nil error.
func orNil(err error) error {
	if err == nil {
		return errors.New("another meaning")
	}
	return err
}

// spelling returns the check that the table has two spellings of what a name says, which
// are the same.
func spelling(what string) func(*suite) error {
	return func(s *suite) error {
		rows, err := s.readTable(spellingTable)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(rows, func(r row) bool { return r.label == "same "+what }) {
			return notWrittenError(spellingTable + `: rows under "same ` + what + `"`)
		}
		return s.checkSpellingsOf(rows, what)
	}
}

// checkSpellings checks all groups of the table.
func (s *suite) checkSpellings() error {
	rows, err := s.readTable(spellingTable)
	if err != nil {
		return err
	}
	return s.checkSpellingsOf(rows, "")
}

// groups says how many events and payouts the rows of a group state, by the first words
// of its heading.
var groups = []struct {
	heading         string
	events, payouts func(rows int) int
}{
	{"same ", single, single},
	{"different events", all, single},
	{"different payouts", all, all},
}

func single(int) int   { return 1 }
func all(rows int) int { return rows }

// checkSpellingsOf checks the groups whose heading ends in a name, or all.
func (s *suite) checkSpellingsOf(rows []row, what string) error {
	var faults []error
	for group := 0; group <= rows[len(rows)-1].group; group++ {
		var members []row
		for _, r := range rows {
			if r.group == group && strings.HasSuffix(r.label, what) {
				members = append(members, r)
			}
		}
		if len(members) > 0 {
			faults = append(faults, s.checkGroup(members))
		}
	}
	return errors.Join(faults...)
}

func (s *suite) checkGroup(rows []row) error {
	events, payouts := map[string]bool{}, map[payout.ID]bool{}
	for _, row := range rows {
		got, err := s.checkRow(row)
		if err != nil || !got.isEvent() {
			return fmt.Errorf("%s:%d: got %s %s: %w", spellingTable, row.line, got.expect, noteOf(got.held), orNil(err))
		}
		events[got.identity()], payouts[got.event.ID] = true, true
	}
	label, count := rows[0].label, len(rows)
	for _, g := range groups {
		if !strings.HasPrefix(label, g.heading) {
			continue
		}
		if len(events) != g.events(count) || len(payouts) != g.payouts(count) || count < 2 {
			return fmt.Errorf("%s:%d: %s: %d rows state %d events of %d payouts", spellingTable, rows[0].line, label, count, len(events), len(payouts))
		}
		return nil
	}
	return fmt.Errorf("%s:%d: unknown heading %q", spellingTable, rows[0].line, label)
}

func noteOf(held *callback.Held) string {
	if held == nil {
		return ""
	}
	return held.Note
}

// patch returns a body with a JSON merge patch. Numbers stay as they are written.
func patch(body []byte, change string) ([]byte, error) {
	var values [2]any
	for i, text := range [][]byte{body, []byte(change)} {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&values[i]); err != nil {
			return nil, fmt.Errorf("%.80s: %w", text, err)
		}
	}
	return json.Marshal(merge(values[0], values[1]))
}

func merge(target, change any) any {
	changes, isObject := change.(map[string]any)
	if !isObject {
		return change
	}
	fields, isObject := target.(map[string]any)
	if !isObject {
		fields = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(fields, name)
		} else {
			fields[name] = merge(fields[name], value)
		}
	}
	return fields
}
