package cregis

import (
	"regexp"
	"slices"
	"unicode/utf8"
)

// options is what an installation adds to the documented schema.
type options struct {
	known     map[string]bool // names of fields that bodies can have besides the documented ones
	names     []fieldName     // that a value must not contain, see findName
	reference *regexp.Regexp  // the form of our references, or nil
}

// fieldName is a name of a field and how its values begin.
type fieldName struct {
	text   string
	begins begins
}

var defaultOptions = newOptions(nil, nil)

func newOptions(known []string, reference *regexp.Regexp) *options {
	o := &options{known: map[string]bool{}, reference: reference}
	for _, rule := range documented {
		if rule.isOf(callbacks) {
			o.names = append(o.names, fieldName{rule.name, rule.begins})
		}
	}
	for _, name := range known {
		o.known[name] = true
		if !slices.ContainsFunc(o.names, func(n fieldName) bool { return n.text == name }) {
			o.names = append(o.names, fieldName{name, beginsKnown})
		}
	}
	return o
}

// New returns the provider for an installation that knows more fields than the
// documentation, and the form of its own references. The pattern must match
// a whole reference; without a pattern a reference is printable ASCII. A known
// field adds nothing to an event.
func New(knownFields []string, referencePattern *regexp.Regexp) Provider {
	return Provider{set: newOptions(knownFields, referencePattern)}
}

// options returns the installation's options.
func (p Provider) options() *options {
	if p.set == nil {
		return defaultOptions
	}
	return p.set
}

// isReference reports whether text is of the form of our references.
func (o *options) isReference(text string) bool {
	if o.reference == nil {
		return isPrintable(text)
	}
	return text != "" && utf8.RuneCountInString(text) <= maxReference && o.reference.MatchString(text)
}
