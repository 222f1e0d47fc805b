package main

// providers is against what each provider is believed and understood by.
var providers = []mutant{{
	name: "any signature will do", breaks: "I6", file: "pkg/provider/cregis/signature.go",
	old: `subtle.ConstantTimeCompare(sent[:], want[:]) == 1`,
	new: `subtle.ConstantTimeCompare(sent[:], want[:]) >= 0`,
}, {
	name: "an account without a key can be signed for", breaks: "I6", file: "pkg/provider/cregis/signature.go",
	old: `b.provenBy(cmp.Or(known.Current, noKey), text) && known.Current != ""`,
	new: `b.provenBy(cmp.Or(known.Current, noKey), text)`,
}, {
	name: "the previous key is refused", breaks: "I7", file: "pkg/provider/cregis/signature.go",
	old: `previous := !current && known.Previous != "" && b.provenBy(known.Previous, text)`,
	new: `previous := !current && known.Previous != "" && b.provenBy("", text)`,
}, {
	name: "duplicate names are allowed", breaks: "I6", file: "pkg/provider/cregis/body.go",
	old: `return isNew`,
	new: `return isNew || slot.isSet()`,
}, {
	name: "duplicate names that no page documents are allowed", breaks: "I6", file: "pkg/provider/cregis/body.go",
	old: `if b.unknown[i].name == b.unknown[i-1].name {`,
	new: `if b.unknown[i] == b.unknown[i-1] {`,
}, {
	name: "0 is dropped from the signature", breaks: "I6", file: "pkg/provider/cregis/body.go",
	old: `func (v value) isSet() bool { return v.text != "" }`,
	new: `func (v value) isSet() bool { return v.text != "" && v.text != "0" }`,
}, {
	name: "null is signed as a word", breaks: "I6", file: "pkg/provider/cregis/body.go",
	old: `		text.Next()
		return value{kind: kind}, true`,
	new: `		return value{text.Next(), kind}, true`,
}, {
	name: "text may follow the object", breaks: "I6", file: "pkg/strictjson/strictjson.go",
	old: `	if !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {`,
	new: `	rest := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	if _, err := rest.ReadValue(); err != nil {`,
}, {
	name: "a scanner is led astray by an escaped quote", breaks: "I6", file: "pkg/strictjson/strictjson.go",
	old: `if s.text[at] == '\\' {`,
	new: `if s.text[at] == '/' {`,
}, {
	name: "a body is believed by the reading of another", breaks: "I6", file: "pkg/callback/request.go",
	old: `ok && sameBytes(known.of, request.Body) {`,
	new: `ok {`,
}, {
	name: "int64 through float", breaks: "I7", file: "pkg/provider/cregis/parse.go",
	old: `millis, _ := strconv.ParseInt(b.documented[blockTime].text, 10, 64)`,
	new: `millis, _ := strconv.ParseInt(b.documented[blockTime].text, 10, 64)
	float, _ := strconv.ParseFloat(b.documented[cid].text, 64)
	b.documented[cid].text = strconv.FormatFloat(float, 'f', 0, 64)`,
}, {
	name: "the fingerprint has the remark", breaks: "I2", file: "pkg/provider/cregis/parse.go",
	old: `Reason:      outcome.reason,`,
	new: `Reason:      outcome.reason + b.documented[remark].text,`,
}, {
	name: "the key includes the nonce", breaks: "I2", file: "pkg/provider/cregis/parse.go",
	old: `Memo:        b.documented[memo].text,`,
	new: `Memo:        b.documented[memo].text + b.documented[nonce].text,`,
}, {
	name: "the ambiguity check is off", breaks: "I6", file: "pkg/provider/cregis/parse.go",
	old: `p.checkKind, p.checkFormats, p.checkUnambiguous,`,
	new: `p.checkKind, p.checkFormats,`,
}, {
	name: "a callback of another type is read as the route's", breaks: "I4", file: "pkg/provider/cregis/parse.go",
	old: `p.checkKind, p.checkFormats, p.checkUnambiguous,`,
	new: `p.checkFormats, p.checkUnambiguous,`,
}, {
	name: "an unknown status counts as failed", breaks: "I7", file: "pkg/provider/cregis/parse.go",
	old: `unknown = hold(callback.ReasonStatus, "status is %s; known are 2, 4, 6, 7", value.text)`,
	new: `b.documented[status].text = "7"`,
}, {
	name: "success has a line feed", breaks: "I7", file: "pkg/provider/cregis/provider.go",
	old: `Body: "success"`,
	new: `Body: "success\n"`,
}, {
	name: "too large a body is refused as unsigned", breaks: "I6", file: "pkg/provider/cregis/provider.go",
	old: `return callback.Sender{}, callback.ErrTooLarge`,
	new: `return callback.Sender{}, callback.ErrUnauthentic`,
}, {
	name: "the merchant is not bound to the key", breaks: "I6", file: "pkg/provider/pivot/parse.go",
	old: `named != "" && !isSameID(named, account)`,
	new: `named == "" && !isSameID(named, account)`,
}, {
	name: "a key that was not set yet is anybody's", breaks: "I6", file: "pkg/provider/pivot/signature.go",
	old: `	if key == "" {
		return false
	}
	of := sha256`,
	new: `	of := sha256`,
}, {
	name: "the merchant's previous key is refused", breaks: "I7", file: "pkg/provider/pivot/signature.go",
	old: `current, previous := same(digest, of.Current), same(digest, of.Previous)`,
	new: `current, previous := same(digest, of.Current), false`,
}, {
	name: "of two equal names, the last is read", breaks: "I6", file: "pkg/strictjson/strictjson.go",
	old:  `.IsValid() {`,
	new:  `.IsValid(jsontext.AllowDuplicateNames(true)) {`,
	also: []string{"./pkg/provider/pivot"},
}, {
	name: "copies of a held body are told apart by their spaces", breaks: "I2", file: "pkg/provider/pivot/parse.go",
	old: `r.held.Subject = strictjson.Canonical(request.Body)`,
	new: `r.held.Subject = request.Body`,
}, {
	name: "the items of a request are one payout", breaks: "I4", file: "pkg/provider/pivot/parse.go",
	old: `canonicalID(r.text(uuid, isUUID)), ours),`,
	new: `canonicalID(r.text(uuid, isUUID)), ""),`,
}, {
	name: "a status that disagrees with its event is believed", breaks: "I7", file: "pkg/provider/pivot/parse.go",
	old: `case said != word:`,
	new: `case said == "" && said != word:`,
}, {
	name: "a fault of ours is answered in a code that is not tried again", breaks: "I7", file: "pkg/provider/pivot/provider.go",
	old: `return reply(http.StatusServiceUnavailable, notReceived)`,
	new: `return reply(http.StatusNotFound, notReceived)`,
}}
