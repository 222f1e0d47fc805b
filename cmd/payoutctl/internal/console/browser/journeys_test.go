package browser_test

import (
	"testing"

	"payout-callbacks/pkg/callback"
)

// inEachWay runs a journey with the mouse, with the keyboard alone, and without script.
func inEachWay(t *testing.T, journey func(t *testing.T, c *console, b *tab)) {
	t.Helper()
	c := newConsole(t)
	for _, w := range []way{mouse, keyboard, noScript} {
		t.Run(string(w), func(t *testing.T) {
			b := newTab(t)
			b.use(w)
			b.open(c.address("/"))
			journey(t, c, b)
			b.check()
		})
	}
}

// carryOut confirms the plan of a change.
func (b *tab) carryOut() {
	b.t.Helper()
	b.untilText("nothing is changed yet")
	b.check()
	b.fill("Reason", "decided in the browser")
	b.follow(func() { b.press("button", "Carry out the plan") })
	b.untilText("done")
}

// A person finds the payout with two final statuses, trusts a receipt, and the conflict ends.
func TestJourney_Conflict(t *testing.T) {
	inEachWay(t, func(t *testing.T, _ *console, b *tab) {
		cid := newID()
		id := "cregis/payout/" + demoProject + "/" + cid
		payoutctl(t, "send", "cregis", "payout", "--cid", cid, "--status", "6")
		payoutctl(t, "send", "cregis", "payout", "--cid", cid, "--status", "7")
		awaitPayout(t, id, "conflicted")
		b.follow(func() { b.press("link", "Payouts") })
		b.choose("Status", "conflicted")
		b.follow(func() { b.press("button", "Filter") })
		b.check()
		b.follow(func() { b.press("link", id) })
		b.untilText("conflicted")
		b.check()
		b.capture("console-conflict", 900)
		b.follow(func() { b.press("button", "Trust receipt #1") })
		b.carryOut()
		awaitPayout(t, id, "decided in the browser")
		b.follow(func() { b.press("link", id) })
		b.untilText("succeeded")
		b.capture("console-payout", 900)
	})
}

// A person releases all callbacks that are held for the same reason, and their payouts appear.
func TestJourney_Release(t *testing.T) {
	inEachWay(t, func(t *testing.T, _ *console, b *tab) {
		first, second := plantHeld(t, callback.ReasonUnknown), plantHeld(t, callback.ReasonUnknown)
		other := plantHeld(t, callback.ReasonRoute)
		b.follow(func() { b.press("link", "Held") })
		b.check()
		b.follow(func() { b.press("link", "cregis unknown-event") })
		b.check()
		b.follow(func() { b.press("button", "Release all") })
		b.carryOut()
		awaitPayout(t, string(first), "succeeded")
		awaitPayout(t, string(second), "succeeded")
		if out, err := tryPayoutctl(t, "show", string(other)); err == nil {
			t.Errorf("a callback with another cause is released\n%s", out)
		}
	})
}

// A person sends all dead-letter messages back to the queue, and their events are applied.
func TestJourney_Redrive(t *testing.T) {
	newConsole(t)
	payoutctl(t, "pause", "sweeper", "--reason", "a person redrives") // it would recover the messages
	defer payoutctl(t, "resume", "sweeper", "--reason", "the test is over")
	inEachWay(t, func(t *testing.T, _ *console, b *tab) {
		first, second := plantDeadLetter(t), plantDeadLetter(t)
		b.follow(func() { b.press("link", "Dead-letter messages") })
		b.check()
		b.follow(func() { b.press("button", "Redrive all") })
		b.carryOut()
		awaitPayout(t, string(first), "succeeded")
		awaitPayout(t, string(second), "succeeded")
	})
}
