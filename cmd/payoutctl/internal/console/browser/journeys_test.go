package browser_test

import (
	"net/http"
	"strings"
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
	inEachWay(t, func(t *testing.T, c *console, b *tab) {
		first, second := plantHeld(t, callback.ReasonUnknown), plantHeld(t, callback.ReasonUnknown)
		other := plantHeld(t, callback.ReasonRoute)
		b.follow(func() { b.press("link", "Held") })
		b.openUntil(c.base+"/held", "unknown-event")
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

// A person sees a callback arrive, and follows it to its payout.
func TestJourney_Callback(t *testing.T) {
	inEachWay(t, func(t *testing.T, c *console, b *tab) {
		b.follow(func() { b.press("link", "Callbacks") })
		b.check()
		id := payoutID(newID())
		payoutctl(t, "send", "cregis", "payout", "--cid", id.PayoutID(), "--status", "6")
		if b.way == noScript {
			awaitPayout(t, string(id), "succeeded")
			b.openUntil(c.base+"/callbacks", string(id)) // its line can reach the log later
		}
		b.untilText(string(id)) // without a reload
		b.follow(func() { b.press("link", string(id)) })
		b.untilText("succeeded")
		b.follow(func() { b.press("link", "Overview") })
		b.check()
		b.capture("console-overview", 900)
	})
}

// A person orders a payout whose callback is lost, and sees that a query finds how it ended.
func TestJourney_LostCallback(t *testing.T) {
	inEachWay(t, func(t *testing.T, c *console, b *tab) {
		reference := "lost-" + newID()
		b.follow(func() { b.press("link", "Providers") })
		b.check()
		b.fill("Our reference", reference)
		b.press("checkbox", "Lose its callback")
		b.follow(func() { b.press("button", "Order a payout at Cregis") })
		b.untilText(reference)
		b.check()
		b.follow(func() { b.press("button", "Expect") })
		b.untilText("done")
		b.follow(func() { b.press("link", "Payouts") })
		b.fill("Our reference, or the id", reference)
		b.follow(func() { b.press("button", "Find") })
		b.check()
		id := strings.TrimPrefix(b.path(), "/payouts/")
		b.follow(func() { b.press("button", "Ask the provider") })
		awaitPayout(t, id, "confirmed")
		b.open(c.base + "/payouts/" + id)
		b.untilText("query")
	})
}

// A person breaks DynamoDB: callbacks are accepted by the queue, and applied once it works again.
func TestJourney_BrokenDynamoDB(t *testing.T) {
	inEachWay(t, func(t *testing.T, c *console, b *tab) {
		defer repair(t, c)
		b.follow(func() { b.press("link", "Faults") })
		b.check()
		b.pauseOrResume("Pause")
		b.setFault("fails")
		b.check()
		id := payoutID(newID())
		payoutctl(t, "send", "cregis", "payout", "--cid", id.PayoutID(), "--status", "6")
		b.follow(func() { b.press("link", "Callbacks") })
		b.untilText("queue-only")
		if out, err := tryPayoutctl(t, "show", string(id)); err == nil {
			t.Errorf("the payout is stored, although DynamoDB does not answer\n%s", out)
		}
		b.follow(func() { b.press("link", "Faults") })
		b.setFault("none")
		b.pauseOrResume("Resume")
		awaitPayout(t, string(id), "succeeded")
		b.open(c.base + "/payouts/" + string(id))
		b.untilText("succeeded")
	})
}

// repair ends what a journey that failed leaves.
func repair(t *testing.T, c *console) {
	t.Helper()
	if got := c.visitor(t).post("/faults", "service=dynamodb&fault="); got.StatusCode != http.StatusSeeOther {
		t.Errorf("repair DynamoDB: %d %s", got.StatusCode, got.text)
	}
	_, _ = tryPayoutctl(t, "resume", "consumer", "--reason", "the test is over") // it may be running
}

// pauseOrResume pauses or resumes the consumer on the page of the faults.
func (b *tab) pauseOrResume(verb string) {
	b.t.Helper()
	b.fill("Reason", "a fault")
	b.follow(func() { b.press("button", verb+" the consumer") })
	b.untilText("done")
	b.follow(func() { b.press("link", "Faults") })
}

func (b *tab) setFault(fault string) {
	b.t.Helper()
	b.choose("Fault of DynamoDB", fault)
	b.follow(func() { b.press("button", "Set the fault of DynamoDB") })
}
