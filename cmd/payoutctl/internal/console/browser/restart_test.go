package browser_test

import (
	"slices"
	"strings"
	"testing"
)

// A page that is open while its console stops says so, and is up to date again with the next console.
func TestConsole_Restart(t *testing.T) {
	needStack(t)
	c, err := start("--local")
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	b.open(c.address("/"))
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	b.untilText("Live updates are interrupted")
	_, port, _ := strings.Cut(strings.TrimPrefix(c.base, "http://"), ":")
	again, err := startWith([]string{"PAYOUT_CALLBACKS_CONSOLE_TOKEN=" + c.token}, "--local", "console", "--port="+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.stop() })
	b.until("the page is connected again", `document.getElementById("connection").textContent === ""`)
	problems := slices.DeleteFunc(b.takeProblems(), func(problem string) bool {
		return strings.Contains(problem, "net::ERR_CONNECTION_REFUSED") || strings.Contains(problem, "net::ERR_INCOMPLETE_CHUNKED_ENCODING")
	})
	if len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}
