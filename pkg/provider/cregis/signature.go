package cregis

import (
	"bytes"
	"cmp"
	"crypto/md5" //nolint:gosec // the scheme is Cregis's; see the package comment
	"crypto/subtle"
	"encoding/hex"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// nameSign is the one field that is not signed. Only this spelling: an old SDK
// of Cregis leaves out Sign and SIGN as well, and a body that relies on that is
// refused here, because the field would be covered by nothing.
const nameSign = "sign"

// noKey stands in for the key that an unknown project lacks, so that the work,
// and with it the time, is that of a known one. It never proves anything.
const noKey callback.Key = "00000000000000000000000000000000"

// authenticate returns the account whose key signed the body: docs/api-reference/signature.
//
// What the time tells is no secret. A refusal takes as long as all keys of the
// account, of which an unknown one seems to have one: so whether an account is
// between two keys can be measured, and nothing of either. That the current key
// fits and the previous one is not tried is seen by nobody but who has the key.
func (b *body) authenticate(keys callback.Keys) (callback.Sender, error) {
	account := b.account()
	known := keys[account]
	text := b.canonical()
	current := b.provenBy(cmp.Or(known.Current, noKey), text) && known.Current != ""
	previous := !current && known.Previous != "" && b.provenBy(known.Previous, text)
	switch {
	case account == "":
		return callback.Sender{}, callback.ErrUnauthenticated
	case current:
		return callback.Sender{Account: account, KeyID: known.Current.ID()}, nil
	case previous:
		return callback.Sender{Account: account, KeyID: known.Previous.ID(), Previous: true}, nil
	}
	return callback.Sender{}, known.Refusal()
}

// account returns the project that the body names, or "" where it names none
// in the documented way. A project's number may come as a string.
func (b *body) account() string {
	pid := b.documented[pid]
	if pid.kind != jsontext.KindString && pid.kind != jsontext.KindNumber || !isID(pid.text) {
		return ""
	}
	return pid.text
}

// provenBy reports whether the body's sign is the key's proof. Cregis documents
// lower-case digits; either case says the same 16 bytes.
func (b *body) provenBy(key callback.Key, text string) bool {
	sent, isProof := decodeSign(b.sign)
	want := proof(key, text)
	return subtle.ConstantTimeCompare(sent[:], want[:]) == 1 && isProof
}

// decodeSign reads a sign; ok reports whether it has the form of one.
func decodeSign(sign value) (sum [md5.Size]byte, ok bool) {
	if sign.kind != jsontext.KindString || len(sign.text) != hex.EncodedLen(md5.Size) {
		return sum, false
	}
	_, err := hex.Decode(sum[:], []byte(sign.text))
	return sum, err == nil
}

// proof returns the MD5 of key and canonical string.
func proof(key callback.Key, text string) [md5.Size]byte {
	signed := make([]byte, 0, len(key)+len(text))
	signed = append(signed, key...)
	signed = append(signed, text...)
	return md5.Sum(signed) //nolint:gosec // see the import
}

// Sign implements [callback.Signer]. The text of the body keeps its order and
// spacing; its sign is replaced where it stands, or becomes the last member,
// spaced as the first is.
func (Provider) Sign(raw []byte, key callback.Key) ([]byte, http.Header, error) {
	raw, err := callback.Unpack(raw)
	if err != nil {
		return nil, nil, err
	}
	body, err := read(raw)
	if err != nil {
		return nil, nil, err
	}
	sum := proof(key, body.canonical())
	sign := hex.EncodeToString(sum[:])
	signed, err := placeSign(raw, sign)
	return signed, http.Header{"Content-Type": {"application/json"}}, err
}

// placeSign writes the sign into an object.
func placeSign(raw []byte, sign string) ([]byte, error) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	begin := int(decoder.InputOffset())
	end := begin
	var before, between string // what stands before the first name, and before a value
	for decoder.PeekKind() == jsontext.KindString {
		name, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		colon := int(decoder.InputOffset())
		if end == begin {
			before = string(raw[begin : colon-len(name)])
		}
		isSign := isNamed(name, nameSign)
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		end = int(decoder.InputOffset())
		between = string(raw[colon : end-len(value)])
		if isSign {
			return splice(raw, end-len(value), end, `"`+sign+`"`), nil
		}
	}
	member := before + `"` + nameSign + `"` + cmp.Or(between, ":") + `"` + sign + `"`
	if end > begin {
		member = "," + member
	}
	return splice(raw, end, end, member), nil
}

func isNamed(quoted jsontext.Value, name string) bool {
	text, err := jsontext.AppendUnquote(nil, quoted)
	return err == nil && string(text) == name
}

// splice returns raw with raw[from:to] replaced; raw is not changed.
func splice(raw []byte, from, to int, text string) []byte {
	result := make([]byte, 0, len(raw)+len(text))
	result = append(result, raw[:from]...)
	result = append(result, text...)
	return append(result, raw[to:]...)
}
