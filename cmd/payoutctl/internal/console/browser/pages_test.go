package browser_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp/kb"
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
