// Command simulate plays seeded histories of the whole application in memory
// (see package simulation) until one breaks a promise. It is `make simulate`.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"payout-callbacks/pkg/testkit/simulation"
)

func main() {
	count := flag.Uint64("n", 100_000, "how many histories")
	seed := flag.Uint64("seed", 0, "the seed of the first one, and the next ones count up from it (0: of this moment)")
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixMilli()) * 1000
	}
	fmt.Printf("seed %d, %d histories\n", *seed, *count)
	debug.SetGCPercent(800) // a history leaves nothing behind
	r := &runner{first: *seed, count: *count, started: time.Now()}
	if failure := r.run(); failure != nil {
		fmt.Fprintf(os.Stderr, "\n%s\n", failure.Write())
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

func (r *runner) run() *simulation.Failure {
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(r.work)
	}
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			r.finish()
			return r.failure
		case <-tick.C:
			r.progress()
		}
	}
}

func (r *runner) work() {
	for {
		n := r.next.Add(1) - 1
		if n >= r.count || !r.play(r.first+n) {
			return
		}
	}
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

func (r *runner) progress() {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := fmt.Sprintf("%d of %d histories, %.0f a second", r.total.Histories, r.count, r.rate())
	if isTerminal(os.Stdout) {
		fmt.Printf("\r\x1b[K%s", line)
	} else if int(time.Since(r.started).Seconds())%10 == 0 {
		fmt.Println(line)
	}
}

func (r *runner) rate() float64 {
	return float64(r.total.Histories) / time.Since(r.started).Seconds()
}

func (r *runner) finish() {
	if isTerminal(os.Stdout) {
		fmt.Print("\r\x1b[K")
	}
	t := r.total
	fmt.Printf("%d histories in %s, %.0f a second: %d steps, %d calls of which %d went wrong, %d callbacks, %d acknowledged, %d forged, %d conflicts\n",
		t.Histories, time.Since(r.started).Round(time.Second/10), r.rate(), t.Steps, t.Calls, t.Faults, t.Callbacks, t.Acknowledged, t.Forged, t.Conflicts)
	if r.failure == nil {
		fmt.Println("every promise held; the last seed was " + strconv.FormatUint(r.first+r.count-1, 10))
	}
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
