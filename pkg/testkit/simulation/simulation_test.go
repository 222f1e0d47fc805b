package simulation_test

import (
	"runtime/debug"
	"sync"
	"testing"

	"payout-callbacks/pkg/testkit/simulation"
)

// histories is what a run of the tests plays, whatever the machine.
const histories = 10_000

func TestHistories(t *testing.T) {
	// A history leaves nothing behind, so half of the time would go into
	// looking for garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	var total simulation.Tally
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		const parts = 4
		for part := range uint64(parts) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for seed := part + 1; seed <= histories; seed += parts {
					tally, failure := simulation.Play(seed)
					if failure != nil {
						t.Fatal(failure.Write())
					}
					mu.Lock()
					total.Add(tally)
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%+v", total)
	for what, n := range map[string]int{
		"histories": total.Histories - histories + 1, "faults": total.Faults, "forged": total.Forged, "conflicts": total.Conflicts,
		"accepted by record": total.StoreOnly, "accepted by queue": total.QueueOnly, "sent again": total.Resent, "adopted": total.Recovered,
	} {
		if n < 1 {
			t.Errorf("%s: the histories have become too quiet", what)
		}
	}
}

// What a seed says must be said again by it, or it is of no use to anybody.
func TestASeedRepeatsItsHistory(t *testing.T) {
	for seed := range uint64(50) {
		if first, again := simulation.Steps(seed), simulation.Steps(seed); first != again || first == "" {
			t.Fatalf("seed %d tells two stories:\n%s\n\n%s", seed, first, again)
		}
	}
}
