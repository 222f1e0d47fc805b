package redrive_test

import (
	"context"
	"errors"
	"testing"

	"payout-callbacks/pkg/ops/redrive"
)

// A walk looks at as many as it may, and says that there are more only where
// there are.
func TestWalk_SaysWhetherThereIsMoreThanItsBound(t *testing.T) {
	for most, wantMore := range map[int]bool{2: true, 3: false, 4: false} {
		w := newWorld()
		for _, id := range []string{"a", "b", "c"} {
			w.put(id, "unreadable")
		}
		seen := 0
		more, err := w.desk().Walk(t.Context(), most, func(redrive.Diagnosis) error { seen++; return nil })
		if err != nil || more != wantMore || seen != min(most, 3) {
			t.Errorf("at most %d: %d seen, more %v, %v", most, seen, more, err)
		}
	}
}

// refusing fails every call whose context has ended.
type refusing struct{ *world }

func (r refusing) Return(ctx context.Context, message redrive.Message) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return r.world.Return(ctx, message)
}

// A walk that is interrupted puts back what it took, all the same.
func TestWalk_PutsBackAfterAnInterruption(t *testing.T) {
	w := newWorld()
	w.put("a", "unreadable")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := (&redrive.Redriver{Queue: refusing{w}, Receipts: w}).Walk(ctx, 10, func(redrive.Diagnosis) error { cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) || w.letters["a"].visibleAt.After(w.now) {
		t.Errorf("%v, in sight at %s, want at once", err, w.letters["a"].visibleAt)
	}
}
