package explain

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"payout-callbacks/pkg/callback"
)

// pivotHeader is where Pivot puts its key, as http.Header spells it.
const pivotHeader = "X-Api-Key"

// pivot explains a callback of Pivot: the key stands in a header, and nothing
// is signed. See pkg/provider/pivot.
func (r *Report) pivot(in Input) {
	sent := in.Request.Header[pivotHeader]
	if len(sent) > 0 && sent[0] != "" {
		r.Received = callback.Key(sent[0]).ID()
	}
	r.Account = merchantIn(in.Request)
	for _, o := range ring(in.Keys, r.Account) {
		if o.account == r.Account {
			r.Proofs = append(r.Proofs, KeyCheck{KeyID: o.key.ID(), Previous: o.previous, Fits: r.Verdict == callback.Acknowledged && r.Sender.KeyID == o.key.ID()})
		}
	}
	if r.Verdict == callback.Acknowledged {
		if r.Held != nil && r.Account != "" && !strings.EqualFold(r.Account, r.Sender.Account) {
			r.foundf(CauseOtherAccount, "the key is %s of merchant %s, but the body names merchant %s: a callback of another merchant, "+
				"or the two have their keys exchanged", r.Sender.KeyID, r.Sender.Account, r.Account)
		}
		if !in.Request.TooLarge() {
			r.reading(in.Request.Body)
		}
		return
	}
	switch {
	case len(sent) == 0:
		r.foundf(CauseNoProof, "there is no header X-API-Key")
		r.keyElsewhere(in)
	case len(sent) > 1:
		r.foundf(CauseProofForm, "the header X-API-Key stands %d times, with different values or with no key of ours", len(sent))
	case sent[0] == "":
		r.foundf(CauseNoProof, "the header X-API-Key is empty")
	default:
		r.pivotKey(in, sent[0])
	}
}

// merchantIn returns the merchant that a body names, however odd the body is.
func merchantIn(request callback.Request) string {
	if request.TooLarge() {
		return ""
	}
	data := fieldNamed(fieldsOf(request.Body), "data")
	merchant := fieldNamed(fieldsOf([]byte(data.raw)), "merchantId")
	if merchant.kind != jsontext.KindString {
		return ""
	}
	return merchant.text
}

// pivotKey says what is wrong with the one key that came.
func (r *Report) pivotKey(in Input, sent string) {
	if how, o, ok := unwrapped(in.Keys, r.Account, sent); ok {
		r.foundf(CauseProofWrapping, "the header holds key %s of merchant %s, but %s", o, o.account, how)
		return
	}
	for _, provider := range slices.Sorted(maps.Keys(in.Others)) {
		if item, ok := owner(in.Others[provider], "", sent); ok {
			r.foundf(CauseOtherProvider, "the key is %s, of %s account %s", item, provider, item.account)
			return
		}
	}
	if value, ok := cut(in.Keys, r.Account, sent); ok {
		r.foundf(CauseCutKey, "the header holds %d of the %d characters of key %s of merchant %s", len(sent), len(value.key), value, value.account)
		return
	}
	if _, known := in.Keys[r.Account]; r.Account != "" && !known {
		r.foundf(CauseNoKeys, "no key is stored for merchant %s; there are keys of %s", r.Account, listed(slices.Sorted(maps.Keys(in.Keys))))
	}
	r.foundf(CauseUnknownKey, "the header holds a key of %d characters with the id %s, which is none of those that are stored: compare the Callback API Key "+
		"in Pivot's dashboard with it. It is another one than the key that we call Pivot with", len(sent), callback.Key(sent).ID())
}

// keyElsewhere looks for a key under other names.
func (r *Report) keyElsewhere(in Input) {
	for _, name := range slices.Sorted(maps.Keys(in.Request.Header)) {
		for _, value := range in.Request.Header[name] {
			how, o, ok := unwrapped(in.Keys, r.Account, value)
			if !ok {
				if o, ok = owner(in.Keys, r.Account, value); !ok {
					continue
				}
				how = "as it is"
			}
			r.foundf(CauseProofPlace, "the header %s holds key %s of merchant %s, %s; Pivot puts it into X-API-Key: "+
				"did something in between rename it?", name, o, o.account, how)
			return
		}
	}
}

func owner(keys callback.Keys, account, sent string) (owned, bool) {
	return match(keys, account, func(key string) bool { return key == sent })
}

// cut finds a key of which a good part came, from its beginning or its end.
func cut(keys callback.Keys, account, sent string) (owned, bool) {
	const least = 6
	return match(keys, account, func(key string) bool {
		part, whole := sent, key
		if len(part) > len(whole) {
			part, whole = whole, part
		}
		return len(part) >= least && (strings.HasPrefix(whole, part) || strings.HasSuffix(whole, part))
	})
}

func match(keys callback.Keys, account string, is func(key string) bool) (owned, bool) {
	all := ring(keys, account)
	at := slices.IndexFunc(all, func(o owned) bool { return is(string(o.key)) })
	if at < 0 {
		return owned{}, false
	}
	return all[at], true
}

// unwrapped finds the key inside what stands around it.
func unwrapped(keys callback.Keys, account, sent string) (string, owned, bool) {
	for _, try := range []struct{ how, inside string }{
		{"with space around it", strings.TrimSpace(sent)},
		{"in quotes", strings.Trim(strings.TrimSpace(sent), `"'`)},
		{"with a word before it (like Bearer)", lastWord(sent)},
		{"in URL encoding", urlDecoded(sent)},
		{"in base64", base64Decoded(sent)},
		{"in base64 after a word and a name (Basic)", lastOf(strings.ReplaceAll(base64Decoded(lastWord(sent)), ":", "/"))},
	} {
		if try.inside == sent || try.inside == "" {
			continue
		}
		if o, ok := owner(keys, account, try.inside); ok {
			return try.how, o, true
		}
	}
	item, ok := match(keys, account, func(key string) bool { return strings.EqualFold(key, sent) && key != sent })
	return "in other letters: upper and lower case count", item, ok
}

func lastWord(text string) string {
	words := strings.Fields(text)
	if len(words) < 2 {
		return text
	}
	return words[len(words)-1]
}

func base64Decoded(text string) string {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding} {
		if decoded, err := encoding.DecodeString(text); err == nil {
			return string(decoded)
		}
	}
	return text
}
