package browser_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a tab of the browser, for one test.
type tab struct {
	t   testing.TB
	ctx context.Context //nolint:containedctx // the context is the tab
	way way

	mutex    sync.Mutex
	host     string   // of the pages: no request may go to another
	problems []string // what the browser reported
	statuses []int64  // of answers that the test expects: they are no problem
}

// listen collects what the browser reports: messages, exceptions, violations of the content security policy, and requests
// to other hosts.
func (b *tab) listen(event any) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.problems = append(b.problems, "the page wrote to the console: "+consoleText(e))
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprintf("exception in the script: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if !b.isExpected(e.Entry.Text) {
			b.problems = append(b.problems, fmt.Sprintf("the browser logged: %s %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *audits.EventIssueAdded:
		if csp := e.Issue.Details.ContentSecurityPolicyIssueDetails; csp != nil {
			b.problems = append(b.problems, fmt.Sprintf("violation of the content security policy: %s %s", csp.ViolatedDirective, csp.BlockedURL))
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "about" && u.Host != b.host {
			b.problems = append(b.problems, "request to another host: "+e.Request.URL)
		}
	}
}

func consoleText(e *runtime.EventConsoleAPICalled) string {
	text := string(e.Type)
	for _, argument := range e.Args {
		text += fmt.Sprintf(" %s%s", argument.Value, argument.Description)
	}
	return text
}

// isExpected reports whether a log entry is about an answer with a status that the test expects.
func (b *tab) isExpected(text string) bool {
	return slices.ContainsFunc(b.statuses, func(status int64) bool {
		return strings.Contains(text, fmt.Sprintf("responded with a status of %d ", status))
	})
}

// expectStatus says that an answer with the status is no problem from now on.
func (b *tab) expectStatus(status int64) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.statuses = append(b.statuses, status)
}

// takeProblems returns what the browser reported, and forgets it.
func (b *tab) takeProblems() []string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	problems := b.problems
	b.problems = nil
	return problems
}

// open loads a page and returns its HTTP status. The host of the first page is the host of all.
func (b *tab) open(address string) int64 {
	b.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mutex.Lock()
	if b.host == "" {
		b.host = u.Host
	}
	b.mutex.Unlock()
	var status int64
	b.call("open "+u.Path, func(ctx context.Context, target *chromedp.Target) error {
		response, err := chromedp.NavigateResponse(address)(ctx, target)
		if err == nil && response != nil {
			status = response.Status
		}
		return err
	})
	return status
}

// openUntil loads a page until it shows a text: the console keeps what it has read for some time.
func (b *tab) openUntil(address, text string) {
	b.t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		b.open(address)
		if strings.Contains(b.text(), text) {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("not within %s: the page shows %q", patience, text)
		}
	}
}

// path returns the path of the page that is shown.
func (b *tab) path() string {
	b.t.Helper()
	return evaluate[string](b, `location.pathname`)
}

// text returns the text of the page as a person sees it.
func (b *tab) text() string {
	b.t.Helper()
	return evaluate[string](b, `document.body.innerText`)
}

// untilText waits until the page shows a text.
func (b *tab) untilText(text string) {
	b.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		b.t.Fatal(err)
	}
	b.until("the page shows "+string(quoted), fmt.Sprintf(`document.body.innerText.includes(%s)`, quoted))
}

// until waits until an expression is true in the page. A navigation meanwhile is no error.
func (b *tab) until(condition, expression string) {
	b.t.Helper()
	b.retry(condition, func(ctx context.Context, target *chromedp.Target) (bool, error) {
		return chromedp.Evaluate[bool](expression)(ctx, target)
	})
}

// retry repeats a step until it returns true. An error of the browser during a navigation is repeated, too.
func (b *tab) retry(condition string, step chromedp.Action[bool]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		isDone, err := chromedp.Run(ctx, step)
		if isDone {
			return
		}
		select {
		case <-ctx.Done():
			b.t.Fatalf("not within %s: %s (%v); the page %s shows:\n%.4000s", patience, condition, err, b.path(), b.text())
		case <-tick.C:
		}
	}
}

// follow does something that leads to another page, and waits until that page is loaded.
func (b *tab) follow(do func()) {
	b.t.Helper()
	evaluate[chromedp.Void](b, `window.isPageBefore = true`)
	do()
	b.until("the next page is loaded", `!window.isPageBefore && document.readyState === "complete"`)
}

// resize sets the size of the page in CSS pixels. A width of 640 is 1280 at 200 % zoom.
func (b *tab) resize(width, height int64) {
	b.t.Helper()
	b.call("resize", func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.EmulateViewport(width, height)(ctx, target)
		return err
	})
}

// pictures is a folder for pictures of the pages that the documents show.
var pictures = flag.String("pictures", "", "write pictures of the pages to this folder")

// capture writes a picture of the page, if -pictures is given.
func (b *tab) capture(name string, height int64) {
	b.t.Helper()
	if *pictures == "" || b.way != mouse {
		return
	}
	b.resize(1280, height)
	evaluate[chromedp.Void](b, `document.activeElement.blur(), scrollTo(0, 0)`)
	b.call("capture "+name, func(ctx context.Context, target *chromedp.Target) error {
		picture, err := chromedp.CaptureScreenshot()(ctx, target)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(*pictures, name+".png"), picture, 0o600)
	})
	b.resize(1280, 900)
}

// call runs a step of the tab within patience.
func (b *tab) call(name string, step func(context.Context, *chromedp.Target) error) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx); err != nil { // opens the tab; it would end with the context of its first step
		b.t.Fatalf("%s: %v", name, err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Func(step)); err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
}

// evaluate returns the value of an expression in the page.
func evaluate[T any](b *tab, expression string) (value T) {
	b.t.Helper()
	b.call("evaluate "+expression, func(ctx context.Context, target *chromedp.Target) (err error) {
		value, err = chromedp.Evaluate[T](expression)(ctx, target)
		return err
	})
	return value
}
