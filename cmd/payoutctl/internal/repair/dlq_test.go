package repair_test

import (
	"testing"

	"payout-callbacks/cmd/payoutctl/internal/repair"
	"payout-callbacks/pkg/ops/redrive"
)

// A named message that became invisible before it was deleted is an error.
func TestDLQExport_MissedMessage(t *testing.T) {
	ids := []string{"one", "two", "one"}
	if err := repair.CheckMissed(ids, redrive.Progress{Chosen: 1, Moved: 1}); err == nil {
		t.Error("one of two was deleted: want an error")
	}
	if err := repair.CheckMissed(ids, redrive.Progress{Chosen: 2, Moved: 2}); err != nil {
		t.Errorf("both were deleted: %v", err)
	}
}
