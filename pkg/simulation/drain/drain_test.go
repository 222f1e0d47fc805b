package drain_test

import (
	"errors"
	"testing"
	"time"

	"payout-callbacks/pkg/inbox/inboxtest"
	"payout-callbacks/pkg/simulation/drain"
	"payout-callbacks/pkg/templatetest"
)

func TestQueueKeepsTheContract(t *testing.T) { inboxtest.RunQueue(t, drain.NewHarness) }

// small is an eighth of a day with a tenth of the limits: a moment's work.
var small = drain.Scenario{
	Rate: 2, Outage: 3 * time.Hour, Concurrency: 2, SweepLimit: 100,
	Batch: time.Second, Request: 5 * time.Millisecond, BusyShare: 99, Each: 10,
}

// with returns the small scenario with something changed.
func with(change func(*drain.Scenario)) drain.Scenario {
	s := small
	change(&s)
	return s
}

// run plays a scenario and holds it to the invariants: whatever it is, all that
// was acknowledged is applied in the end, and once (I1 to I5).
func run(t *testing.T, s drain.Scenario) drain.Result {
	t.Helper()
	r, err := drain.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range r.Wrong[:min(3, len(r.Wrong))] {
		t.Error(wrong)
	}
	if r.Applied != r.Accepted || r.Accepted < s.Rate*int(s.Outage/time.Second) {
		t.Errorf("acknowledged %d, applied %d", r.Accepted, r.Applied)
	}
	if r.Drained == drain.Never || r.Emptied == drain.Never || r.Buried == drain.Never {
		t.Errorf("not drained within ten days: %+v", r)
	}
	t.Logf("%+v", r)
	return r
}

func TestWithoutAnOutageNothingWaits(t *testing.T) {
	t.Parallel()
	r := run(t, with(func(s *drain.Scenario) { s.Outage, s.Rate = 0, 15 }))
	if r.Oldest > time.Minute || r.Resent != 0 || r.Refused != 0 {
		t.Errorf("oldest %s, sent again %d, for nothing %d; want nothing of that", r.Oldest, r.Resent, r.Refused)
	}
}

// While the consumer is paused the queue keeps everything, and what the sweeper
// sends again is of no use: whoever drains has to take it, too.
func TestAPausedConsumerDrainsAsFastAsItConsumes(t *testing.T) {
	t.Parallel()
	paused := func(change func(*drain.Scenario)) drain.Result {
		return run(t, with(func(s *drain.Scenario) { s.Each = 1; change(s) }))
	}
	r := paused(func(*drain.Scenario) {})
	if r.Resent > r.Accepted/4 {
		t.Errorf("%d sent again of %d: the sweeper fills the queue", r.Resent, r.Accepted)
	}
	if faster := paused(func(s *drain.Scenario) { s.Concurrency = 4 }); faster.Drained >= r.Drained*2/3 {
		t.Errorf("two consumers took %s, four %s", r.Drained, faster.Drained)
	}
	if sweepier := paused(func(s *drain.Scenario) { s.SweepLimit = 200 }); sweepier.Drained > r.Drained*5/4 {
		t.Errorf("limit 100: %d sent again, drained in %s; limit 200: %d, %s", r.Resent, r.Drained, sweepier.Resent, sweepier.Drained)
	}
	if r.Refused != r.Resent || r.DeepestDead != 0 || r.Expired != 0 {
		t.Errorf("of %d sent again %d were for nothing, %d dead letters, %d expired", r.Resent, r.Refused, r.DeepestDead, r.Expired)
	}
	if want := small.Outage; r.Oldest < want {
		t.Errorf("the oldest was applied after %s, and the outage took %s", r.Oldest, want)
	}
	if r.QuietDrained >= r.Drained/4 {
		t.Errorf("the quiet account waited for %s of %s", r.QuietDrained, r.Drained)
	}
}

// A consumer that runs and never answers makes dead letters, and then all that
// brings callbacks back is the sweeper.
func TestABrokenConsumersDeadLettersComeBackAsFastAsTheSweeperSends(t *testing.T) {
	t.Parallel()
	broken := func(change func(*drain.Scenario)) drain.Result {
		return run(t, with(func(s *drain.Scenario) { s.Broken, s.Batch = true, 200*time.Millisecond; change(s) }))
	}
	r := broken(func(*drain.Scenario) {})
	if r.Adopted == 0 || r.DeepestDead == 0 {
		t.Fatalf("no dead letters: %+v", r)
	}
	if more := broken(func(s *drain.Scenario) { s.Concurrency = 4 }); more.Drained < r.Drained*4/5 {
		t.Errorf("two consumers took %s, four %s, though they have nothing to do", r.Drained, more.Drained)
	}
	if more := broken(func(s *drain.Scenario) { s.SweepLimit = 200 }); more.Drained > r.Drained*2/3 {
		t.Errorf("limit 100 took %s, 200 %s", r.Drained, more.Drained)
	}
	// Requests of half a second leave time for less than a hundred: a greater limit is nfive.
	slow := func(limit int) time.Duration {
		return broken(func(s *drain.Scenario) { s.SweepLimit, s.Request = limit, 500*time.Millisecond }).Drained
	}
	if least, most := slow(100), slow(1000); most < least*4/5 {
		t.Errorf("the deadline of the sweeper does not bound it: %s, %s", least, most)
	}
}

// Messages live for four days, receipts for ever: what the queue gave up the
// sweeper sends again (I3).
func TestWhatExpiresInTheQueueIsAppliedAllTheSame(t *testing.T) {
	t.Parallel()
	r := run(t, with(func(s *drain.Scenario) {
		s.Outage, s.Batch, s.SweepLimit, s.Each = 5*24*time.Hour, 100*time.Millisecond, 1000, 100
	}))
	if r.Expired == 0 {
		t.Error("five days, and nothing expired")
	}
}

// In a queue that is never full; for the other see the package's comment.
func TestOneReceiptCanStandForMany(t *testing.T) {
	t.Parallel()
	by := func(each int) drain.Result {
		return run(t, with(func(s *drain.Scenario) { s.Outage, s.SweepLimit, s.Each = time.Hour, 4000, each }))
	}
	five, more := by(5), by(20)
	near := func(what string, a, b float64) {
		if b < a*0.9 || b > a*1.1 {
			t.Errorf("%s: %v by five, %v by twenty", what, a, b)
		}
	}
	near("drained", five.Drained.Seconds(), more.Drained.Seconds())
	near("sent again", float64(five.Resent), float64(more.Resent))
	near("deepest", float64(five.Deepest), float64(more.Deepest))
}

func TestTheModelIsTheTemplates(t *testing.T) {
	template := templatetest.Load(t)
	seconds := func(resource, name string) time.Duration {
		value, ok := template.Resources[resource].Properties[name].(uint64)
		if !ok {
			t.Fatalf("%s has no %s", resource, name)
		}
		return time.Duration(value) * time.Second
	}
	redrive, _ := template.Resources["EventsQueue"].Properties["RedrivePolicy"].(map[string]any)
	if seconds("EventsQueue", "VisibilityTimeout") != drain.Visibility || seconds("EventsQueue", "MessageRetentionPeriod") != drain.Retention ||
		seconds("SweeperFunction", "Timeout") != drain.Timeout || redrive["maxReceiveCount"] != uint64(drain.MaxReceives) {
		t.Error("the template has other figures than the model")
	}
}

func TestAScenarioThatMakesNoSenseIsRefused(t *testing.T) {
	for name, change := range map[string]func(*drain.Scenario){
		"no callbacks": func(s *drain.Scenario) { s.Rate = 0 },
		"no time":      func(s *drain.Scenario) { s.Batch = 0 },
		"no division":  func(s *drain.Scenario) { s.Each = 7 },
		"over 100 %":   func(s *drain.Scenario) { s.BusyShare = 101 },
	} {
		if _, err := drain.Run(t.Context(), with(change)); !errors.Is(err, drain.ErrScenario) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
