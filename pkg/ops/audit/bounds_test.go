package audit_test

import (
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/payout"
)

func TestAudit_PendingLongerThanTwelveMinutes(t *testing.T) {
	for age, want := range map[time.Duration]int{12 * time.Minute: 0, 12*time.Minute + time.Millisecond: 1} {
		b := newMemoryBed(t)
		if _, err := b.store.Create(t.Context(), inbox.NewReceipt(event("1", payout.Succeeded, 1), nil, "", noon)); err != nil {
			t.Fatal(err)
		}
		findings, _ := b.audit(func(a *audit.Audit) { a.Now = noon.Add(age) })
		if len(findings) != want {
			t.Errorf("after %s: findings %v, want %d", age, findings, want)
		}
	}
}

// Lines up to a minute outside the window count, because the clocks of the gateway,
// the functions and the table differ.
func TestReadLog_LinesOutsideWindow(t *testing.T) {
	for at, want := range map[string]int64{
		"2026-11-21T11:59:00Z": 1, "2026-11-21T11:58:59Z": 0, "2026-11-21T13:00:59Z": 1, "2026-11-21T13:01:00Z": 0,
	} {
		b := newMemoryBed(t)
		_, summary := b.audit(func(a *audit.Audit) {
			a.From, a.To = noon, noon.Add(time.Hour)
			if err := a.ReadLog(t.Context(), strings.NewReader(gatewayLine("r1", route, `"200"`, at))); err != nil {
				t.Fatal(err)
			}
		})
		if summary.Log.Answered != want {
			t.Errorf("line at %s: %d counted, want %d", at, summary.Log.Answered, want)
		}
	}
}
