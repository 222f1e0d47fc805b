package cregis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// parse turns an authentic body into its event, or says why it cannot. The
// order of the checks decides which reason is given: what kind of message a
// body is comes before what is wrong with it.
func (p Provider) parse(route payout.Type, b *body) (payout.Event, *callback.Held) {
	kind := kindOf(route)
	if kind == 0 {
		return payout.Event{}, hold(callback.ReasonRoute, "Cregis has no callbacks of type %q", route)
	}
	for _, check := range []func(messageKind, *body) *callback.Held{
		p.checkKind, p.checkFormats, p.checkUnambiguous, checkCurrency,
	} {
		if held := check(kind, b); held != nil {
			held.ProviderID = b.providerID()
			return payout.Event{}, held
		}
	}
	return b.event(route), nil
}

// checkKind holds a body that is not of the route's kind: one that is complete
// as another kind of message, one with a field that is neither documented for
// the route's kind nor known, or one that lacks a field.
func (p Provider) checkKind(kind messageKind, b *body) *callback.Held {
	missing := b.names(func(r *rule, isSet bool) bool { return !isSet && r.must&kind != 0 })
	others := b.names(func(r *rule, isSet bool) bool { return isSet && !r.isOf(kind) && !p.options().known[r.name] })
	unknown := slices.Clone(others)
	for _, field := range b.unknown {
		if !p.options().known[field.name] {
			unknown = append(unknown, field.name)
		}
	}
	if len(missing) > 0 || len(others) > 0 {
		for i, name := range kindNames {
			if b.fits(messageKind(1) << i) {
				return hold(callback.ReasonRoute, "this is a %s, which this route is not for", name)
			}
		}
	}
	switch {
	case len(missing) > 0 && len(others) > 0:
		return hold(callback.ReasonRoute, "fields of another kind of message: %s; missing: %s", list(others), list(missing))
	case len(unknown) > 0:
		return hold(callback.ReasonUnknownField, "fields that are neither documented nor known: %s", list(unknown))
	case len(missing) > 0:
		return hold(callback.ReasonField, "missing: %s", list(missing))
	}
	return nil
}

// isOf reports whether messages of the kind can have the field.
func (r *rule) isOf(kind messageKind) bool { return (r.must|r.may)&kind != 0 }

// fits reports whether the body's documented fields are those of the kind.
func (b *body) fits(kind messageKind) bool {
	return len(b.names(func(r *rule, isSet bool) bool {
		return isSet && !r.isOf(kind) || !isSet && r.must&kind != 0
	})) == 0
}

func (b *body) names(match func(r *rule, isSet bool) bool) []string {
	var names []string
	for i := range documented {
		if match(&documented[i], b.documented[i].isSet()) {
			names = append(names, documented[i].name)
		}
	}
	return names
}

// list writes names for a note, which has to hold the signed text as well.
func list(names []string) string {
	const most = 10
	var quoted []string
	for _, name := range names[:min(len(names), most)] {
		quoted = append(quoted, fmt.Sprintf("%.100q", name))
	}
	if len(names) > most {
		quoted = append(quoted, fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(quoted, ", ")
}

// checkFormats holds a body with a value that is not of its documented form,
// a status last: with any other fault as well it is not just a new status.
func (p Provider) checkFormats(_ messageKind, b *body) *callback.Held {
	var unknown *callback.Held
	for i := range documented {
		rule := &documented[i]
		switch value := b.documented[i]; {
		case !value.isSet(), p.hasForm(rule, b, value):
		case i == status && rule.takes(value) && isCount(value.text):
			unknown = hold(callback.ReasonStatus, "status is %s; known are 2, 4, 6, 7", value.text)
		default:
			return hold(callback.ReasonField, "%s is not of its documented form: %q", rule.name, value.text)
		}
	}
	return unknown
}

// hasForm reports whether the value is of the field's form. A known field that
// only other kinds of message document can hold any text.
func (p Provider) hasForm(r *rule, b *body, v value) bool {
	switch {
	case r.form == nil:
		return true
	case r.name == documented[thirdPartyID].name:
		return r.takes(v) && p.options().isReference(v.text)
	}
	return r.takes(v) && r.form(b.documented[chainID].text, v.text)
}

// takes reports whether the field's JSON type is one that the rule allows.
func (r *rule) takes(v value) bool {
	return v.kind == jsontext.KindString || r.number && v.kind == jsontext.KindNumber
}

// providerID returns Cregis's id of the payout, or "" where the body has none.
func (b *body) providerID() string {
	if value := b.documented[cid]; documented[cid].takes(value) && isID(value.text) {
		return value.text
	}
	return ""
}

// asset returns chain, token and symbol in canonical form, and whether the
// currency names this chain and token.
func (b *body) asset() (chain, token, symbol string, ok bool) {
	chain = canonicalNumber(b.documented[chainID].text)
	token = canonicalToken(chain, b.documented[tokenID].text)
	symbol, ok = currencyOf(chain, token, b.documented[currency].text)
	return chain, token, symbol, ok
}

// checkCurrency holds a body whose currency names another chain than its chain
// id, or another token than its token id.
func checkCurrency(_ messageKind, b *body) *callback.Held {
	if chain, token, _, ok := b.asset(); !ok {
		return hold(callback.ReasonMismatch, "currency is %q, but the chain is %q and the token %q", b.documented[currency].text, chain, token)
	}
	return nil
}

// event builds the event out of values that have their forms.
func (b *body) event(route payout.Type) payout.Event {
	outcome := statuses[b.documented[status].text]
	// Of an absent value there is nothing to read, and 0 says so.
	sum, _ := payout.ParseAmount(b.documented[amount].text)
	height, _ := strconv.ParseUint(b.documented[blockHeight].text, 10, 64)
	millis, _ := strconv.ParseInt(b.documented[blockTime].text, 10, 64)
	chain, token, symbol, _ := b.asset()
	event := payout.Event{
		ID:          payout.NewID(Provider{}.Name(), route, b.documented[pid].text, b.documented[cid].text, ""),
		Reference:   b.documented[thirdPartyID].text,
		Status:      outcome.status,
		Reason:      outcome.reason,
		Amount:      sum,
		Currency:    symbol,
		Chain:       chain,
		Token:       token,
		From:        canonicalAddress(chain, b.documented[fromAddress].text),
		To:          canonicalAddress(chain, b.documented[toAddress].text),
		Memo:        b.documented[memo].text,
		BlockHeight: height,
		BlockTime:   millis,
	}
	if route == payout.TypePayout { // a field that the route's kind does not document adds nothing to the event
		event.From, event.To = "", canonicalAddress(chain, b.documented[address].text)
	}
	event.TxID = canonicalTxID(chain, event.To, b.documented[txID].text)
	return event
}

func hold(reason callback.Reason, format string, args ...any) *callback.Held {
	return &callback.Held{Reason: reason, Note: fmt.Sprintf(format, args...)}
}
