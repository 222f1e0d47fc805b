package pivot

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/provider/strictjson"
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

// body holds the fields as they were written; "" where absent or null, which
// are one, and "{}" for an object that fields are looked for in.
type body [fields]string

// read takes a body for one object by the strict rules of RFC 7493; see
// strictjson.
func read(raw []byte) (*body, error) {
	text, err := strictjson.Scan(raw)
	if err != nil {
		return nil, err
	}
	if text.Kind() != jsontext.KindBeginObject {
		return nil, errors.New("not an object")
	}
	b := new(body)
	b.object(&text, top)
	return b, nil
}

func (b *body) object(text *strictjson.Scanner, in field) {
	text.Enter()
	for text.Kind() == jsontext.KindString {
		b.member(text, lookUp(in, strictjson.Unquote(text.Next())))
	}
	text.Enter()
}

func (b *body) member(text *strictjson.Scanner, at field) {
	switch kind := text.Kind(); {
	case at == fields, kind == jsontext.KindNull:
		text.Next()
	case kind == jsontext.KindBeginObject && at.object():
		b[at] = "{}"
		b.object(text, at)
	default:
		b[at] = text.Next()
	}
}

// lookUp returns the field of a name, or fields if there is none.
func lookUp(in field, name string) field {
	for at := in + 1; at < fields; at++ {
		if place := &layout[at]; place.in == in && place.name == name {
			return at
		}
	}
	return fields
}

// object reports whether fields are looked for in this one.
func (f field) object() bool {
	return f == data || f == results || f == single || f == amount
}

// has reports whether the field is told.
func (b *body) has(at field) bool { return b[at] != "" }

// kind returns what the field is, or KindInvalid where it is not told.
func (b *body) kind(at field) jsontext.Kind { return strictjson.KindOf(b[at]) }

// string returns the text of a field, or "" where it is no string.
func (b *body) string(at field) string {
	if b.kind(at) != jsontext.KindString {
		return ""
	}
	return strictjson.Unquote(b[at])
}
