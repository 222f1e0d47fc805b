package cregis

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// maxOthers bounds the fields that no page documents. Every one of them is one
// more name under which a signed text might be cut.
const maxOthers = 16

// parse turns an authentic body into the event that it tells, or says why it
// cannot. The order of the checks decides which reason is given: what a body
// is comes before what is wrong with it.
func parse(kind payout.Type, b *body) (payout.Event, *callback.Held) {
	for _, check := range []func(payout.Type) *callback.Held{
		b.misfit, b.forms, b.ambiguous,
	} {
		if held := check(kind); held != nil {
			return payout.Event{}, held
		}
	}
	return b.event(kind), nil
}

// shapeOf returns the shape that a route is for, or none.
func shapeOf(kind payout.Type) shapes {
	switch kind {
	case payout.TypePayout:
		return payoutCallback
	case payout.TypeSubAddressPayout:
		return subAddressCallback
	}
	return 0
}

// misfit holds a body that is not of the route's shape: one with a field that
// only other shapes have, one that is complete as another shape, or one that
// lacks a field.
func (b *body) misfit(kind payout.Type) *callback.Held {
	shape := shapeOf(kind)
	switch {
	case shape == 0:
		return hold(callback.ReasonRoute, "Cregis has no callbacks of type %q", kind)
	case b.fits(shape):
		return nil
	}
	if strange := b.names(func(r *rule, told bool) bool { return told && (r.must|r.may)&shape == 0 }); strange != "" {
		return hold(callback.ReasonRoute, "fields of another type of callback than this route's: %s", strange)
	}
	for _, other := range everyone.each() {
		if b.fits(other) {
			return hold(callback.ReasonRoute, "this is a %s, which this route is not for", other.name())
		}
	}
	missing := b.names(func(r *rule, told bool) bool { return !told && r.must&shape != 0 })
	return hold(callback.ReasonField, "missing: %s", missing)
}

func (b *body) fits(shape shapes) bool {
	for i := range documented {
		rule, told := &documented[i], b.own[i].told()
		if rule.must&shape != 0 && !told || told && (rule.must|rule.may)&shape == 0 {
			return false
		}
	}
	return true
}

func (b *body) names(which func(r *rule, told bool) bool) string {
	var names []string
	for i := range documented {
		if which(&documented[i], b.own[i].told()) {
			names = append(names, documented[i].name)
		}
	}
	return strings.Join(names, ", ")
}

// forms holds a body with a value that is not of its documented form, a status
// last: with any other fault as well it is not just a new status.
func (b *body) forms(payout.Type) *callback.Held {
	var unknown *callback.Held
	for i := range documented {
		rule := &documented[i]
		switch value := b.own[i]; {
		case !value.told(), rule.takes(value) && rule.form(value.text):
		case i == status && rule.takes(value) && isCount(value.text):
			unknown = hold(callback.ReasonStatus, "status is %s; known are 2, 4, 6, 7", value.text)
		default:
			return hold(callback.ReasonField, "%s is not of its documented form: %q", rule.name, value.text)
		}
	}
	for _, other := range b.others {
		if !isName(other.name) {
			return hold(callback.ReasonField, "a field has no name as Cregis uses them: %q", other.name)
		}
	}
	return unknown
}

// takes reports whether the field's JSON type is one that the rule allows.
func (r *rule) takes(v value) bool {
	return v.kind == jsontext.KindString || r.number && v.kind == jsontext.KindNumber
}

// event builds the event out of values that have their forms.
func (b *body) event(kind payout.Type) payout.Event {
	outcome := statuses[b.own[status].text]
	// Of an absent value there is nothing to read, and 0 says so.
	sum, _ := payout.ParseAmount(b.own[amount].text)
	height, _ := strconv.ParseUint(b.own[blockHeight].text, 10, 64)
	millis, _ := strconv.ParseInt(b.own[blockTime].text, 10, 64)
	event := payout.Event{
		ID:          payout.NewID(Provider{}.Name(), kind, b.own[pid].text, b.own[cid].text, ""),
		Reference:   b.own[thirdPartyID].text,
		Status:      outcome.status,
		Reason:      outcome.reason,
		Amount:      sum,
		Currency:    b.own[currency].text,
		Chain:       b.own[chainID].text,
		Token:       b.own[tokenID].text,
		From:        b.own[fromAddress].text,
		To:          b.own[toAddress].text,
		Memo:        b.own[memo].text,
		TxID:        b.own[txID].text,
		BlockHeight: height,
		BlockTime:   millis,
	}
	if kind == payout.TypePayout {
		event.To = b.own[address].text
	}
	return event
}

// ambiguous holds a body whose signature covers something else as well.
func (b *body) ambiguous(kind payout.Type) *callback.Held {
	if len(b.others) > maxOthers {
		return hold(callback.ReasonAmbiguous, "%d fields that no page documents, over %d", len(b.others), maxOthers)
	}
	search := newSearch(b, shapeOf(kind))
	if len(b.others) == 0 && search.onlyOwnNames() {
		return nil
	}
	if len(search.places) > maxPlaces {
		return hold(callback.ReasonAmbiguous, "field names in more than %d places", maxPlaces)
	}
	search.claims()
	if name := search.hidden(); name != "" {
		return hold(callback.ReasonField, "the value of %s holds the name of another field", name)
	}
	others := search.others()
	if len(others) == 0 {
		return nil
	}
	return hold(callback.ReasonAmbiguous, "%s", search.describe(others))
}

func hold(reason callback.Reason, format string, args ...any) *callback.Held {
	return &callback.Held{Reason: reason, Note: fmt.Sprintf(format, args...)}
}
