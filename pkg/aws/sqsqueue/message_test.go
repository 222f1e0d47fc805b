package sqsqueue_test

import (
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 123e6, time.UTC)

func newReceipt(cid string) inbox.Receipt {
	id := payout.NewID("cregis", payout.TypePayout, "1382528827416576", cid, "")
	return inbox.NewReceipt(payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1"}, []byte(`{"cid":1}`), "0a1b2c3d", now)
}

func TestDecode_Unreadable(t *testing.T) {
	valid := encode(t, newReceipt("1"))
	for name, text := range map[string]string{
		"empty":                       "",
		"not JSON":                    "hello",
		"another program's JSON":      `{"event":"x"}`,
		"a later schema version":      strings.Replace(valid, `"v":1`, `"v":3`, 1),
		"an altered amount":           strings.Replace(valid, `"1.1"`, `"1.2"`, 1),
		"an altered payout":           strings.Replace(valid, "1382528827416576/1", "1382528827416576/2", 1),
		"an altered status":           strings.Replace(valid, "succeeded/", "failed/", 1),
		"a receipt applied already":   strings.Replace(valid, `"received"`, `"applied"`, 1),
		"held under a payout's key":   strings.Replace(valid, `"received"`, `"held"`, 1),
		"trailing text":               valid + "{}",
		"an event without its fields": `{"v":1,"payout":"a/b/c/d","receipt":"succeeded/1x","state":"received","acceptedAt":1}`,
	} {
		if text == valid {
			t.Fatalf("%s: the case changes nothing", name)
		}
		if got, err := sqsqueue.Decode(text); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

// Such a message would panic when it is merged, each time it is delivered.
func TestDecode_InvalidAmount(t *testing.T) {
	for name, event := range map[string]payout.Event{
		"amount": {ID: "cregis/payout/1/2", Status: payout.Succeeded, Amount: "x"},
		"totals": {ID: "pivot/batch/a/b", Status: payout.Done, Totals: payout.Totals{Failed: payout.Tally{Count: 1, Amount: "1e9"}}},
	} {
		if got, err := sqsqueue.Decode(encode(t, inbox.NewReceipt(event, nil, "", now))); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, receipt := range []inbox.Receipt{
		newReceipt("1"),
		inbox.NewHeldReceipt(inbox.HeldCallback{Provider: "pivot", Type: payout.TypePayout, Account: "a", Subject: []byte("s"), Reason: "r", Note: "n", ProviderID: "9"}, []byte("\xff"), "k", now),
		inbox.NewResolutionReceipt(payout.Resolution{ID: "a/b/c/d", Replaces: []string{"1x"}}, "why", now),
		inbox.NewReceipt(payout.Event{ID: "a/b/c//d", Source: payout.SourceExpectation, Status: payout.Expected, Deadline: 1, LinkedTo: "a/b/c/d"}, nil, "", now),
	} {
		text, err := sqsqueue.Encode(receipt)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		receipt, err := sqsqueue.Decode(text)
		if err != nil {
			return
		}
		got, err := sqsqueue.Decode(encode(t, receipt))
		if err != nil || got.Key != receipt.Key || !got.AcceptedAt.Equal(receipt.AcceptedAt) {
			t.Errorf("encoded and decoded: %+v, %v, want %+v", got, err, receipt)
		}
	})
}
