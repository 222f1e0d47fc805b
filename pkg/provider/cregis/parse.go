package cregis

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
)

// parseOrHold parses the body. A held callback keeps the signed text: whoever
// can split that text into other bodies may send one of those first, and with
// the text nothing is lost whichever came.
func (p Provider) parseOrHold(request callback.Request, b *body) (payout.Event, *callback.Held) {
	event, held := p.parse(request.Type, b)
	if held != nil {
		held.Subject = []byte(b.canonical)
		held.Note += "\nsigned text: " + b.canonical
		return payout.Event{}, held
	}
	return event, nil
}

// parse turns a verified body into its event, or says why it cannot. The order
// of the checks decides which reason is given: what kind of message a body is
// comes before what is wrong with it.
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
			held.Reference = b.reference(held.Reason)
			return payout.Event{}, held
		}
	}
	return b.event(route), nil
}

// checkKind holds a body that is not of the route's kind: one that is complete
// as another kind of message, one with a field that is neither documented for
// the route's kind nor known, or one that lacks a field.
func (p Provider) checkKind(kind messageKind, b *body) *callback.Held {
	missing := b.names(func(r *rule, isSet bool) bool { return !isSet && r.required&kind != 0 })
	otherKind := b.names(func(r *rule, isSet bool) bool { return isSet && !r.isOf(kind) && !p.options().known[r.name] })
	if len(missing) > 0 || len(otherKind) > 0 {
		if i := slices.IndexFunc(kinds, b.isComplete); i >= 0 {
			return hold(callback.ReasonRoute, "%s on the route of another callback type", kindNames[i])
		}
	}
	unexpected := append(slices.Clone(otherKind), p.undocumented(b)...)
	switch {
	case len(missing) > 0 && len(otherKind) > 0:
		return hold(callback.ReasonRoute, "unknown callback type: unexpected fields: %s; missing fields: %s", list(otherKind), list(missing))
	case len(unexpected) > 0:
		return hold(callback.ReasonUnknownField, "unexpected field name: %s", list(unexpected))
	case len(missing) > 0:
		return hold(callback.ReasonField, "missing field: %s", list(missing))
	}
	return nil
}

// undocumented returns the names of fields that are neither documented nor known.
func (p Provider) undocumented(b *body) []string {
	var names []string
	for _, field := range b.fields {
		if _, ok := documentedIndex(field.name); !ok && !p.options().known[field.name] {
			names = append(names, field.name)
		}
	}
	return names
}

// isComplete reports whether the body's documented fields are those of the kind.
func (b *body) isComplete(kind messageKind) bool {
	return len(b.names(func(r *rule, isSet bool) bool {
		return isSet && !r.isOf(kind) || !isSet && r.required&kind != 0
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

// list writes names for a note. It is bounded, because the note also contains
// the signed text.
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

// checkFormats holds a body with a value that does not have its documented form.
// An unknown status is reported last: with any other fault the body is not just
// one with a new status.
func (p Provider) checkFormats(_ messageKind, b *body) *callback.Held {
	var unknownStatus *callback.Held
	for i := range documented {
		rule := &documented[i]
		switch value := b.documented[i]; {
		case !value.isSet(), p.hasForm(rule, b, value):
		case i == status && rule.accepts(value) && isCount(value.text):
			unknownStatus = hold(callback.ReasonStatus, "unknown status %s; known are 2, 4, 6, 7", value.text)
		default:
			return hold(callback.ReasonField, "%s does not have its documented form: %q", rule.name, value.text)
		}
	}
	return unknownStatus
}

// hasForm reports whether the value has the field's form. A known field that
// only other kinds of message document can have any value.
func (p Provider) hasForm(r *rule, b *body, v value) bool {
	switch {
	case r.form == nil:
		return true
	case r.name == documented[thirdPartyID].name:
		return r.accepts(v) && p.options().isReference(v.text)
	}
	return r.accepts(v) && r.form(b.documented[chainID].text, v.text)
}

// providerID returns Cregis's id of the payout, or "" where the body has none.
func (b *body) providerID() string {
	if value := b.documented[cid]; documented[cid].accepts(value) && isID(value.text) {
		return value.text
	}
	return ""
}

// reference returns our reference as a hint for a query, or "". Where another body with
// the same signed text may have another reference, an answer would not have this one.
func (b *body) reference(reason callback.Reason) string {
	value := b.documented[thirdPartyID]
	isCertain := reason != callback.ReasonAmbiguous && reason != callback.ReasonUnknownField
	if !isCertain || !documented[thirdPartyID].accepts(value) || utf8.RuneCountInString(value.text) > maxReference || strings.ContainsFunc(value.text, isInvisible) {
		return ""
	}
	return value.text
}

// asset returns chain, token and symbol in canonical form, and whether the
// currency names this chain and token.
func (b *body) asset() (chain, token, symbol string, ok bool) {
	chain = canonicalNumber(b.documented[chainID].text)
	token = canonicalToken(chain, b.documented[tokenID].text)
	symbol, ok = findSymbol(chain, token, b.documented[currency].text)
	return chain, token, symbol, ok
}

// checkCurrency holds a body whose currency names a chain other than its chain
// id, or a token other than its token id.
func checkCurrency(_ messageKind, b *body) *callback.Held {
	if chain, token, _, ok := b.asset(); !ok {
		return hold(callback.ReasonMismatch, "currency %q does not match chain %q and token %q", b.documented[currency].text, chain, token)
	}
	return nil
}

// event builds the event from values that have their forms.
func (b *body) event(route payout.Type) payout.Event {
	meaning := statuses[b.documented[status].text]
	// An absent value gives 0.
	sum, _ := payout.ParseAmount(b.documented[amount].text)
	height, _ := strconv.ParseUint(b.documented[blockHeight].text, 10, 64)
	millis, _ := strconv.ParseInt(b.documented[blockTime].text, 10, 64)
	chain, token, symbol, _ := b.asset()
	event := payout.Event{
		ID:          payout.NewID(Provider{}.Name(), route, b.documented[pid].text, b.documented[cid].text, ""),
		Reference:   b.documented[thirdPartyID].text,
		Status:      meaning.status,
		Reason:      meaning.reason,
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
	if route == payout.TypePayout { // a known field of another kind adds nothing to the event
		event.From, event.To = "", canonicalAddress(chain, b.documented[address].text)
	}
	event.TxID = canonicalTxID(chain, event.To, b.documented[txID].text)
	return event
}

func hold(reason callback.Reason, format string, args ...any) *callback.Held {
	return &callback.Held{Reason: reason, Note: fmt.Sprintf(format, args...)}
}
