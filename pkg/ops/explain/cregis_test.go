package explain_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
)

func cregisReport(header http.Header, body string) explain.Report {
	return explain.Explain(explain.Input{
		Provider: cregis.Description(), Request: callback.NewRequest(payout.TypePayout, header, []byte(body)), Keys: cregisKeys(), Now: now,
	})
}

// change returns a function that replaces the first of each pair with the second,
// once, and panics if the body does not contain it.
func change(pairs ...string) func(string) string {
	return func(body string) string {
		for pair := range slices.Chunk(pairs, 2) {
			if !strings.Contains(body, pair[0]) {
				panic("the body does not contain " + pair[0])
			}
			body = strings.Replace(body, pair[0], pair[1], 1)
		}
		return body
	}
}

// Each alteration is applied to a callback that is signed correctly.
func TestExplain_CregisAlterations(t *testing.T) {
	for name, test := range map[string]struct {
		alter  func(string) string
		cause  string
		field  string
		signed string
	}{
		"status":               {change(`"status":6`, `"status":7`), explain.CauseUnknownKey, "", ""},
		"amount moved":         {change(`"1.10"`, `"11.0"`), explain.CauseUnknownKey, "", ""},
		"amount lost its zero": {change(`"1.10"`, `"1.1"`), explain.CauseAltered, "amount", "1.10"},
		"amount as a number":   {change(`"1.10"`, `1.1`), explain.CauseAltered, "amount", "1.10"},
		"exponent":             {change(`1391751691788288`, `1.391751691788288e+15`), explain.CauseAltered, "cid", "1391751691788288"},
		"every number a float": {floats, explain.CauseReencoded, "", ""},
		"space added":          {change(`"order-7"`, `" order-7 "`), explain.CauseAltered, "third_party_id", "order-7"},
		"spaces added":         {change(`"TRX"`, `"TRX "`, `"order-7"`, `" order-7 "`), explain.CauseReencoded, "", ""},
		"UTF-8 as ISO 8859":    {change(`Größe`, "GrÃ¶Ã\u009fe"), explain.CauseAltered, "remark", "Größe & mehr"},
		"escaped twice":        {change(`Größe`, `Gr\\u00f6\\u00dfe`), explain.CauseAltered, "remark", "Größe & mehr"},
		"other project":        {change(project, neighbor), explain.CauseAltered, "pid", project},
		"sign with space":      {change(`"sign":"`, `"sign":" `), explain.CauseAltered, "sign", ""},
		"sign called Sign":     {change(`"sign"`, `"Sign"`), explain.CauseNoCredential, "", ""},
		"sign empty":           {emptySign, explain.CauseNoCredential, "", ""},
		"sign a number":        {numericSign, explain.CauseCredentialForm, "", ""},
		"sign too long":        {longSign, explain.CauseCredentialForm, "", ""},
		"unknown project":      {change(project, "77"), explain.CauseNoKeys, "", ""},
		"pid missing":          {change(`"pid":1382528827416576,`, ``), explain.CauseNoAccount, "", ""},
		"pid a fraction":       {change(project, "1.5"), explain.CauseNoAccount, "", ""},
		"reference":            {change(`order-7`, `order-8`), explain.CauseUnknownKey, "", ""},
		"cut off":              {func(b string) string { return b[:len(b)/2] }, explain.CauseNotJSON, "", ""},
		"something behind":     {func(b string) string { return b + "}" }, explain.CauseNotJSON, "", ""},
		"duplicate name":       {change(`"nonce"`, `"status":7,"nonce"`), explain.CauseDuplicate, "status", ""},
		"nested":               {change(`"status":6`, `"status":{"code":6}`), explain.CauseNotFlat, "status", ""},
		"two byte-order marks": {func(b string) string { return "\xef\xbb\xbf\xef\xbb\xbf" + b }, explain.CauseEncoding, "", ""},
		"compressed twice":     {func(b string) string { return compressed(compressed(b)) }, explain.CauseEncoding, "", ""},
		"compressed, altered":  {func(b string) string { return compressed(strings.Replace(b, "1.10", "1.1", 1)) }, explain.CauseAltered, "amount", "1.10"},
		"decompression bomb":   {func(string) string { return compressed(strings.Repeat(" ", callback.MaxBody+1)) }, explain.CauseTooLarge, "", ""},
		"ISO 8859":             {change("ö", "\xf6"), explain.CauseEncoding, "", ""},
		"unpaired surrogate":   {change("Größe", `\ud83d`), explain.CauseNotJSON, "", ""},
		"UTF-16":               {toUTF16, explain.CauseEncoding, "", ""},
		"base64":               {func(b string) string { return base64.StdEncoding.EncodeToString([]byte(b)) }, explain.CauseEncoding, "", ""},
		"gzip":                 {func(string) string { return "\x1f\x8b\x08" }, explain.CauseEncoding, "", ""},
		"inside a string":      {quoted, explain.CauseNotFlat, "", ""},
		"inside an array":      {func(b string) string { return "[" + b + "]" }, explain.CauseNotFlat, "", ""},
		"form":                 {func(string) string { return "pid=1382528827416576&status=6&sign=0" }, explain.CauseNotJSON, "", ""},
		"HTML page":            {func(string) string { return "<html>502 Bad Gateway</html>" }, explain.CauseNotJSON, "", ""},
		"empty":                {func(string) string { return " \n" }, explain.CauseEmpty, "", ""},
		"too large":            {func(b string) string { return b + strings.Repeat(" ", callback.MaxBody) }, explain.CauseTooLarge, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []callback.Key{"canary-cregis-current", "canary-cregis-previous"} {
				report := cregisReport(nil, test.alter(signed(t, cregisBody, key)))
				if report.Verdict == callback.Acknowledged {
					t.Fatal("the altered body is acknowledged")
				}
				wantFinding(t, report, test.cause, test.field, test.signed)
				wantNoSecrets(t, report)
			}
		})
	}
}

func floats(body string) string {
	for _, number := range []string{`1382528827416576,`, `1391751691788288,`, `:6,`, `1686814482000,`, `1687850657960,`} {
		body = change(number, strings.TrimSuffix(number, ",")+".0,")(body)
	}
	return body
}

func signOf(body string) string {
	var fields map[string]any
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		panic(err)
	}
	return fields["sign"].(string)
}

func compressed(text string) string {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write([]byte(text)) // to memory: it cannot fail
	_ = writer.Close()
	return packed.String()
}

func emptySign(body string) string { return strings.Replace(body, signOf(body), "", 1) }

func numericSign(body string) string {
	return strings.Replace(body, `"`+signOf(body)+`"`, "1", 1)
}

func longSign(body string) string {
	return strings.Replace(body, signOf(body), strings.Repeat(signOf(body), 2), 1)
}

func toUTF16(body string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(body)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

func quoted(body string) string {
	text, _ := json.Marshal(body)
	return string(text)
}

// The test signs the canonical string itself.
func TestExplain_CregisSenderMistakes(t *testing.T) {
	const sorted = `addressTXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FSamount1.10chain_id195cid1391751691788288currencyTRX` +
		`nonceubqso3pid1382528827416576remarkGröße & mehrstatus6timestamp1687850657960`
	const body = `{"pid":1382528827416576,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195",` +
		`"currency":"TRX","amount":"1.10","remark":"Gr\u00f6\u00dfe & mehr","memo":null,"txid":"","status":6,"nonce":"ubqso3","timestamp":1687850657960}`
	const key = "canary-cregis-current"
	for name, test := range map[string]struct {
		text  string
		cause string
		field string
	}{
		"other project's key": {"canary-cregis-neighbor" + sorted, explain.CauseOtherAccount, ""},
		"escapes signed":      {key + strings.Replace(sorted, "Größe", `Gr\u00f6\u00dfe`, 1), explain.CauseAltered, "remark"},
		"unknown key":         {"another-key" + sorted, explain.CauseUnknownKey, ""},
		"key at the end":      {sorted + key, explain.CauseUnknownKey, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sum := md5.Sum([]byte(test.text))
			report := cregisReport(nil, strings.TrimSuffix(body, "}")+`,"sign":"`+hex.EncodeToString(sum[:])+`"}`)
			wantFinding(t, report, test.cause, test.field, "")
			wantNoSecrets(t, report)
		})
	}
}
