package explain

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// cregis explains a callback of Cregis: an MD5 over the key and the body's
// fields. See pkg/provider/cregis.
func (r *Report) cregis(in Input) {
	raw := in.Request.Body
	if text, err := callback.Unpack(raw); err == nil {
		raw = text
	}
	fields := fieldsOf(raw)
	if r.Verdict == callback.Malformed {
		r.reading(raw)
		if finding := nested(fields); finding != nil && len(r.Findings) == 0 {
			r.Findings = append(r.Findings, *finding)
		}
	}
	if len(fields) == 0 {
		if r.Verdict == callback.Unauthenticated {
			r.foundf(CauseNoProof, "the body is an object without fields")
		}
		return
	}
	for _, item := range fieldText(fields) {
		r.Signed = append(r.Signed, Field{item.name, item.text})
	}
	pid := fieldNamed(fields, "pid")
	r.Account = pid.text
	sign := fieldNamed(fields, "sign")
	r.Received = beginning(sign.text)
	body := &cregisCase{in: in, fields: fields, sign: sign.text, account: pid.text, rings: map[string][]owned{}}
	r.proofs(body)
	if r.Verdict != callback.Unauthenticated {
		return
	}
	r.cregisAccount(body, pid)
	r.cregisSign(body, sign)
	if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Cause == CauseNoProof }) {
		r.elsewhere(body)
		return
	}
	r.search(body)
}

// cregisCase is one body whose proof is looked for.
type cregisCase struct {
	in      Input
	fields  []field
	sign    string
	account string
	rings   map[string][]owned // keys to try, by account
}

// proofs tells what each key of the named account makes of the body.
func (r *Report) proofs(c *cregisCase) {
	for _, o := range ring(c.in.Keys, c.account) {
		if o.account != c.account {
			return
		}
		expected := c.sum(string(o.key) + canonical(c.fields))
		r.Proofs = append(r.Proofs, KeyCheck{o.key.ID(), o.previous, beginning(expected), expected == c.sign})
	}
}

func (r *Report) cregisAccount(c *cregisCase, pid field) {
	known := slices.Sorted(maps.Keys(c.in.Keys))
	switch {
	case pid.kind == 0:
		r.foundf(CauseNoAccount, "the body has no pid, so that nobody can tell whose key to try")
	case pid.kind != jsontext.KindString && pid.kind != jsontext.KindNumber, strings.ContainsAny(pid.text, ".eE+- "):
		r.foundf(CauseNoAccount, "pid is not a project id in plain digits: it was written anew as another kind of number?")
	case len(c.in.Keys[pid.text].Current) == 0:
		r.foundf(CauseNoKeys, "no key is stored for project %s; there are keys of %s", pid.text, listed(known))
	}
}

func listed(names []string) string {
	if len(names) == 0 {
		return "no project"
	}
	return strings.Join(names, ", ")
}

// md5Digits is the length of a proof.
const md5Digits = 32

func (r *Report) cregisSign(c *cregisCase, sign field) {
	other := slices.IndexFunc(c.fields, func(f field) bool { return f.name != "sign" && strings.EqualFold(f.name, "sign") })
	switch {
	case sign.text == "" && other >= 0:
		r.foundf(CauseNoProof, "there is no sign; %q is another name, and only sign is left out of what is signed", c.fields[other].name)
	case sign.kind == 0:
		r.foundf(CauseNoProof, "there is no sign in the body")
	case sign.text == "":
		r.foundf(CauseNoProof, "sign is empty")
	case sign.kind != jsontext.KindString:
		r.foundf(CauseProofForm, "sign is not a string")
	case !isHex(strings.TrimSpace(sign.text)) || len(strings.TrimSpace(sign.text)) != md5Digits:
		r.foundf(CauseProofForm, "sign has %d characters, %s: Cregis's is an MD5 in 32 hexadecimal digits", len(sign.text), resembles(sign.text))
	}
}

func isHex(text string) bool {
	return strings.Trim(strings.ToLower(text), "0123456789abcdef") == ""
}

func resembles(sign string) string {
	switch {
	case isHex(sign) && len(sign) == 64:
		return "as a SHA-256 has"
	case isHex(sign) && len(sign) == 40:
		return "as a SHA-1 has"
	case len(sign) == 24 && strings.HasSuffix(sign, "=="):
		return "as an MD5 in base64 has"
	}
	return "which no hash in common use has"
}

// sum is the MD5 of a text in hexadecimal digits, made by the provider itself:
// a body of one field has that field for its signed text.
func (c *cregisCase) sum(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if len(text) <= size || !utf8.ValidString(text) {
		return ""
	}
	body, err := json.Marshal(map[string]string{string(first): text[size:]})
	if err != nil {
		return ""
	}
	signed, _, err := c.in.Provider.Sign(body, "")
	if err != nil {
		return ""
	}
	sign := fieldNamed(fieldsOf(signed), "sign")
	return sign.text
}

// fits reports whether the text is what was signed.
func (c *cregisCase) fits(text string) bool {
	return c.sum(text) == strings.ToLower(strings.TrimSpace(c.sign))
}

// elsewhere looks for the proof in the headers.
func (r *Report) elsewhere(c *cregisCase) {
	for _, name := range slices.Sorted(maps.Keys(c.in.Request.Header)) {
		for _, value := range c.in.Request.Header[name] {
			item := *c
			item.sign = value
			if o, ok := item.keyThatFits(canonical(c.fields)); ok {
				r.foundf(CauseProofPlace, "the header %s holds the right sign, by key %s of project %s; Cregis puts it into the body", name, o, o.account)
				return
			}
		}
	}
}
