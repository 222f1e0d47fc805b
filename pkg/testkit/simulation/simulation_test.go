package simulation_test

import (
	"runtime/debug"
	"sync"
	"testing"

	"payout-callbacks/pkg/testkit/simulation"
)

// histories is how many the tests play.
const histories = 4_000

func TestPlay_KeepsInvariants(t *testing.T) {
	// A history keeps no memory: with the default, half of the time goes into
	// garbage collection.
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
						t.Fatal(failure)
					}
					mu.Lock()
					total.Add(tally)
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%+v", total)
	for name, n := range map[string]int{
		"histories": total.Histories - histories + 1, "faults": total.Faults, "forged": total.Forged, "conflicts": total.Conflicts,
		"accepted by the store only": total.StoreOnly, "accepted by the queue only": total.QueueOnly,
		"resent": total.Resent, "recovered dead letters": total.Recovered,
		"expected": total.Expected, "lost": total.Lost, "confirmed": total.Confirmed, "overdue": total.Overdue, "answered": total.Answered,
	} {
		if n < 1 {
			t.Errorf("%s: none in %d histories", name, histories)
		}
	}
}

// A failure can be examined only if its seed repeats it.
func TestPlay_SeedRepeatsHistory(t *testing.T) {
	for seed := range uint64(50) {
		if first, second := simulation.Steps(seed), simulation.Steps(seed); first != second || first == "" {
			t.Fatalf("seed %d has two histories:\n%s\n\n%s", seed, first, second)
		}
	}
}
