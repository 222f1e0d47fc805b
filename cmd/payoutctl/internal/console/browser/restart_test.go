package browser_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A page that is open while its stack stops says so, and works again with the next stack.
func TestConsole_StackStops(t *testing.T) {
	needStack(t)
	path, err := stackFile()
	if err != nil {
		t.Fatal(err)
	}
	description, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "stack.json")
	write := func() {
		if err := os.WriteFile(path, description, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	c, err := startWith([]string{"PAYOUT_CALLBACKS_STACK=" + path}, "--local", "console")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.stop() })
	b := newTab(t)
	b.open(c.address("/"))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	b.expectStatus(http.StatusBadGateway)
	b.untilText("The stack does not answer")
	write()
	const isConnected = `document.getElementById("connection").textContent === ""`
	b.until("the open page is up to date again", isConnected)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	b.open(c.base + "/payouts")
	b.untilText("make run")
	b.check()
	write()
	b.follow(func() { b.press("link", "Overview") })
	b.check()
}

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
