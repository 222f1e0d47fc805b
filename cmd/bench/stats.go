package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// spread is the median of some ratios, and the interval that holds the true
// median in 95 of 100 runs: between two order statistics, whatever the ratios'
// distribution is.
type spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func spreadOf(ratios []float64) spread {
	sorted := slices.Sorted(slices.Values(ratios))
	n := len(sorted)
	// The normal approximation of the binomial ranks; of few ratios, all of them.
	reach := 1.96 * math.Sqrt(float64(n)) / 2
	low := max(0, int(math.Floor(float64(n)/2-reach)))
	high := min(n-1, int(math.Ceil(float64(n)/2+reach)))
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Low: sorted[low], High: sorted[high]}
}

// quantile returns the value below which so much of the sample is.
func quantile(sample []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(sample))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// side does its work once, or some of it, and says how long each piece took.
type side func() ([]time.Duration, error)

// turns runs both sides as often, in turns, each first in every other round: what
// the machine does meanwhile falls on both.
func turns(rounds int, ours, floor side) (ourTimes, floorTimes [][]time.Duration, err error) {
	for round := range rounds + 1 {
		first, second := ours, floor
		if round%2 == 1 {
			first, second = floor, ours
		}
		a, err := first()
		if err != nil {
			return nil, nil, err
		}
		b, err := second()
		if err != nil {
			return nil, nil, err
		}
		if round%2 == 1 {
			a, b = b, a
		}
		if round == 0 {
			continue // to get warm
		}
		ourTimes, floorTimes = append(ourTimes, a), append(floorTimes, b)
	}
	return ourTimes, floorTimes, nil
}

// ratioAt compares the two sides at a quantile, round by round.
func ratioAt(q float64, ours, floor [][]time.Duration) (spread, time.Duration, time.Duration) {
	var ratios []float64
	for i := range ours {
		ratios = append(ratios, float64(quantile(ours[i], q))/float64(quantile(floor[i], q)))
	}
	return spreadOf(ratios), quantile(slices.Concat(ours...), q), quantile(slices.Concat(floor...), q)
}

// tailRatio compares the two sides at a quantile of which one round has too few
// values: over all rounds. The interval comes from drawing rounds again.
func tailRatio(q float64, ours, floor [][]time.Duration) (spread, time.Duration, time.Duration) {
	const draws = 1000
	of := func(rounds []int) float64 {
		var a, b []time.Duration
		for _, round := range rounds {
			a, b = append(a, ours[round]...), append(b, floor[round]...)
		}
		return float64(quantile(a, q)) / float64(quantile(b, q))
	}
	all := make([]int, len(ours))
	for round := range all {
		all[round] = round
	}
	random := rand.New(rand.NewPCG(1, 2)) // the same samples have the same interval
	var ratios []float64
	for range draws {
		drawn := make([]int, len(all))
		for i := range drawn {
			drawn[i] = random.IntN(len(all))
		}
		ratios = append(ratios, of(drawn))
	}
	slices.Sort(ratios)
	return spread{Median: of(all), Low: ratios[draws/40], High: ratios[draws-draws/40-1]},
		quantile(slices.Concat(ours...), q), quantile(slices.Concat(floor...), q)
}

// inPlaces has workers do pieces of work side by side, and times each piece.
func inPlaces(workers, pieces int, work func(piece int) error) ([]time.Duration, error) {
	times := make([]time.Duration, pieces)
	errs := make(chan error, workers)
	next := make(chan int, pieces)
	for piece := range pieces {
		next <- piece
	}
	close(next)
	for range workers {
		go func() {
			for piece := range next {
				begun := time.Now()
				if err := work(piece); err != nil {
					errs <- err
					return
				}
				times[piece] = time.Since(begun)
			}
			errs <- nil
		}()
	}
	for range workers {
		if err := <-errs; err != nil {
			return nil, err
		}
	}
	return times, nil
}
