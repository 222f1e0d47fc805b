package cregis_test

import (
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/providertest"
)

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
