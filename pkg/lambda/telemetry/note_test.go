package telemetry_test

import (
	"strings"
	"testing"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
	"payout-callbacks/pkg/lambda/telemetry"
	"payout-callbacks/pkg/payout"
)

// I9: a note quotes the callback, so no line holds it.
func TestRecord_NoNote(t *testing.T) {
	held := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: "1", Subject: []byte("canary"), Reason: "ambiguous", Note: "canary",
	}, []byte("canary"), "0a1b2c3d", fixed())
	var out strings.Builder
	recorder := telemetry.NewRecorder(&out, "n", fixed)
	recorder.RecordCallback(t.Context(), "cregis", callback.Result{Verdict: callback.Acknowledged, Acceptance: inbox.AcceptedNew, Receipt: held}, 0)
	recorder.RecordBatch(t.Context(), []consumer.Delivery{{Receipt: held, Outcome: inbox.ApplyHeld}}, 0)
	if strings.Contains(out.String(), "canary") {
		t.Errorf("the lines hold a note:\n%s", out.String())
	}
}
