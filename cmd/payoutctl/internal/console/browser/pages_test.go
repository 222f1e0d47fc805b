package browser_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// pagePaths returns the paths that the navigation lists, that of a payout, and one that does not exist.
func pagePaths(t *testing.T) []string {
	t.Helper()
	c := newConsole(t)
	cid := newID()
	payoutctl(t, "send", "cregis", "payout", "--cid", cid, "--status", "6")
	b := newTab(t)
	b.open(c.address("/"))
	paths := evaluate[[]string](b, `[...document.querySelectorAll("nav a")].map((link) => link.getAttribute("href"))`)
	if len(paths) < 2 {
		t.Fatalf("the navigation lists %q", paths)
	}
	return append(paths, "/payouts/cregis/payout/"+demoProject+"/"+cid, "/none")
}

// openPages opens pages, and calls check for each.
func openPages(t *testing.T, w way, paths []string, check func(*testing.T, *tab)) {
	t.Helper()
	c := newConsole(t)
	b := newTab(t)
	b.use(w)
	b.expectStatus(http.StatusNotFound)
	b.open(c.address("/"))
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			b.open(c.base + path)
			check(t, b)
		})
	}
}

const demoProject = "1382528827416576"

// Each page can be read by a screen reader, in both color schemes, and at 200 % zoom.
func TestPages_Accessible(t *testing.T) {
	openPages(t, mouse, pagePaths(t), func(t *testing.T, b *tab) {
		for _, broken := range b.brokenRules() {
			t.Error(broken)
		}
	})
}

// The tab key leads through each page once, and each control on the way shows that it has the focus.
func TestPages_FocusVisible(t *testing.T) {
	openPages(t, keyboard, pagePaths(t), func(t *testing.T, b *tab) {
		controls := evaluate[int](b, `document.querySelectorAll("a[href], button, input, select, textarea, summary").length`)
		for range controls {
			b.key(kb.Tab)
			if element := evaluate[string](b, `(() => {
				const active = document.activeElement, style = getComputedStyle(active);
				return active !== document.body && (style.outlineStyle === "none" || style.outlineWidth === "0px") ? active.outerHTML : "";
			})()`); element != "" {
				t.Errorf("a control hides its focus: %s", element)
			}
		}
	})
}

// A long text without spaces does not make the page wider than the window.
func TestPages_LongTextWraps(t *testing.T) {
	c := newConsole(t)
	b := newTab(t)
	b.open(c.address("/payouts?reference=" + strings.Repeat("x", 380)))
	b.check()
}

// Each page shows the same without script, except for what only updates it.
func TestPages_WithoutScript(t *testing.T) {
	const outline = `[...document.querySelectorAll("h1, h2, caption, th[scope=col]")].map((part) => part.textContent.trim()).join("|")`
	paths, withScript := pagePaths(t), map[string]string{}
	openPages(t, mouse, paths, func(_ *testing.T, b *tab) { withScript[b.path()] = evaluate[string](b, outline) })
	openPages(t, noScript, paths, func(t *testing.T, b *tab) {
		if got, want := evaluate[string](b, outline), withScript[b.path()]; got != want {
			t.Errorf("without script the page has %q, with it %q", got, want)
		}
	})
}

// A list shows a page of payouts, however many there are, and leads to the next.
func TestPages_ListIsPaged(t *testing.T) {
	c := newConsole(t)
	stack, err := readStack()
	if err != nil {
		t.Fatal(err)
	}
	const payouts, most = 120, 100
	in := &inbox.Inbox{Store: storeOf(stack), Now: time.Now}
	for range payouts {
		event := payout.Event{ID: payoutID(newID()), Status: payout.Succeeded, Amount: "1"}
		if _, _, err := in.ApplyNew(t.Context(), inbox.NewReceipt(event, []byte(`{}`), "planted", time.Now())); err != nil {
			t.Fatal(err)
		}
	}
	b := newTab(t)
	b.openUntil(c.address("/payouts"), "Next page")
	const ids = `[...document.querySelectorAll("#list tbody a")].map((link) => link.textContent)`
	first := evaluate[[]string](b, ids)
	b.follow(func() { b.press("link", "Next page") })
	second := evaluate[[]string](b, ids)
	if len(first) == 0 || len(first) > most || len(second) == 0 || slices.ContainsFunc(second, func(id string) bool { return slices.Contains(first, id) }) {
		t.Errorf("the first page has %d payouts, the second %d: at most %d, and none twice\n%q\n%q", len(first), len(second), most, first, second)
	}
	b.check()
}
