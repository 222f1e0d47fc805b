package functions_test

import (
	"testing"

	"payout-callbacks/pkg/reconcile"
)

// The default event of a schedule is no operator's request.
func TestHandleReconcile_EventOfTheScheduler(t *testing.T) {
	w := newWorld()
	for _, event := range []string{"{}", `{"version":"0","id":"a","detail-type":"Scheduled Event","source":"aws.scheduler","account":"1","detail":"{}"}`} {
		answer, err := w.reconcile(t, event)
		if _, ok := answer.(reconcile.RunResult); !ok || err != nil {
			t.Errorf("%s: got %T, %v", event, answer, err)
		}
	}
}
