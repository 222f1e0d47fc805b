package repair_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/cmd/payoutctl/internal/repair"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
)

// busyBus accepts as many notifications as its turns say, and then all.
type busyBus struct {
	turns []int
	taken []string
	calls int
}

func (b *busyBus) Publish(_ context.Context, notices []notification.Notification) (int, error) {
	n, err := len(notices), error(nil)
	if b.calls < len(b.turns) {
		n, err = min(b.turns[b.calls], n), errors.New("ThrottlingException")
	}
	b.calls++
	for _, notice := range notices[:n] {
		b.taken = append(b.taken, notice.ID)
	}
	return n, err
}

func manyPayouts(yield func(dynamostore.Stored, error) bool) {
	for n := range 250 {
		record, _ := payout.Record{}.Apply(payout.Event{ID: payout.ID(fmt.Sprintf("cregis/payout/7/%d", n)), Status: payout.Succeeded})
		if !yield(dynamostore.Stored{Record: record}, nil) {
			return
		}
	}
}

func TestRepublish_BusyBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &busyBus{turns: []int{40, 0, 0, 7, 0}}
		var notes strings.Builder
		notices, err := repair.Republish(t.Context(), bus, manyPayouts, &notes)
		if err != nil || notices != 250 || len(bus.taken) != 250 {
			t.Errorf("%d notices, %d taken, %v", notices, len(bus.taken), err)
		}
		for n, id := range bus.taken {
			if want := fmt.Sprintf("cregis/payout/7/%d#1", n); id != want {
				t.Fatalf("notice %d is %s, want %s", n, id, want)
			}
		}
		if diff := cmp.Diff("… 100 payouts read, 100 notifications published\n", notes.String()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRepublish_BusStaysBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &busyBus{turns: make([]int, 100)}
		notices, err := repair.Republish(t.Context(), bus, manyPayouts, new(strings.Builder))
		if err == nil || notices != 0 || bus.calls > 10 {
			t.Errorf("%d notices in %d calls, %v", notices, bus.calls, err)
		}
	})
}
