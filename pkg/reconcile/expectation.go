package reconcile

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/inbox"
)

// Limits of an expectation.
const (
	MaxExpectation = 64 << 10             // bytes of a body
	MaxDue         = 400 * 24 * time.Hour // from now to the deadline
)

// Expectation states what our own service ordered. Fields that are left out are not
// compared.
type Expectation struct {
	Provider  string `json:"provider"`
	Type      string `json:"type"` // as in a payout ID; "single" is Pivot's word for payout
	Account   string `json:"account"`
	ID        string `json:"id,omitzero"`        // the provider's id; left out until it is known
	Reference string `json:"reference,omitzero"` // ours; required without an id
	Amount    string `json:"amount,omitzero"`    // of a batch: the sum of its items
	Currency  string `json:"currency,omitzero"`
	To        string `json:"to,omitzero"` // recipient's address
	Memo      string `json:"memo,omitzero"`
	Items     int64  `json:"items,omitzero"` // of a batch: the number of its items
	Due       string `json:"due,omitzero"`   // deadline: RFC 3339, or a duration such as 10m; by default 10 minutes
}

// ExpectationFields returns the names of the fields of an expectation, as in JSON.
func ExpectationFields() []string {
	return []string{"provider", "type", "account", "id", "reference", "amount", "currency", "to", "memo", "items", "due"}
}

// FieldError is the error of an expectation whose field is missing or not valid. Nothing
// is kept.
type FieldError struct {
	Field   string // as in JSON; "" if the body cannot be read
	Problem string // never the value
}

// Error names the field.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// Require returns a *FieldError that names a field of an expectation, unless its rule is
// met.
func Require(isMet bool, field, problem string) error {
	if isMet {
		return nil
	}
	return &FieldError{Field: field, Problem: problem}
}

// ParseExpectation parses the JSON body of an expectation: one object without unknown
// or repeated fields. Its error is a *FieldError.
func ParseExpectation(body []byte) (Expectation, error) {
	var e Expectation
	if len(body) > MaxExpectation {
		return e, &FieldError{Problem: fmt.Sprintf("the body has more than %d bytes", MaxExpectation)}
	}
	if err := json.UnmarshalRead(bytes.NewReader(body), &e, json.RejectUnknownMembers(true)); err != nil {
		return e, newFieldError(err)
	}
	return e, nil
}

// maxFieldName bounds the name of a field that an error names.
const maxFieldName = 64

func newFieldError(err error) *FieldError {
	var pointer jsontext.Pointer
	switch err := err.(type) { //nolint:errorlint // the package documents these two types
	case *json.SemanticError:
		pointer = err.JSONPointer
	case *jsontext.SyntacticError:
		pointer = err.JSONPointer
	}
	field := ""
	for name := range pointer.Tokens() {
		field = name
		break // what is inside a field is of the sender's making, and as long as he likes
	}
	if field == "" || len(field) > maxFieldName {
		return &FieldError{Problem: "the body is not a JSON object of the documented fields"}
	}
	return &FieldError{Field: field, Problem: "not a documented field, repeated, or not of its type"}
}

// Deadline returns the deadline of an expectation that is stated at the time now. Its
// error is a *FieldError.
func (e Expectation) Deadline(now time.Time) (time.Time, error) {
	deadline := now.Add(inbox.DefaultDue)
	if e.Due != "" {
		var err error
		if deadline, err = parseDue(e.Due, now); err != nil {
			return time.Time{}, &FieldError{Field: "due", Problem: "not a time of RFC 3339 and not a duration such as 10m"}
		}
	}
	if deadline.Sub(now) > MaxDue || now.Sub(deadline) > MaxDue {
		return time.Time{}, &FieldError{Field: "due", Problem: "more than 400 days away"}
	}
	return deadline.UTC(), nil
}

func parseDue(text string, now time.Time) (time.Time, error) {
	if duration, err := time.ParseDuration(text); err == nil {
		return now.Add(duration), nil
	}
	return time.Parse(time.RFC3339, text)
}
