package cregis

import (
	"bytes"
	"cmp"
	"crypto/md5" //nolint:gosec // the scheme is Cregis's; see the package comment
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// nameSign is the only field that is not signed. An old SDK of Cregis also leaves
// out Sign and SIGN. A body that relies on that is refused, because nothing would
// cover the field.
const nameSign = "sign"

// noKey replaces the key of an unknown project, so that verifying takes as long as
// for a known one. A signature with it is never accepted.
const noKey callback.Key = "00000000000000000000000000000000"

// authenticate returns the account whose key signed the body:
// docs/api-reference/signature.
//
// Its time reveals no secret. A refusal takes the time of all keys of the
// account, and an unknown account has the time of one key: a sender can measure
// whether an account has a previous key, and nothing about the keys. Only who has
// the current key can measure that the previous one is not tried.
func (b *body) authenticate(keys callback.Keys) (callback.Sender, error) {
	account := b.account()
	known := keys[account]
	isCurrent := b.isSignedWith(cmp.Or(known.Current, noKey)) && known.Current != ""
	isPrevious := !isCurrent && known.Previous != "" && b.isSignedWith(known.Previous)
	switch {
	case account == "":
		return callback.Sender{}, callback.ErrUnauthenticated
	case isCurrent:
		return callback.Sender{Account: account, KeyID: known.Current.ID()}, nil
	case isPrevious:
		return callback.Sender{Account: account, KeyID: known.Previous.ID(), Previous: true}, nil
	}
	return callback.Sender{}, known.Refusal()
}

// account returns the project that the body names, or "" if the body does not
// name one in the documented way. A project's number may be a string.
func (b *body) account() string {
	pid := b.documented[pid]
	if pid.kind != jsontext.KindString && pid.kind != jsontext.KindNumber || !isID(pid.text) {
		return ""
	}
	return pid.text
}

// isSignedWith reports whether the body's sign is the signature with the key.
// Cregis documents lower-case digits; both cases decode to the same 16 bytes.
func (b *body) isSignedWith(key callback.Key) bool {
	sent, ok := decodeSign(b.sign)
	want := signature(key, b.canonical)
	return subtle.ConstantTimeCompare(sent[:], want[:]) == 1 && ok
}

// decodeSign decodes a sign. It reports false for a value that cannot be one.
func decodeSign(sign value) (sum [md5.Size]byte, ok bool) {
	if sign.kind != jsontext.KindString || len(sign.text) != hex.EncodedLen(md5.Size) {
		return sum, false
	}
	_, err := hex.Decode(sum[:], []byte(sign.text))
	return sum, err == nil
}

// signature returns the MD5 of the key and the canonical string.
func signature(key callback.Key, text string) [md5.Size]byte {
	return md5.Sum([]byte(string(key) + text)) //nolint:gosec // see the import
}

// Sign implements [callback.Signer]. The body keeps its order and spacing; its
// sign is replaced in place, or added as the last member, spaced as the first.
func (Provider) Sign(raw []byte, key callback.Key, _ time.Time) ([]byte, http.Header, error) {
	raw, err := callback.Unpack(raw)
	if err != nil {
		return nil, nil, err
	}
	body, err := read(raw)
	if err != nil {
		return nil, nil, err
	}
	sum := signature(key, body.canonical)
	sign := hex.EncodeToString(sum[:])
	signed, err := placeSign(raw, sign)
	return signed, http.Header{"Content-Type": {"application/json"}}, err
}

// placeSign writes the sign into the text of an object.
func placeSign(raw []byte, sign string) ([]byte, error) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	begin := int(decoder.InputOffset())
	end := begin
	var before, between string // white space before the first name, and colon and white space before a value
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

// isNamed reports whether a quoted name is the name.
func isNamed(quoted jsontext.Value, name string) bool {
	text, err := jsontext.AppendUnquote(nil, quoted)
	return err == nil && string(text) == name
}

// splice returns raw with raw[from:to] replaced, and leaves raw unchanged.
func splice(raw []byte, from, to int, text string) []byte {
	result := make([]byte, 0, len(raw)+len(text))
	result = append(result, raw[:from]...)
	result = append(result, text...)
	return append(result, raw[to:]...)
}
