package explain_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/explain"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/providertest"
)

const (
	project  = "1382528827416576"
	neighbor = "1390000000000001"
	merchant = "922e39ab-7565-49f6-b84f-fb56122821ae"
	sister   = "00000000-1111-4222-8333-444444444444"
)

func cregisKeys() callback.Keys {
	return callback.Keys{
		project:  {Current: "canary-cregis-current", Previous: "canary-cregis-previous"},
		neighbor: {Current: "canary-cregis-neighbor"},
	}
}

func pivotKeys() callback.Keys {
	return callback.Keys{
		merchant: {Current: "canary-pivot-current", Previous: "canary-pivot-previous"},
		sister:   {Current: "canary-pivot-sister"},
	}
}

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

const cregisBody = `{"pid":1382528827416576,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195",` +
	`"token_id":"195","currency":"TRX","amount":"1.10","third_party_id":"order-7","remark":"Größe & mehr","memo":null,"status":6,` +
	`"block_height":"34527604","block_time":1686814482000,"nonce":"ubqso3","timestamp":1687850657960}`

func signed(t *testing.T, body string, key callback.Key) string {
	t.Helper()
	text, _, err := cregis.Provider{}.Sign([]byte(body), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func cregisReport(header http.Header, body string) explain.Report {
	return explain.Explain(explain.Input{
		Provider: cregis.Provider{}, Request: callback.NewRequest(payout.TypePayout, header, []byte(body)), Keys: cregisKeys(), Now: now,
	})
}

// change returns an edit that must change something.
func change(before, after string) func(string) string {
	return func(body string) string {
		if !strings.Contains(body, before) {
			panic("the mistake changes nothing: " + before)
		}
		return strings.Replace(body, before, after, 1)
	}
}

// Each mistake is planted into a callback that was signed rightly, as it goes
// wrong on the way.
func TestCregisMistakesOnTheWay(t *testing.T) {
	for name, test := range map[string]struct {
		alter  func(string) string
		cause  string
		field  string
		signed string
	}{
		"status":                    {change(`"status":6`, `"status":7`), explain.CauseAltered, "status", "6"},
		"amount moved":              {change(`"1.10"`, `"11.0"`), explain.CauseAltered, "amount", ""},
		"amount lost its zero":      {change(`"1.10"`, `"1.1"`), explain.CauseAltered, "amount", "1.10"},
		"amount as a number":        {change(`"1.10"`, `1.1`), explain.CauseAltered, "amount", "1.10"},
		"exponent":                  {change(`1391751691788288`, `1.391751691788288e+15`), explain.CauseReencoded, "", ""},
		"every number a float":      {floats, explain.CauseReencoded, "", ""},
		"address in lower case":     {change(`"TRX"`, `"trx"`), explain.CauseAltered, "currency", "TRX"},
		"space added":               {change(`"order-7"`, `" order-7 "`), explain.CauseReencoded, "", ""},
		"field added":               {change(`"status"`, `"received_by":"proxy-1","status"`), explain.CauseAdded, "received_by", ""},
		"two fields added":          {change(`"status"`, `"a":1,"b":2,"status"`), explain.CauseAdded, "a and b", ""},
		"two exchanged":             {swapNonce, explain.CauseSwapped, "currency and nonce", ""},
		"HTML":                      {change(`& mehr`, `&amp; mehr`), explain.CauseReencoded, "", ""},
		"URL encoding":              {change(`Größe & mehr`, `Gr%C3%B6%C3%9Fe+%26+mehr`), explain.CauseReencoded, "", ""},
		"UTF-8 as ISO 8859":         {change(`Größe`, "GrÃ¶Ã\u009fe"), explain.CauseReencoded, "", ""},
		"escaped twice":             {change(`Größe`, `Gr\\u00f6\\u00dfe`), explain.CauseAltered, "remark", "Größe & mehr"},
		"null as a word":            {change(`"memo":null`, `"memo":"null"`), explain.CauseAdded, "memo", ""},
		"camel case":                {change(`third_party_id`, `thirdPartyId`), explain.CauseAltered, "thirdPartyId", ""},
		"other project":             {change(project, neighbor), explain.CauseAltered, "pid", project},
		"milliseconds to seconds":   {change(`1686814482000`, `1686814482`), explain.CauseAltered, "block_time", "1686814482000"},
		"sign with space":           {change(`"sign":"`, `"sign":" `), explain.CauseProofWrapping, "", ""},
		"sign called Sign":          {change(`"sign"`, `"Sign"`), explain.CauseNoProof, "", ""},
		"sign empty":                {emptySign, explain.CauseNoProof, "", ""},
		"unknown project":           {change(project, "77"), explain.CauseNoKeys, "", ""},
		"pid is gone":               {change(`"pid":1382528827416576,`, ``), explain.CauseNoAccount, "", ""},
		"altered beyond a guess":    {change(`order-7`, `order-8`), explain.CauseUnknownKey, "", ""},
		"cut off":                   {func(b string) string { return b[:len(b)/2] }, explain.CauseNotJSON, "", ""},
		"something behind":          {func(b string) string { return b + "}" }, explain.CauseNotJSON, "", ""},
		"twice":                     {change(`"nonce"`, `"status":7,"nonce"`), explain.CauseDuplicate, "status", ""},
		"nested":                    {change(`"status":6`, `"status":{"code":6}`), explain.CauseNested, "status", ""},
		"two byte-order marks":      {func(b string) string { return "\xef\xbb\xbf\xef\xbb\xbf" + b }, explain.CauseEncoding, "", ""},
		"compressed twice":          {func(b string) string { return compressed(compressed(b)) }, explain.CauseEncoding, "", ""},
		"compressed, altered":       {func(b string) string { return compressed(strings.Replace(b, "1.10", "11.0", 1)) }, explain.CauseAltered, "amount", ""},
		"a bomb":                    {func(string) string { return compressed(strings.Repeat(" ", callback.MaxBody+1)) }, explain.CauseTooLarge, "", ""},
		"ISO 8859":                  {change("ö", "\xf6"), explain.CauseEncoding, "", ""},
		"half a pair":               {change("Größe", `\ud83d`), explain.CauseEncoding, "", ""},
		"UTF-16":                    {toUTF16, explain.CauseEncoding, "", ""},
		"base64":                    {func(b string) string { return base64.StdEncoding.EncodeToString([]byte(b)) }, explain.CauseEncoding, "", ""},
		"gzip":                      {func(string) string { return "\x1f\x8b\x08" }, explain.CauseEncoding, "", ""},
		"inside a string":           {quoted, explain.CauseWrapped, "", ""},
		"inside a list":             {func(b string) string { return "[" + b + "]" }, explain.CauseWrapped, "", ""},
		"a form":                    {func(string) string { return "pid=1382528827416576&status=6&sign=0" }, explain.CauseNotJSON, "", ""},
		"a page":                    {func(string) string { return "<html>502 Bad Gateway</html>" }, explain.CauseNotJSON, "", ""},
		"nothing":                   {func(string) string { return " \n" }, explain.CauseEmpty, "", ""},
		"too large":                 {func(b string) string { return b + strings.Repeat(" ", callback.MaxBody) }, explain.CauseTooLarge, "", ""},
		"sign is another algorithm": {longSign, explain.CauseProofForm, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []callback.Key{"canary-cregis-current", "canary-cregis-previous"} {
				report := cregisReport(nil, test.alter(signed(t, cregisBody, key)))
				if report.Verdict == callback.Acknowledged {
					t.Fatal("it is believed: that is no mistake")
				}
				wantFinding(t, report, test.cause, test.field, test.signed)
				wantSilence(t, report)
			}
		})
	}
}

func wantFinding(t *testing.T, report explain.Report, cause, field, signed string) {
	t.Helper()
	for _, got := range report.Findings {
		if got.Cause == cause && got.Field == field && (signed == "" || got.Signed == signed) {
			return
		}
	}
	t.Errorf("got %+v, want %s of %q", report.Findings, cause, field)
}

// wantSilence: no key, and no proof that a refused body could be sent with.
func wantSilence(t *testing.T, report explain.Report) {
	t.Helper()
	text, err := json.Marshal(report)
	if err != nil || bytes.Contains(text, []byte("canary")) {
		t.Errorf("a key is told, or %v:\n%s", err, text)
	}
	for _, proof := range report.Proofs {
		if len(strings.TrimSuffix(proof.Expected, "…")) > 8 {
			t.Errorf("the whole proof is told: %s", proof.Expected)
		}
	}
}

func floats(body string) string {
	for _, number := range []string{`1382528827416576,`, `1391751691788288,`, `:6,`, `1686814482000,`, `1687850657960,`} {
		body = change(number, strings.TrimSuffix(number, ",")+".0,")(body)
	}
	return body
}

func swapNonce(body string) string {
	return change(`"nonce":"ubqso3"`, `"nonce":"TRX"`)(change(`"currency":"TRX"`, `"currency":"ubqso3"`)(body))
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

// Each mistake is one of whoever signs: the text is made by hand here.
func TestCregisMistakesOfTheSender(t *testing.T) {
	const sorted = `addressTXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FSamount1.10chain_id195cid1391751691788288currencyTRX` +
		`nonceubqso3pid1382528827416576remarkGröße & mehrstatus6timestamp1687850657960`
	const unsorted = `pid1382528827416576cid1391751691788288addressTXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FSchain_id195currencyTRX` +
		`amount1.10remarkGröße & mehrstatus6nonceubqso3timestamp1687850657960`
	const body = `{"pid":1382528827416576,"cid":1391751691788288,"address":"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS","chain_id":"195",` +
		`"currency":"TRX","amount":"1.10","remark":"Größe & mehr","memo":null,"txid":"","status":6,"nonce":"ubqso3","timestamp":1687850657960}`
	const key = "canary-cregis-current"
	for name, test := range map[string]struct {
		text  string
		cause string
	}{
		"other project's key":  {"canary-cregis-neighbor" + sorted, explain.CauseOtherAccount},
		"empty names signed":   {key + insert(sorted, "nonce", "memo") + "txid", explain.CauseSigningRule},
		"null as a word":       {key + insert(sorted, "nonce", "memonull"), explain.CauseSigningRule},
		"not sorted":           {key + unsorted, explain.CauseSigningRule},
		"key behind":           {sorted + key, explain.CauseSigningRule},
		"without the key":      {sorted, explain.CauseSigningRule},
		"only the key":         {key, explain.CauseSigningRule},
		"numbers as floats":    {key + strings.NewReplacer("status6", "status6.0", "cid1391751691788288", "cid1391751691788288.0", "pid1382528827416576", "pid1382528827416576.0", "timestamp1687850657960", "timestamp1687850657960.0").Replace(sorted), explain.CauseReencoded},
		"without the remark":   {key + strings.Replace(sorted, "remarkGröße & mehr", "", 1), explain.CauseAdded},
		"bytes of the body":    {key + body, explain.CauseSigningRule},
		"a key we do not have": {"another-key" + sorted, explain.CauseUnknownKey},
	} {
		t.Run(name, func(t *testing.T) {
			sum := md5.Sum([]byte(test.text))
			report := cregisReport(nil, strings.TrimSuffix(body, "}")+`,"sign":"`+hex.EncodeToString(sum[:])+`"}`)
			wantFinding(t, report, test.cause, map[string]string{"without the remark": "remark"}[name], "")
			wantSilence(t, report)
		})
	}
}

func insert(text, before, what string) string { return strings.Replace(text, before, what+before, 1) }

func TestCregisSignInAHeader(t *testing.T) {
	body := signed(t, cregisBody, "canary-cregis-current")
	report := cregisReport(http.Header{"X-Sign": {signOf(body)}}, cregisBody)
	wantFinding(t, report, explain.CauseNoProof, "", "")
	wantFinding(t, report, explain.CauseProofPlace, "", "")
	wantSilence(t, report)
}

const pivotBody = `{"event":"PAYOUT.SUCCESS","data":{"uuid":"d6a46a2c-1b26-40c5-9ca3-e063e69635a0","merchantId":"` + merchant + `",` +
	`"payouts":{"referenceId":"r-1","status":"SUCCESS","reason":null,"amount":{"value":"100.00","currency":"IDR"}}}}`

func pivotReport(header http.Header, body string) explain.Report {
	return explain.Explain(explain.Input{
		Provider: pivot.Provider{}, Request: callback.NewRequest(payout.TypePayout, header, []byte(body)), Keys: pivotKeys(),
		Others: map[string]callback.Keys{"cregis": cregisKeys()}, Now: now,
	})
}

func TestPivotMistakes(t *testing.T) {
	const key = "canary-pivot-current"
	for name, test := range map[string]struct {
		header http.Header
		cause  string
	}{
		"no header":            {http.Header{}, explain.CauseNoProof},
		"empty header":         {http.Header{"X-Api-Key": {""}}, explain.CauseNoProof},
		"other name":           {http.Header{"X-Callback-Key": {key}}, explain.CauseProofPlace},
		"bearer":               {http.Header{"Authorization": {"Bearer " + key}}, explain.CauseProofPlace},
		"basic":                {http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("pivot:"+key))}}, explain.CauseProofPlace},
		"bearer in its place":  {http.Header{"X-Api-Key": {"Bearer " + key}}, explain.CauseProofWrapping},
		"quotes":               {http.Header{"X-Api-Key": {`"` + key + `"`}}, explain.CauseProofWrapping},
		"space":                {http.Header{"X-Api-Key": {key + " "}}, explain.CauseProofWrapping},
		"twice, two values":    {http.Header{"X-Api-Key": {key, key + "x"}}, explain.CauseProofForm},
		"URL encoding":         {http.Header{"X-Api-Key": {strings.ReplaceAll(key, "-", "%2D")}}, explain.CauseProofWrapping},
		"base64":               {http.Header{"X-Api-Key": {base64.StdEncoding.EncodeToString([]byte(key))}}, explain.CauseProofWrapping},
		"other letters":        {http.Header{"X-Api-Key": {strings.ToUpper(key)}}, explain.CauseProofWrapping},
		"cut":                  {http.Header{"X-Api-Key": {key[:len(key)-3]}}, explain.CauseCutKey},
		"too long":             {http.Header{"X-Api-Key": {key + "xyz"}}, explain.CauseCutKey},
		"of the other program": {http.Header{"X-Api-Key": {"canary-cregis-current"}}, explain.CauseOtherProvider},
		"unknown":              {http.Header{"X-Api-Key": {"nobody's"}}, explain.CauseUnknownKey},
	} {
		t.Run(name, func(t *testing.T) {
			report := pivotReport(test.header, pivotBody)
			if report.Verdict != callback.Unauthenticated {
				t.Fatalf("got %s", report.Verdict)
			}
			wantFinding(t, report, test.cause, "", "")
			wantSilence(t, report)
		})
	}
	report := pivotReport(http.Header{"X-Api-Key": {"canary-pivot-sister"}}, pivotBody)
	if report.Held == nil || report.Held.Reason != callback.ReasonMismatch {
		t.Errorf("under another merchant's key: held = %+v, want %s", report.Held, callback.ReasonMismatch)
	}
	wantFinding(t, report, explain.CauseOtherAccount, "", "")
	report = pivotReport(http.Header{"X-Api-Key": {"nobody's"}}, strings.Replace(pivotBody, merchant, "5", 1))
	wantFinding(t, report, explain.CauseNoKeys, "", "")
}

func TestWhatIsBelievedIsToldWhole(t *testing.T) {
	report := pivotReport(http.Header{"X-Api-Key": {"canary-pivot-previous"}}, pivotBody)
	wantFinding(t, report, explain.CausePreviousKey, "", "")
	if report.Event == nil || report.Event.Status != payout.Succeeded || report.Receipt == nil || report.Reply.Code != 200 || report.Sender.Account != merchant {
		t.Errorf("got %+v", report)
	}
	report = cregisReport(nil, signed(t, strings.Replace(cregisBody, `"status":6`, `"status":5`, 1), "canary-cregis-current"))
	if report.Held == nil || report.Held.Reason != callback.ReasonStatus || report.Event != nil || !report.Proofs[0].Fits || len(report.Findings) > 0 {
		t.Errorf("got %+v", report)
	}
	wantSilence(t, report)
}

// The verdict, and the signed text that is shown, are those of the provider, on
// every vector that it is tested with.
func TestEveryVectorIsToldAsItIsJudged(t *testing.T) {
	keys := map[string]callback.Keys{"cregis": {}, "pivot": {}}
	for _, provider := range []explain.Provider{cregis.Provider{}, pivot.Provider{}} {
		vectors := providertest.Vectors(t, filepath.Join("..", "..", "provider", provider.Name(), "testdata"))
		ring := keys[provider.Name()]
		for _, vector := range vectors {
			if vector.Account != "" {
				ring[vector.Account] = callback.AccountKeys{Current: callback.Key("k" + vector.Account), Previous: callback.Key("p" + vector.Account)}
			}
		}
		for _, vector := range vectors {
			request, err := vector.Request(provider.(providertest.Provider), ring)
			if err != nil {
				t.Fatal(err)
			}
			report := explain.Explain(explain.Input{Provider: provider, Request: request, Keys: ring, Now: now})
			fits := false
			for _, proof := range report.Proofs {
				fits = fits || proof.Fits
			}
			_, err = provider.Verify(request, ring)
			if believed := report.Verdict == callback.Acknowledged; believed != (err == nil) {
				t.Errorf("%s %s: told %s, judged %v", provider.Name(), vector.Name, report.Verdict, err)
			} else if provider.Name() == "cregis" && believed && !fits {
				t.Errorf("%s: the text that is shown is not the one that is signed", vector.Name)
			} else if !believed && len(report.Findings) == 0 {
				t.Errorf("%s %s: refused, and nothing is said about why", provider.Name(), vector.Name)
			}
		}
	}
}

func TestReadTakesEveryFormOfARequest(t *testing.T) {
	event := func(base64Encoded bool, body string) string {
		text, _ := json.Marshal(map[string]any{
			"version": "2.0", "routeKey": "POST /callbacks/pivot/payout", "headers": map[string]string{"x-api-key": "k"},
			"isBase64Encoded": base64Encoded, "body": body,
		})
		return string(text)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(pivotBody))
	for name, test := range map[string]struct {
		text     string
		provider string
		header   string
		findings int
	}{
		"event":           {event(false, pivotBody), "pivot", "k", 0},
		"event in base64": {event(true, encoded), "pivot", "k", 0},
		"request":         {"POST /stage/callbacks/pivot/payout?x=1 HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\n\r\n" + pivotBody, "pivot", "k", 0},
		"announced":       {fmt.Sprintf("POST /callbacks/pivot/payout HTTP/1.1\nX-API-Key: k\nContent-Length: %d\n\n%s\n", len(pivotBody), pivotBody), "pivot", "k", 0},
		"cut":             {"POST /callbacks/pivot/payout HTTP/1.1\nX-API-Key: k\nContent-Length: 9999\n\n" + pivotBody, "pivot", "k", 1},
		"headers alone":   {"x-api-key: k\nAccept: */*\n\n" + pivotBody, "", "k", 0},
		"body":            {pivotBody, "", "", 0},
		"body with space": {"{\n\n" + pivotBody[1:], "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := explain.Read([]byte(test.text), payout.TypePayout)
			if err != nil || got.Provider != test.provider || got.Request.Header.Get("X-Api-Key") != test.header || got.Request.Type != payout.TypePayout {
				t.Fatalf("got %+v, %v", got, err)
			}
			if body := strings.ReplaceAll(string(got.Request.Body), "\n", ""); body != pivotBody {
				t.Errorf("body %q", body)
			}
			if len(got.Findings) != test.findings {
				t.Errorf("findings %+v", got.Findings)
			}
		})
	}
	for _, text := range []string{"", " \n", "POST /x HTTP/1.1\nno header\n\nbody"} {
		if got, err := explain.Read([]byte(text), payout.TypePayout); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

// Whatever is explained, nothing panics and no key is told.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(cregisBody), "x")
	f.Add([]byte(pivotBody), "canary-pivot-current")
	f.Add([]byte("POST /callbacks/cregis/payout HTTP/1.1\n\n{}"), "")
	f.Fuzz(func(t *testing.T, text []byte, header string) {
		read, err := explain.Read(text, payout.TypePayout)
		if err != nil {
			return
		}
		read.Request.Header.Set("X-Api-Key", header)
		for _, in := range []explain.Input{
			{Provider: cregis.Provider{}, Keys: cregisKeys()}, {Provider: pivot.Provider{}, Keys: pivotKeys()},
		} {
			in.Request, in.Now = read.Request, now
			report := explain.Explain(in)
			if report.Verdict != callback.Acknowledged && !bytes.Contains(text, []byte("canary")) {
				wantSilence(t, report)
			}
		}
	})
}
