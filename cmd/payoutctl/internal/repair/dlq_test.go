package repair

import (
	"testing"

	"payout-callbacks/pkg/ops/redrive"
)

// Who named two letters and lost sight of one is not told that all is done.
func TestALetterThatIsNotDroppedIsNoSuccess(t *testing.T) {
	drop := dlqExport{MessageID: []string{"one", "two", "one"}}
	if err := drop.checkMissed(redrive.Progress{Chosen: 1, Moved: 1}); err == nil {
		t.Error("one of two was dropped: want an error")
	}
	if err := drop.checkMissed(redrive.Progress{Chosen: 2, Moved: 2}); err != nil {
		t.Errorf("both were dropped: %v", err)
	}
}
