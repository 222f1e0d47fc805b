package explain

import (
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// explainCregis explains a callback whose body contains an MD5 signature of the
// account's key and its own fields. See pkg/provider/cregis.
func (r *Report) explainCregis(in Input) {
	raw := unpack(in.Request.Body)
	body := signedBody{in: in, fields: parseFields(raw)}
	sign := fieldNamed(body.fields, "sign")
	r.Received = abbreviate(sign.text)
	r.Signed = CanonicalString(raw)
	switch r.Verdict {
	case callback.Malformed:
		r.addUnreadable(raw)
		r.addNested(body.fields)
		return
	case callback.TooLarge:
		return
	}
	for _, k := range keysOf(in.Keys, r.Account) {
		expected := body.signature(k.key)
		r.KeyChecks = append(r.KeyChecks, KeyCheck{k.key.ID(), k.previous, abbreviate(expected), strings.EqualFold(expected, sign.text)})
	}
	if r.Verdict == callback.Acknowledged {
		return
	}
	switch {
	case r.Account == "":
		r.addf(CauseNoAccount, "the body names no project: pid is missing or not in plain digits")
	case in.Keys[r.Account].Current == "":
		r.addf(CauseNoKeys, "no key is stored for project %s; keys are stored for %s", r.Account, accountNames(in.Keys))
	}
	if r.checkSignature(sign) {
		r.findAlteration(body)
	}
}

// CanonicalString returns the fields of the text that Cregis signs, in their order: the
// account's key precedes them. The body may be compressed.
func CanonicalString(body []byte) []Field {
	var signed []Field
	for _, f := range signedFields(parseFields(unpack(body))) {
		signed = append(signed, Field{f.name, f.text})
	}
	return signed
}

// unpack decompresses a body that is compressed.
func unpack(body []byte) []byte {
	if unpacked, err := callback.Unpack(body); err == nil {
		return unpacked
	}
	return body
}

// signForm is the form of an MD5 signature, with the whitespace that a sender may
// add.
var signForm = regexp.MustCompile(`^\s*[0-9a-fA-F]{32}\s*$`)

// checkSignature reports whether the body has a signature that can be compared.
func (r *Report) checkSignature(sign field) bool {
	switch {
	case sign.text == "":
		r.addf(CauseNoCredential, "the body has no sign, or an empty one")
	case sign.kind != jsontext.KindString || !signForm.MatchString(sign.text):
		r.addf(CauseCredentialForm, "sign is not a string of 32 hexadecimal digits, as an MD5 signature is")
	default:
		return true
	}
	return false
}

// signedBody is a body that contains its signature.
type signedBody struct {
	in     Input
	fields []field
}

// verify verifies the body with other fields. Verify signs the text of a value,
// whatever its kind: all values are written as strings.
func (b signedBody) verify(fields []field, keys callback.Keys) (callback.Sender, bool) {
	verified, err := b.in.Provider.Verify(callback.NewRequest(b.in.Request.Type, nil, appendObject(fields)), keys)
	return verified.Sender, err == nil
}

// signature returns the signature that the key makes.
func (b signedBody) signature(key callback.Key) string {
	signed, _, err := b.in.Provider.Sign(appendObject(b.fields), key, time.Time{})
	if err != nil {
		return ""
	}
	sign := fieldNamed(parseFields(signed), "sign")
	return sign.text
}

// appendObject writes an object of strings, whose invalid UTF-8 becomes U+FFFD. Of
// a name that occurs twice it writes both, which the provider refuses.
func appendObject(fields []field) []byte {
	object := []byte{'{'}
	for n, f := range fields {
		if n > 0 {
			object = append(object, ',')
		}
		object, _ = jsontext.AppendQuote(object, f.name)
		object = append(object, ':')
		object, _ = jsontext.AppendQuote(object, f.text)
	}
	return append(object, '}')
}
