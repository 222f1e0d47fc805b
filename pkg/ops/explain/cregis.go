package explain

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// explainCregis explains a callback whose body contains an MD5 signature of the
// account's key and its own fields. See pkg/provider/cregis.
func (r *Report) explainCregis(in Input) {
	raw := in.Request.Body
	if unpacked, err := callback.Unpack(raw); err == nil {
		raw = unpacked
	}
	body := signedBody{in: in, fields: parseFields(raw)}
	body.account = fieldNamed(body.fields, "pid").text
	r.Account = body.account
	sign := fieldNamed(body.fields, "sign")
	r.Received = abbreviate(sign.text)
	for _, f := range signedFields(body.fields) {
		r.Signed = append(r.Signed, Field{f.name, f.text})
	}
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
	r.checkProject(in.Keys, fieldNamed(body.fields, "pid"))
	if r.checkSignature(sign) {
		r.findAlteration(body)
	}
}

func (r *Report) checkProject(keys callback.Keys, pid field) {
	switch {
	case pid.kind == 0:
		r.addf(CauseNoAccount, "the body has no pid, so the project is unknown")
	case pid.kind != jsontext.KindString && pid.kind != jsontext.KindNumber, strings.ContainsAny(pid.text, ".eE+- "):
		r.addf(CauseNoAccount, "pid is not a project id in plain digits")
	case keys[pid.text].Current == "":
		r.addf(CauseNoKeys, "no key is stored for project %s; keys are stored for %s", pid.text, accountNames(keys))
	}
}

// checkSignature reports whether the body has a signature that can be compared.
func (r *Report) checkSignature(sign field) bool {
	const md5Digits = 32
	text := strings.TrimSpace(sign.text)
	isHex := strings.Trim(strings.ToLower(text), "0123456789abcdef") == ""
	switch {
	case sign.kind == 0:
		r.addf(CauseNoCredential, "the body has no sign")
	case sign.text == "":
		r.addf(CauseNoCredential, "sign is empty")
	case sign.kind != jsontext.KindString:
		r.addf(CauseCredentialForm, "sign is not a string")
	case !isHex || len(text) != md5Digits:
		r.addf(CauseCredentialForm, "sign has %d characters; an MD5 signature has 32 hexadecimal digits", len(sign.text))
	default:
		return true
	}
	return false
}

// signedBody is a body that contains its signature.
type signedBody struct {
	in      Input
	fields  []field
	account string
}

// verify verifies the body with other fields. Verify signs the text of a value,
// whatever its kind: all values are written as strings.
func (b signedBody) verify(fields []field, keys callback.Keys) (callback.Sender, bool) {
	verified, err := b.in.Provider.Verify(callback.NewRequest(b.in.Request.Type, nil, appendObject(fields)), keys)
	return verified.Sender, err == nil
}

// signature returns the signature that the key makes.
func (b signedBody) signature(key callback.Key) string {
	signed, _, err := b.in.Provider.Sign(appendObject(b.fields), key)
	if err != nil {
		return ""
	}
	sign := fieldNamed(parseFields(signed), "sign")
	return sign.text
}

// appendObject writes an object of strings. Of a name that occurs twice it writes
// both, which the provider refuses.
func appendObject(fields []field) []byte {
	object := []byte{'{'}
	for n, f := range fields {
		if n > 0 {
			object = append(object, ',')
		}
		object = quote(object, f.name)
		object = append(object, ':')
		object = quote(object, f.text)
	}
	return append(object, '}')
}

func quote(dst []byte, text string) []byte {
	dst, _ = jsontext.AppendQuote(dst, text) // invalid UTF-8 becomes U+FFFD
	return dst
}
