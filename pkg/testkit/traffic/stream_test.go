package traffic_test

import (
	"testing"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/testkit/traffic"
)

func TestStream_SameSeedAndShares(t *testing.T) {
	const count = 4000
	stream, other := traffic.NewStream(3), traffic.NewStream(3)
	seen := map[inbox.Key]bool{}
	var forged, redelivered int
	for range count {
		first, err := stream.Next()
		if err != nil {
			t.Fatal(err)
		}
		second, err := other.Next()
		if err != nil || string(first.Body) != string(second.Body) || first.Receipt.Key != second.Receipt.Key {
			t.Fatalf("%v: the same seed gives\n%s\n%s", err, first.Body, second.Body)
		}
		switch {
		case first.IsForged:
			forged++
		case seen[first.Receipt.Key]:
			redelivered++
		}
		seen[first.Receipt.Key] = true
	}
	for name, share := range map[string][2]int{"forged": {forged, 5}, "redelivered": {redelivered, 30}} {
		if got, want := float64(share[0])*100/count, float64(share[1]); got < want*0.7 || got > want*1.3 {
			t.Errorf("%s: %.1f percent, want %.0f", name, got, want)
		}
	}
}
