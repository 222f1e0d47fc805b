package main_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
)

func TestSinceIsATimeADayOrASpan(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-21T08:00:00Z":      "2026-11-21T08:00:00Z",
		"2026-11-21T08:00:00+07:00": "2026-11-21T01:00:00Z",
		"2026-11-20":                "2026-11-20T00:00:00Z",
		"90m":                       "2026-11-21T07:30:00Z",
		"36h":                       "2026-11-19T21:00:00Z",
		"2d":                        "2026-11-19T09:00:00Z",
		"0s":                        "2026-11-21T09:00:00Z",
	} {
		got, err := payoutctl.ParseSince(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "-1h", "-2d", "1.5d", "36", "2026-11-31", "21.11.2026"} {
		if got, err := payoutctl.ParseSince(text, now); err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
		}
	}
}

// busyBus takes what its turn says, and then all.
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

func TestABusyBusIsGivenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &busyBus{turns: []int{40, 0, 7}}
		var notes strings.Builder
		notices, err := payoutctl.Republish(t.Context(), bus, manyPayouts, &notes)
		if err != nil || notices != 250 || len(bus.taken) != 250 {
			t.Errorf("%d notices, %d taken, %v", notices, len(bus.taken), err)
		}
		for n, id := range bus.taken {
			if want := fmt.Sprintf("cregis/payout/7/%d#1", n); id != want {
				t.Fatalf("notice %d is %s, want %s", n, id, want)
			}
		}
		if diff := cmp.Diff("… 100 payouts read, 100 notices published\n", notes.String()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestABusThatStaysBusyIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &busyBus{turns: make([]int, 100)}
		notices, err := payoutctl.Republish(t.Context(), bus, manyPayouts, new(strings.Builder))
		if err == nil || notices != 0 || bus.calls > 10 {
			t.Errorf("%d notices in %d calls, %v", notices, bus.calls, err)
		}
	})
}
