package pivot

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// field is a place in a documented body.
type field int

// The fields that become part of an event, or decide whether there is one.
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
	fieldCount
)

// layout is the place of each field. Names are case-sensitive. Everything else is
// ignored: a field that Pivot adds later is as authentic as the rest, and no part
// of an event.
var layout = [fieldCount]struct {
	name string
	in   field
}{
	top:             {in: fieldCount},
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

// body holds the fields as they were written; "" for a field that is absent or
// null, which are the same, and "{}" for an object with fields of the layout.
type body [fieldCount]string

// content is a request with its body as it was read.
type content struct {
	request callback.Request
	body    *body // nil with an error
	err     error
}

func readRequest(request callback.Request) content {
	if request.TooLarge() {
		return content{request, nil, callback.ErrTooLarge}
	}
	body, err := read(request.Body)
	return content{request, body, err}
}

// merchant returns the merchant that the body names, or "" if the body names
// none or cannot be read. A body that is too large may name one further on.
func (c content) merchant() string {
	if c.err != nil {
		return ""
	}
	return c.body.string(merchantID)
}

// verified returns the callback of a verified sender.
func (c content) verified(sender callback.Sender) callback.Verified {
	return callback.NewVerified(c.request, sender, func() (payout.Event, *callback.Held) { return c.parse(sender) })
}

// read parses one JSON object. The decoder refuses duplicate names, invalid UTF-8
// and unpaired surrogates (RFC 7493): two parsers could read such a body
// differently.
func read(raw []byte) (*body, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(raw))
	kind := decoder.PeekKind()
	b := new(body)
	if err := b.readValue(decoder, top); err != nil {
		return nil, err
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("after the value: %w", cmp.Or(err, errors.New("unexpected data")))
	}
	if kind != jsontext.KindBeginObject {
		return nil, errors.New("not an object")
	}
	return b, nil
}

// readValue reads the value of a field; fieldCount is a field that is ignored.
func (b *body) readValue(decoder *jsontext.Decoder, at field) error {
	kind := decoder.PeekKind()
	if kind == jsontext.KindBeginObject && at.isObject() {
		b[at] = "{}"
		return b.readObject(decoder, at)
	}
	value, err := decoder.ReadValue()
	if err == nil && at != fieldCount && kind != jsontext.KindNull {
		b[at] = string(value)
	}
	return err
}

func (b *body) readObject(decoder *jsontext.Decoder, in field) error {
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	for decoder.PeekKind() != jsontext.KindEndObject {
		name, err := decoder.ReadToken()
		if err != nil {
			return err
		}
		if err := b.readValue(decoder, lookUp(in, name.String())); err != nil {
			return err
		}
	}
	_, err := decoder.ReadToken()
	return err
}

// lookUp returns the field of a name in an object, or fieldCount.
func lookUp(in field, name string) field {
	for at := in + 1; at < fieldCount; at++ {
		if place := &layout[at]; place.in == in && place.name == name {
			return at
		}
	}
	return fieldCount
}

// isObject reports whether the field is an object with fields of the layout.
func (f field) isObject() bool {
	return f == top || f == data || f == results || f == single || f == amount
}

// has reports whether the field is set.
func (b *body) has(at field) bool { return b[at] != "" }

// kind returns the field's JSON type, or KindInvalid if the field is not set.
func (b *body) kind(at field) jsontext.Kind { return jsontext.Value(b[at]).Kind() }

// string returns the text of a field, or "" if it is not a string.
func (b *body) string(at field) string {
	if b.kind(at) != jsontext.KindString {
		return ""
	}
	text, err := jsontext.AppendUnquote(nil, b[at])
	if err != nil {
		return "" // not reached: the decoder has read the string
	}
	return string(text)
}
