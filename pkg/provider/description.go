// Package provider says what the rest of the application has to know about a payment
// provider: a [Description], which each provider's package has.
package provider

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/reconcile"
)

// Callbacks verifies, parses, and answers the callbacks of a provider. For tools, it
// also signs them.
type Callbacks interface {
	callback.Provider
	callback.Signer
	callback.Claimant
}

// Description describes a provider. It is a value without side effects, safe for
// concurrent use.
type Description struct {
	// Callbacks has the provider's name and the types of its routes, too.
	Callbacks
	// Expectations is the form of expected payouts; nil if they cannot be expected.
	Expectations reconcile.Expectations
	// Queries is the provider's API for queries; nil for a provider that cannot be asked.
	// Its expected payouts become overdue without an answer.
	Queries reconcile.Provider
	// Title is the provider's name in documents and messages: Cregis.
	Title string
	// Account is the form of our accounts with the provider.
	Account Account
	// IDFields are the fields of a callback that a payout's id consists of, first that of
	// the account. Log lines have their values in ids, and no value of another field.
	IDFields []string
	// KeyNoun is what the provider calls the key of callbacks: API key.
	KeyNoun string
	// ProofHeader is the header with the key or the signature; "" if it is in the body.
	ProofHeader string
	// Credentials are the fields of an account's API credentials, the secret last; none
	// without Queries.
	Credentials []Field
	// Retries says when the provider sends a callback again by itself.
	Retries Retries
	// Settings are the parameters of the template that change how callbacks are parsed, and
	// Configure returns the description with their values, in the same order; nil without
	// settings. Its error names each parameter whose value cannot be used.
	Settings  []Setting
	Configure func(values []string) (Description, error)
	// DemoAccount is the account of the local stack, and Demo the content of its secret. A
	// key of another account does not verify callbacks of the demo account.
	DemoAccount string
	Demo        callback.Keys
}

// Account is the form of account ids.
type Account struct {
	Noun    string // what the provider calls it: project id
	Pattern string // a regular expression that an id matches as a whole
	Example string // an id of the provider's documentation
}

// Field is a field of API credentials.
type Field struct {
	Name  string // in the JSON object of the secret's entry
	Value string // a placeholder: <API key>
}

// Setting is a parameter of the template. A function reads its value from the variable
// [Variable].
type Setting struct {
	Parameter string // CregisKnownFields
	Default   string // of the parameter
	// IsExpected is set if expectations need it as well.
	IsExpected bool
}

// Retries says when a provider sends a callback again by itself. The zero value is that
// of a provider that never does.
type Retries struct {
	Waits []time.Duration // before each further attempt
	Codes []CodeRange     // of the answers that are retried
}

// CodeRange is a range of HTTP status codes, with both bounds.
type CodeRange struct{ From, To int }

// Prefix returns the beginning of the provider's logical ids, parameters, and outputs in
// the template: Cregis, as in CregisFunction.
func (d Description) Prefix() string { return strings.ToUpper(d.Name()[:1]) + d.Name()[1:] }

// KeysOutput returns the output with the name of the secret of keys: CregisKeysSecret.
func (d Description) KeysOutput() string { return d.Prefix() + "KeysSecret" }

// APIOutput returns the output with the name of the secret of API credentials:
// CregisApiSecret. A provider without queries has none.
func (d Description) APIOutput() string { return d.Prefix() + "ApiSecret" }

// QueriesParameter returns the parameter and output with the mode of queries:
// CregisQueries. A provider without queries has none.
func (d Description) QueriesParameter() string { return d.Prefix() + "Queries" }

// WithOutputs returns the description with the settings of a deployed stack, from the
// stack's outputs. An output that is missing, because an older version deployed the
// stack, has its default.
func (d Description) WithOutputs(outputs map[string]string) (Description, error) {
	return d.WithSettings(func(s Setting) string { return cmp.Or(outputs[s.Parameter], s.Default) })
}

// SendsKey reports whether the header with the proof contains the key itself.
func (d Description) SendsKey() bool {
	const key = callback.Key("key")
	_, header, err := d.Sign([]byte("{}"), key, time.Time{})
	return err == nil && header.Get(d.ProofHeader) == string(key)
}

// WithSettings returns the description with the values of its settings.
func (d Description) WithSettings(value func(Setting) string) (Description, error) {
	if d.Configure == nil {
		return d, nil
	}
	values := make([]string, len(d.Settings))
	for n, setting := range d.Settings {
		values[n] = value(setting)
	}
	configured, err := d.Configure(values)
	if err != nil {
		return d, fmt.Errorf("read settings of %s: %w", d.Title, err)
	}
	return configured, nil
}

// Matches reports whether text has the form of an account id.
func (a Account) Matches(text string) bool {
	return regexp.MustCompile(`\A(?:` + a.Pattern + `)\z`).MatchString(text)
}

// Wait returns how long the provider waits after an attempt, counted from 1, was answered
// with an HTTP status code. It is false if the provider does not send the callback again.
func (r Retries) Wait(attempt, code int) (time.Duration, bool) {
	isRetried := slices.ContainsFunc(r.Codes, func(c CodeRange) bool { return c.From <= code && code <= c.To })
	if !isRetried || attempt > len(r.Waits) {
		return 0, false
	}
	return r.Waits[attempt-1], true
}

// Variable returns the environment variable with the value of a parameter:
// CREGIS_KNOWN_FIELDS for CregisKnownFields.
func Variable(parameter string) string {
	var name strings.Builder
	for n, r := range parameter {
		if n > 0 && unicode.IsUpper(r) {
			name.WriteByte('_')
		}
		name.WriteRune(unicode.ToUpper(r))
	}
	return name.String()
}
