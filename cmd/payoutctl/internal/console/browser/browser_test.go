// Package browser_test operates the console in a real browser: with a mouse, with the keyboard alone, and without
// script. It needs Chromium or Chrome; the journeys need the stack that make test starts, too.
package browser_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience bounds each wait, for a busy machine.
const patience = 2 * time.Minute

// browser returns the context of the Chromium that all tests of this package share.
var browser = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(executable()),
		// The sandbox needs user namespaces, which containers do not have. The browser opens our own pages only.
		chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(patience),
		// No request leaves this machine, not even a wrong one.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	cleanUp = append(cleanUp, cancel, stop)
	return ctx, chromedp.Do(ctx)
})

// cleanUp ends what the tests share.
var cleanUp []func()

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range slices.Backward(cleanUp) {
		end()
	}
	os.Exit(code)
}

// executable returns the path of the browser, or "".
func executable() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// newTab opens an empty tab with cookies of its own, and checks at the end of the test that the pages in it had no problem.
func newTab(t testing.TB) *tab {
	t.Helper()
	if executable() == "" {
		t.Skip("there is no Chromium: install Debian's package chromium, or Google Chrome")
	}
	parent, err := browser()
	if err != nil {
		t.Fatal("start the browser: ", err)
	}
	b := &tab{t: t}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	b.ctx = ctx
	t.Cleanup(func() {
		cancel()
		for _, problem := range b.takeProblems() {
			t.Error(problem)
		}
	})
	b.call("open a tab", func(ctx context.Context, target *chromedp.Target) error {
		for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, audits.Enable} {
			if _, err := cdp.Call(ctx, target, enable, cdp.Empty{}); err != nil {
				return err
			}
		}
		_, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		return err
	})
	b.resize(1280, 900)
	return b
}
