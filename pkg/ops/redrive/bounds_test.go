package redrive_test

import (
	"context"
	"errors"
	"testing"

	"payout-callbacks/pkg/ops/redrive"
)

// Walk reports more only if the queue has more messages than its limit.
func TestWalk_Limit(t *testing.T) {
	for limit, wantMore := range map[int]bool{2: true, 3: false, 4: false} {
		w := newWorld()
		for _, id := range []string{"a", "b", "c"} {
			w.put(id, "unreadable")
		}
		seen := 0
		more, err := w.redriver().Walk(t.Context(), limit, func(redrive.Diagnosis) error { seen++; return nil })
		if err != nil || more != wantMore || seen != min(limit, 3) {
			t.Errorf("limit %d: %d seen, more %v, %v", limit, seen, more, err)
		}
	}
}

// contextQueue fails a call whose context has ended.
type contextQueue struct{ *world }

func (q contextQueue) Return(ctx context.Context, message redrive.Message) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return q.world.Return(ctx, message)
}

// An interrupted walk returns its messages.
func TestWalk_ContextCanceled(t *testing.T) {
	w := newWorld()
	w.put("a", "unreadable")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := (&redrive.Redriver{Queue: contextQueue{w}, Receipts: w}).Walk(ctx, 10, func(redrive.Diagnosis) error { cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) || w.messages["a"].visibleAt.After(w.now) {
		t.Errorf("%v, visible at %s, want at once", err, w.messages["a"].visibleAt)
	}
}
