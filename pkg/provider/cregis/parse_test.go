package cregis_test

import (
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/providertest"
)

func parse(t testing.TB, body []byte) (payout.Event, *callback.Held) {
	t.Helper()
	request := requestFor(t, payout.TypePayout, body, sampleKey)
	verified, err := cregis.Provider{}.Verify(request, testKeys())
	if err != nil {
		t.Fatal(err)
	}
	return verified.Event()
}

func TestParse_Statuses(t *testing.T) {
	tests := map[string]struct {
		status payout.Status
		reason string
	}{
		"2": {payout.Rejected, "signature"},
		"4": {payout.Rejected, "approval"},
		"6": {payout.Succeeded, ""},
		"7": {payout.Failed, ""},
	}
	for text, want := range tests {
		event, held := parse(t, with(t, payoutExample, "status", text))
		if held != nil || event.Status != want.status || event.Reason != want.reason {
			t.Errorf("%s: got %s %q, held %v, want %+v", text, event.Status, event.Reason, held, want)
		}
	}
}

// Only fields that describe the payout are part of the fingerprint.
func TestParse_Fingerprint(t *testing.T) {
	first, held := parse(t, []byte(payoutExample))
	if held != nil {
		t.Fatal(held.Note)
	}
	same := map[string][]string{
		"pushed again":       {"nonce", `"zzzzz9"`, "timestamp", "1699999999999"},
		"another remark":     {"remark", `"late payout"`},
		"no remark":          {"remark", "null"},
		"digits in quotes":   {"pid", `"1382528827416576"`, "cid", `"1391751691788288"`, "status", `"6"`, "block_time", `"1686814482000"`},
		"digits without":     {"chain_id", "195", "token_id", "195", "block_height", "34527604"},
		"amount with a zero": {"amount", `"1.100"`},
		"memo empty":         {"memo", `""`},
		"an earlier sign":    {"sign", `"x"`},
	}
	for name, members := range same {
		event, held := parse(t, with(t, payoutExample, members...))
		if held != nil || event.ID != first.ID || event.Fingerprint() != first.Fingerprint() {
			t.Errorf("%s: another fingerprint, or held: %v", name, held)
		}
	}
	other := map[string][]string{
		"amount":         {"amount", `"1.2"`},
		"status":         {"status", "7"},
		"currency":       {"currency", `"USDT"`},
		"chain_id":       {"chain_id", `"196"`},
		"token_id":       {"token_id", `"196"`},
		"address":        {"address", `"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FT"`},
		"memo":           {"memo", `"1"`},
		"third_party_id": {"third_party_id", `"1"`},
		"txid":           {"txid", "null"},
		"block_height":   {"block_height", "null"},
		"block_time":     {"block_time", "1686814482001"},
	}
	for name, members := range other {
		event, held := parse(t, with(t, payoutExample, members...))
		if held != nil || event.ID != first.ID || event.Fingerprint() == first.Fingerprint() {
			t.Errorf("%s: the same fingerprint, another payout, or held: %v", name, held)
		}
	}
	if event, held := parse(t, with(t, payoutExample, "cid", "1391751691788289")); held != nil || event.ID == first.ID {
		t.Errorf("cid: the same payout, or held: %v", held)
	}
}

// Equal ids of the two types belong to different payouts.
func TestParse_IDContainsType(t *testing.T) {
	for name, want := range map[string]payout.ID{
		"payout-status-6":     "cregis/payout/1382528827416576/1391751691788288",
		"sub-address-example": "cregis/sub-address-payout/1382528827416576/1391751691788288",
	} {
		event, held := cregis.Provider{}.Restore(vectorRequest(t, name), callback.Sender{Account: project}).Event()
		if held != nil || event.ID != want {
			t.Errorf("%s: %s, held %v, want %s", name, event.ID, held, want)
		}
	}
}

// An operator and a query need the signed text, the place of the name and the id of
// the payout. Both bodies of one signed text are one held callback.
func TestParse_HeldNoteAndProviderID(t *testing.T) {
	genuine, _ := held(t, "cut-remark-genuine")
	forged, _ := held(t, "cut-remark-forged-by-a-new-name")
	for _, want := range []string{
		`the value of remark contains the field name "status" at byte 1`,
		"signed text: addressTXsm", "remarkxstatus6third_party_idPAY-9status7third_party_idREAL-1timestamp",
	} {
		if !strings.Contains(genuine.Note, want) {
			t.Errorf("note lacks %s:\n%s", want, genuine.Note)
		}
	}
	if string(genuine.Subject) != string(forged.Subject) || strings.Contains(string(genuine.Subject), string(sampleKey)) {
		t.Errorf("subjects %s and %s, want the signed text without the key", genuine.Subject, forged.Subject)
	}
	for name, want := range map[string]string{
		"cut-remark-genuine": "1391751691788288", "payout-status-3": "1391751691788288", "payout-cid-beyond-int64": "", "payout-without-cid": "",
	} {
		if held, _ := held(t, name); held.ProviderID != want {
			t.Errorf("%s: provider id %q, want %q", name, held.ProviderID, want)
		}
	}
}

func held(t testing.TB, name string) (callback.Held, callback.Request) {
	t.Helper()
	request := vectorRequest(t, name)
	_, held := cregis.Provider{}.Restore(request, callback.Sender{Account: project}).Event()
	if held == nil {
		t.Fatalf("%s is not held", name)
	}
	return *held, request
}

// A body that Verify would refuse is held.
func TestRestore_UnreadableBody(t *testing.T) {
	for _, body := range []string{"", "[]", "{}", `{"pid":1}`, "{\"a\":\"\xff\"}", strings.Repeat("x", callback.MaxBody+1)} {
		for _, kind := range []payout.Type{payout.TypePayout, payout.TypeSubAddressPayout, payout.TypeBatch, ""} {
			event, held := cregis.Provider{}.Restore(callback.NewRequest(kind, nil, []byte(body)), callback.Sender{}).Event()
			if held == nil || held.Note == "" || event != (payout.Event{}) {
				t.Errorf("%.20q: event %+v, held %+v", body, event, held)
			}
		}
	}
}

// A forged copy of a held callback, cut from the same signed text, has the same
// receipt key and may be delivered first: both must keep the signed text.
func TestParse_HeldCallbackKeepsSignedText(t *testing.T) {
	for _, vector := range providertest.Vectors(t, "testdata") {
		if !strings.HasPrefix(vector.Expect, providertest.Held) {
			continue
		}
		request, err := vector.Request(cregis.Provider{}, testKeys())
		if err != nil {
			t.Fatal(err)
		}
		_, held := cregis.Provider{}.Restore(request, callback.Sender{Account: project}).Event()
		if held == nil || !strings.HasSuffix(held.Note, "\nsigned text: "+string(held.Subject)) {
			t.Errorf("%s: the note is %+v", vector.Name, held)
		}
	}
}
