package providersim

import (
	"context"
	"time"
)

// time returns the simulator's time: the injected clock and what was skipped.
// The mutex is locked.
func (s *simulator) time() time.Time { return s.now().Add(s.skipped).UTC().Round(0) }

// NextDue returns when the next callback is due, which may be in the past. It
// reports false if no callback waits.
func (s *simulator) NextDue() (due time.Time, ok bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.waiting) == 0 {
		return time.Time{}, false
	}
	return s.waiting[0].due, true
}

// Skip moves the simulator's clock forward to the next callback, and returns the
// time that it has then. It sends nothing itself.
func (s *simulator) Skip() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.waiting) > 0 {
		s.skipped += max(0, s.waiting[0].due.Sub(s.time()))
	}
	s.notify()
	return s.time()
}

// Run sends callbacks when they are due, until the context ends. It is for an
// injected clock that runs in real time. The speed divides the waits between
// attempts: with 60, a repetition after an hour comes after a minute. It must be
// greater than 0. The times in plans are not divided.
func (s *simulator) Run(ctx context.Context, speed float64) {
	s.mutex.Lock()
	s.speed = speed
	s.mutex.Unlock()
	for {
		if _, err := s.DeliverDue(ctx); err != nil {
			return
		}
		if !s.wait(ctx) {
			return
		}
	}
}

// wait returns when a callback is due or something has changed, and reports
// false when the context has ended.
func (s *simulator) wait(ctx context.Context) bool {
	s.mutex.Lock()
	var due <-chan time.Time // nil blocks for ever
	if len(s.waiting) > 0 {
		timer := time.NewTimer(s.waiting[0].due.Sub(s.time()))
		defer timer.Stop()
		due = timer.C
	}
	s.mutex.Unlock()
	select {
	case <-ctx.Done():
		return false
	case <-s.wake:
	case <-due:
	}
	return true
}

// notify wakes Run.
func (s *simulator) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
