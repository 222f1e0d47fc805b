package pivot

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// field is a place in a documented body.
type field int

// The fields that an event is made of, or that decide whether it is one.
const (
	top field = iota
	event
	data
	uuid
	merchantID
	status
	results
	resultsStatus
	pendingCount
	pendingAmount
	successCount
	successAmount
	failedCount
	failedAmount
	cancelledCount
	cancelledAmount
	single
	singleStatus
	reference
	reason
	amount
	amountValue
	amountCurrency
	fields // how many
)

// layout says where each field stands. Names are case-sensitive. What stands
// elsewhere is passed over: what Pivot adds later is as authentic as the rest,
// and no part of an event.
var layout = [fields]struct {
	name string
	in   field
}{
	top:             {in: fields},
	event:           {"event", top},
	data:            {"data", top},
	uuid:            {"uuid", data},
	merchantID:      {"merchantId", data},
	status:          {"status", data},
	results:         {"payoutResults", data},
	resultsStatus:   {"status", results},
	pendingCount:    {"totalPendingCount", results},
	pendingAmount:   {"totalPendingAmount", results},
	successCount:    {"totalSuccessCount", results},
	successAmount:   {"totalSuccessAmount", results},
	failedCount:     {"totalFailedCount", results},
	failedAmount:    {"totalFailedAmount", results},
	cancelledCount:  {"totalCancelledCount", results},
	cancelledAmount: {"totalCancelledAmount", results},
	single:          {"payouts", data},
	singleStatus:    {"status", single},
	reference:       {"referenceId", single},
	reason:          {"reason", single},
	amount:          {"amount", single},
	amountValue:     {"value", amount},
	amountCurrency:  {"currency", amount},
}

// body holds the fields as they were written; nil where absent or null, which
// are one.
type body [fields]jsontext.Value

// read takes a body for one JSON object by the strict rules of RFC 7493: no
// duplicate names, no invalid UTF-8, no byte-order mark, nothing after it.
//
// The library checks all of that in one pass that costs a third of reading
// tokens, so the walk after it need not check again. It ends with the field
// wanted last, or goes to the end for the one that is never found, top.
func read(raw []byte, last field) (found body, err error) {
	if text := jsontext.Value(raw); !text.IsValid() {
		return body{}, explain(text)
	}
	lax := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	walk := walker{raw, last, jsontext.NewDecoder(bytes.NewBuffer(raw), lax...)}
	if walk.PeekKind() != jsontext.KindBeginObject {
		return body{}, errors.New("not an object")
	}
	err = walk.object(top, &found)
	return found, err
}

// explain says why a text is not valid.
func explain(text jsontext.Value) error {
	text = bytes.Clone(text)
	return text.Format()
}

// walker reads valid JSON.
type walker struct {
	raw  []byte
	last field
	*jsontext.Decoder
}

func (w walker) object(in field, found *body) error {
	if _, err := w.ReadToken(); err != nil {
		return err
	}
	for w.PeekKind() == jsontext.KindString {
		name, err := w.ReadValue()
		if err != nil {
			return err
		}
		if err := w.member(lookUp(in, name), found); err != nil || found[w.last] != nil {
			return err
		}
	}
	_, err := w.ReadToken()
	return err
}

func (w walker) member(at field, found *body) error {
	switch kind := w.PeekKind(); {
	case at == fields:
		return w.SkipValue()
	case kind == jsontext.KindBeginObject && at.object():
		found[at] = jsontext.Value("{}")
		return w.object(at, found)
	case kind == jsontext.KindNull:
		return w.SkipValue()
	}
	value, err := w.ReadValue()
	end := int(w.InputOffset())
	found[at] = w.raw[end-len(value) : end] // value itself is only lent
	return err
}

// lookUp returns the field of a name as written, or fields if there is none.
func lookUp(in field, written jsontext.Value) field {
	name := unquote(written)
	for at, place := range layout {
		if place.in == in && place.name == string(name) {
			return field(at)
		}
	}
	return fields
}

// object reports whether fields are looked for in this one.
func (f field) object() bool {
	return f == data || f == results || f == single || f == amount
}

// has reports whether the field is told.
func (b *body) has(at field) bool { return b[at] != nil }

// string returns the text of a field, or "" where it is no string.
func (b *body) string(at field) string {
	if b[at].Kind() != jsontext.KindString {
		return ""
	}
	return string(unquote(b[at]))
}

// unquote returns the text of a JSON string; most of them have no escapes.
func unquote(written jsontext.Value) []byte {
	if bytes.IndexByte(written, '\\') < 0 {
		return written[1 : len(written)-1]
	}
	text, _ := jsontext.AppendUnquote[jsontext.Value](nil, written) // valid, by IsValid
	return text
}

// canonical returns one form for all spacings and orders of a JSON text, and
// any other text as it is. Numbers stay as written: as floating-point ones,
// which RFC 8785 asks for, two long ids could become one.
func canonical(raw []byte) []byte {
	text := jsontext.Value(bytes.Clone(raw))
	err := text.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false))
	if err != nil {
		return bytes.Clone(raw)
	}
	return text
}
