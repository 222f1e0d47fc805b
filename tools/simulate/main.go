// Command simulate plays seeded histories of the whole application in memory
// (see package simulation) until one breaks an invariant. It is `make simulate`.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"payout-callbacks/pkg/ops/terminal"
	"payout-callbacks/pkg/testkit/simulation"
)

func main() {
	count := flag.Uint64("n", 100_000, "number of histories")
	seed := flag.Uint64("seed", 0, "seed of the first history; the seeds of the next ones follow it (0: derived from the time)")
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixMilli()) * 1000
	}
	fmt.Printf("seed %d, %d histories\n", *seed, *count)
	debug.SetGCPercent(800) // a history keeps no memory
	r := &runner{first: *seed, count: *count, started: time.Now()}
	stop := terminal.ShowLine(os.Stdout, r.progress)
	r.run()
	stop()
	r.report()
	if r.failure != nil {
		fmt.Fprintf(os.Stderr, "\n%s\n", r.failure)
		os.Exit(1)
	}
}

// runner plays histories on all processors.
type runner struct {
	first, count uint64
	started      time.Time

	next    atomic.Uint64
	mu      sync.Mutex
	total   simulation.Tally
	failure *simulation.Failure
}

func (r *runner) run() {
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for n := r.next.Add(1) - 1; n < r.count && r.play(r.first+n); n = r.next.Add(1) - 1 {
			}
		})
	}
	running.Wait()
}

// play plays one history and reports whether to go on.
func (r *runner) play(seed uint64) bool {
	tally, failure := simulation.Play(seed)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.Add(tally)
	if failure != nil && r.failure == nil {
		r.failure = failure
	}
	return r.failure == nil
}

func (r *runner) progress() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%d of %d histories, %.0f a second", r.total.Histories, r.count, r.rate())
}

func (r *runner) rate() float64 {
	return float64(r.total.Histories) / time.Since(r.started).Seconds()
}

func (r *runner) report() {
	t := r.total
	fmt.Printf("%d histories in %s, %.0f a second: %d steps, %d calls of which %d failed, %d callbacks, %d acknowledged, %d forged, %d conflicts\n",
		t.Histories, time.Since(r.started).Round(time.Second/10), r.rate(), t.Steps, t.Calls, t.Faults, t.Callbacks, t.Acknowledged, t.Forged, t.Conflicts)
	fmt.Printf("%d expectations, %d callbacks lost, %d queries, %d payouts confirmed, %d stated to be overdue, %d held callbacks answered\n",
		t.Expected, t.Lost, t.Queries, t.Confirmed, t.Overdue, t.Answered)
	if r.failure == nil {
		fmt.Printf("every invariant held; the last seed was %d\n", r.first+r.count-1)
	}
}
