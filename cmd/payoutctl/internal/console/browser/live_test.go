package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"payout-callbacks/pkg/callback"
)

// openHeld opens the page of held callbacks, of which there is one at least, and returns an expression: the page
// shows a callback that is held later.
func openHeld(t *testing.T) (b *tab, showsNext func() string) {
	t.Helper()
	c := newConsole(t)
	plantHeld(t, callback.ReasonUnknown)
	b = newTab(t)
	b.openUntil(c.address("/held"), "unknown-event")
	return b, func() string {
		const held = `document.querySelector("#list h2").textContent`
		before := evaluate[string](b, held)
		plantHeld(t, callback.ReasonUnknown)
		payoutctl(t, "send", "cregis", "payout", "--cid", newID(), "--status", "6") // announces a change
		return held + ` !== "` + before + `"`
	}
}

// An update keeps the focus, the open details and the place of a table that is scrolled.
func TestLive_KeepsThePlaceOfAPerson(t *testing.T) {
	b, showsNext := openHeld(t)
	b.resize(390, 844)
	evaluate[chromedp.Void](b, `document.querySelectorAll(".table")[1].scrollLeft = 100, document.querySelectorAll("tbody a")[1].focus()`)
	focus := evaluate[string](b, `document.activeElement.outerHTML`)
	b.until("the next held callback is shown", showsNext())
	if got := evaluate[string](b, `document.activeElement.outerHTML`); got != focus {
		t.Errorf("the focus is on %s, want %s", got, focus)
	}
	if got := evaluate[int](b, `document.querySelectorAll(".table")[1].scrollLeft`); got != 100 {
		t.Errorf("the table is scrolled to %d, want 100", got)
	}
}

// A list with a checked box or a selected text stays as it is, and the page says so.
func TestLive_LeavesWhatAPersonWorksIn(t *testing.T) {
	for name, work := range map[string][2]string{
		"checked":  {`document.querySelector("tbody input").click()`, `document.querySelector("tbody input").click(), document.activeElement.blur()`},
		"selected": {`getSelection().selectAllChildren(document.querySelector("tbody a"))`, `getSelection().empty()`},
	} {
		t.Run(name, func(t *testing.T) {
			b, showsNext := openHeld(t)
			evaluate[chromedp.Void](b, work[0])
			isShown := showsNext()
			b.untilText("is not updated meanwhile")
			if evaluate[bool](b, isShown) {
				t.Error("the list is replaced")
			}
			evaluate[chromedp.Void](b, work[1])
			payoutctl(t, "send", "cregis", "payout", "--cid", newID(), "--status", "6")
			b.until("the next held callback is shown", isShown)
		})
	}
}

// A hidden page has no stream of announcements, because a browser opens six connections to a host. It is read again when
// it is shown.
func TestLive_HiddenPage(t *testing.T) {
	c := newConsole(t)
	b := newTab(t)
	b.open(c.address("/payouts"))
	const set = `Object.defineProperty(document, "hidden", {value: %t, configurable: true}), document.dispatchEvent(new Event("visibilitychange"))`
	b.until("the stream is open", `source.readyState === EventSource.OPEN`)
	evaluate[chromedp.Void](b, fmt.Sprintf(set, true))
	if evaluate[bool](b, `source !== undefined`) {
		t.Error("the hidden page has a stream")
	}
	id := payoutID(newID())
	payoutctl(t, "send", "cregis", "payout", "--cid", id.PayoutID(), "--status", "6")
	awaitPayout(t, string(id), "succeeded")
	evaluate[chromedp.Void](b, fmt.Sprintf(set, false))
	b.untilText(string(id))
}
