package cregis

import (
	"regexp"
	"slices"
	"unicode/utf8"
)

// options are what an installation adds to the documented schema.
type options struct {
	known     map[string]bool // fields that bodies may have besides the documented ones
	names     []fieldName     // that values must not contain, see findName
	reference *regexp.Regexp  // the form of our references, or nil
}

// fieldName is the name of a field, as free texts must not contain it.
type fieldName struct {
	text        string
	beforeValue *regexp.Regexp // the name before the beginning of a value; nil if free texts may contain it
}

func newFieldName(name, begins string) fieldName {
	if begins == "" {
		return fieldName{text: name}
	}
	return fieldName{name, regexp.MustCompile(regexp.QuoteMeta(name) + begins)}
}

var defaultOptions = newOptions(nil, nil)

func newOptions(known []string, reference *regexp.Regexp) *options {
	o := &options{known: map[string]bool{}, reference: reference}
	for _, rule := range documented {
		if rule.isOf(callbacks) {
			o.names = append(o.names, newFieldName(rule.name, rule.begins))
		}
	}
	for _, name := range known {
		o.known[name] = true
		if !slices.ContainsFunc(o.names, func(n fieldName) bool { return n.text == name }) {
			o.names = append(o.names, newFieldName(name, beginsKnown))
		}
	}
	return o
}

// New returns the provider for an installation that knows more fields than the
// documentation, and the form of its own references. The pattern must match a
// whole reference; without a pattern a reference is printable ASCII. A known
// field adds nothing to an event.
func New(knownFields []string, referencePattern *regexp.Regexp) Provider {
	return Provider{set: newOptions(knownFields, referencePattern)}
}

// options returns the options of the installation.
func (p Provider) options() *options {
	if p.set == nil {
		return defaultOptions
	}
	return p.set
}

// isReference reports whether text has the form of our references.
func (o *options) isReference(text string) bool {
	if o.reference == nil {
		return isPrintable(text)
	}
	return text != "" && utf8.RuneCountInString(text) <= maxReference && o.reference.MatchString(text)
}
