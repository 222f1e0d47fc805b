package send

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/payout"
)

// examples holds the bodies in the providers' documentation, byte for byte.
//
//go:embed examples/*.json
var examples embed.FS

// ReadExample returns a documented body.
func ReadExample(name string) ([]byte, error) { return examples.ReadFile("examples/" + name) }

// Example is a documented body with changes to it.
type Example struct {
	Provider cli.Provider
	Kind     payout.Type
	File     string
	Account  string       // path of the field that names the account
	Fields   []Assignment // from flags
	Overrides
}

// With returns the example with fields from flags, and overrides.
func (e Example) With(fields []Assignment, overrides Overrides) Example {
	e.Fields, e.Overrides = fields, overrides
	return e
}

// The documented callbacks. CregisPayout has the unknown status 0.
var (
	CregisPayout           = Example{Provider: "cregis", Kind: payout.TypePayout, File: "cregis-payout.json", Account: "pid"}
	CregisSubAddressPayout = Example{Provider: "cregis", Kind: payout.TypeSubAddressPayout, File: "cregis-sub-address-payout.json", Account: "pid"}
	PivotSingle            = Example{Provider: "pivot", Kind: payout.TypePayout, File: "pivot-single.json", Account: "data.merchantId"}
	PivotBulk              = Example{Provider: "pivot", Kind: payout.TypePayout, File: "pivot-bulk.json", Account: "data.merchantId"}
)

// Assignment is the path of a field and its value. An empty value changes nothing.
type Assignment [2]string

// Assignments returns the flags of a command whose tag field names a field of the body.
// flags is a struct; its flags are text, so that digits are sent as typed.
func Assignments(flags any) []Assignment {
	var assignments []Assignment
	value := reflect.ValueOf(flags)
	for _, field := range reflect.VisibleFields(value.Type()) {
		if path := field.Tag.Get("field"); path != "" {
			assignments = append(assignments, Assignment{path, value.FieldByIndex(field.Index).String()})
		}
	}
	return assignments
}

// Body returns the documented body with a nonce and a timestamp of its own, if the
// provider sends them, the flags, and then --set and --unset, which override everything
// else.
func (e Example) Body() ([]byte, error) {
	text, err := ReadExample(e.File)
	if err != nil {
		return nil, fmt.Errorf("read example: %w", err)
	}
	var changes []Change
	if e.Provider == "cregis" {
		nonce := strings.ToLower(rand.Text()[:6])
		changes = append(changes, assign("nonce", nonce), assign("timestamp", strconv.FormatInt(time.Now().UnixMilli(), 10)))
	}
	for _, a := range e.Fields {
		if a[1] != "" {
			changes = append(changes, assign(a[0], a[1]))
		}
	}
	more, err := e.changes()
	if err != nil {
		return nil, err
	}
	body, err := Edit(text, append(changes, more...)...)
	if err != nil {
		return nil, cli.Usagef("", "%w", err)
	}
	return body, nil
}

// Overrides are the flags that change any field of an example.
type Overrides struct {
	Set   []string `help:"Change a field: NAME=VALUE keeps the kind of the value, NAME:=JSON sets any value. Dots separate nested names: data.uuid=1." placeholder:"FIELD" sep:"none"`
	Unset []string `help:"Remove a field." placeholder:"NAME" sep:"none"`
}

func (o Overrides) changes() ([]Change, error) {
	var changes []Change
	for _, argument := range o.Set {
		c, err := ParseChange(argument)
		if err != nil {
			return nil, cli.Usagef("", "--set %w", err)
		}
		changes = append(changes, c)
	}
	for _, path := range o.Unset {
		changes = append(changes, Change{path: strings.Split(path, "."), remove: true})
	}
	return changes, nil
}

// object is a JSON object that can be edited member by member. Order and digits stay
// as they are, because a signature covers the text of numbers.
type object []member

type member struct {
	name  string
	value jsontext.Value
}

// Change sets or removes one field of a body.
type Change struct {
	path   []string       // names, outermost first
	text   string         // new value, of the kind of the old one
	raw    jsontext.Value // new value as JSON; takes precedence over text
	remove bool
}

// assign returns the change that sets a field, whose path is joined by dots.
func assign(path, text string) Change {
	return Change{path: strings.Split(path, "."), text: text}
}

// ParseChange parses NAME=VALUE, which keeps the kind of the field, or NAME:=JSON,
// which replaces it.
func ParseChange(argument string) (Change, error) {
	name, value, ok := strings.Cut(argument, "=")
	path, isRaw := strings.CutSuffix(name, ":")
	if !ok || path == "" {
		return Change{}, fmt.Errorf("%q is neither NAME=VALUE nor NAME:=JSON", argument)
	}
	if !isRaw {
		return assign(path, value), nil
	}
	raw := jsontext.Value(value)
	if !raw.IsValid() {
		return Change{}, fmt.Errorf("%s: what follows := is not JSON", path)
	}
	return Change{path: strings.Split(path, "."), raw: raw}, nil
}

// Edit applies the changes to the body in order.
func Edit(body []byte, changes ...Change) ([]byte, error) {
	var err error
	for _, c := range changes {
		if body, err = c.apply(body); err != nil {
			return nil, fmt.Errorf("set %s: %w", strings.Join(c.path, "."), err)
		}
	}
	return body, nil
}

// apply applies the change to an object or to an object inside it.
func (c Change) apply(body jsontext.Value) (jsontext.Value, error) {
	fields, err := readObject(body)
	if err != nil {
		return nil, err
	}
	name, inner := c.path[0], c.path[1:]
	at := slices.IndexFunc(fields, func(m member) bool { return m.name == name })
	if at < 0 && c.remove {
		return body, nil
	}
	if len(inner) == 0 && c.remove {
		return slices.Delete(fields, at, at+1).text(), nil
	}
	if at < 0 {
		fields, at = append(fields, member{name: name, value: c.placeholder()}), len(fields)
	}
	if len(inner) > 0 {
		fields[at].value, err = Change{inner, c.text, c.raw, c.remove}.apply(fields[at].value)
	} else {
		fields[at].value, err = c.valueLike(fields[at].value)
	}
	return fields.text(), err
}

// placeholder is the value of a new field before it is set.
func (c Change) placeholder() jsontext.Value {
	if len(c.path) > 1 {
		return jsontext.Value(`{}`)
	}
	return jsontext.Value(`null`)
}

// valueLike returns the new value, of the same kind as the old one.
func (c Change) valueLike(old jsontext.Value) (jsontext.Value, error) {
	if c.raw != nil {
		return c.raw, nil
	}
	switch old.Kind() {
	case jsontext.KindString, jsontext.KindNull:
		return jsontext.AppendQuote(nil, c.text)
	case jsontext.KindNumber:
		number := jsontext.Value(c.text)
		if !number.IsValid() || number.Kind() != jsontext.KindNumber {
			return nil, fmt.Errorf("%q is not a number, which the field is in the example; NAME:=JSON sets any value", c.text)
		}
		return bytes.TrimSpace(number), nil
	}
	return nil, errors.New("the field is an object, an array or a boolean in the example; NAME:=JSON sets any value")
}

// FieldText returns the text of a field, or "" if the body does not have it.
func FieldText(body []byte, path string) string {
	name, inner, isNested := strings.Cut(path, ".")
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return ""
	}
	if isNested {
		return FieldText(fields[name], inner)
	}
	var text string
	if json.Unmarshal(fields[name], &text) != nil {
		return string(fields[name])
	}
	return text
}

func readObject(body []byte) (object, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(body))
	if decoder.PeekKind() != jsontext.KindBeginObject {
		return nil, errors.New("its parent is not an object")
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	var fields object
	for decoder.PeekKind() != jsontext.KindEndObject {
		token, err := decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String() // the token is invalid after the next read
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		fields = append(fields, member{name: name, value: value.Clone()})
	}
	return fields, nil
}

// text returns the object without white space.
func (o object) text() jsontext.Value {
	text := []byte{'{'}
	for n, m := range o {
		if n > 0 {
			text = append(text, ',')
		}
		text, _ = jsontext.AppendQuote(text, m.name) // the error means invalid UTF-8, which is replaced
		text = append(append(text, ':'), m.value...)
	}
	return append(text, '}')
}
