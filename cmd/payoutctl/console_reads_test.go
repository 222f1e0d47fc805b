package main_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go/middleware"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// actionsUsed records the AWS actions that a console uses.
type actionsUsed struct {
	mu    sync.Mutex
	names map[string]bool
}

// record adds a middleware behind those that refuse an action.
func (u *actionsUsed) record(stack *middleware.Stack) error {
	return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("record actions", func(
		ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
	) (middleware.SerializeOutput, middleware.Metadata, error) {
		u.mu.Lock()
		u.names[strings.ToLower(strings.ReplaceAll(middleware.GetServiceID(ctx), " ", ""))+":"+middleware.GetOperationName(ctx)] = true
		u.mu.Unlock()
		return next.HandleSerialize(ctx, in)
	}), middleware.Before)
}

// openDeployed returns the console of a healthy deployed stack, with the actions it uses.
func openDeployed(t *testing.T, h *healthyStack) (*consoleOf, *actionsUsed) {
	t.Helper()
	h.serve(t)
	s := &cli.Session{Env: func(string) string { return "" }, Now: time.Now}
	s.Flags.Stack = "prod"
	stack, err := s.OpenStack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	used := &actionsUsed{names: map[string]bool{}}
	stack.AWS.APIOptions = append(stack.AWS.APIOptions, used.record)
	return newConsole(t, stack, payoutctl.RunLine), used
}

// consolePages are the pages with their queries, of which PAYOUT is a payout.
var consolePages = []string{
	"/", "/payouts", "/payouts?status=conflicted", "/payouts/cregis/payout/1/2", "/held", "/held?provider=cregis&reason=field&page=2", "/conflicts",
	"/conflicts?fields=status", "/overdue", "/overdue?reason=open", "/waiting", "/due", "/dead-letters", "/audit", "/doctor", "/explain",
	"/callbacks/cregis%2Fpayout%2F1%2F2/succeeded%2Fx", "/jobs",
}

var actionName = regexp.MustCompile(`\b[a-z]+:[A-Z]\w+`)

// A console of a deployed stack uses the AWS actions that its help names, and no other.
func TestConsole_ReadsOfDeployedStack(t *testing.T) {
	h := newHealthyStack()
	h.states["consumer"] = "Disabled"
	c, used := openDeployed(t, h)
	for _, path := range consolePages {
		if status := c.status(http.MethodGet, path, ""); status >= http.StatusInternalServerError {
			t.Errorf("%s: status %d", path, status)
		}
	}
	for action, form := range map[string]string{
		"audit": "", "doctor": "", "explain": "provider=cregis type=payout body={}", "explain-held": "held=held/cregis/payout/1/x",
	} {
		page := c.act(action, parseForm(form))
		if !strings.Contains(page, "exit code") || strings.Contains(page, "(exit code 3)") {
			t.Errorf("%s:\n%s", action, page)
		}
	}
	_, list, _ := strings.Cut(payoutctl.Commands()["console"], "only these actions")
	named := actionName.FindAllString(list, -1)
	for name := range used.names {
		if !slices.Contains(named, name) {
			t.Errorf("the console uses %s, which its help does not name", name)
		}
	}
	for _, name := range named {
		if !used.names[name] {
			t.Errorf("the help names %s, which the console does not use", name)
		}
	}
}

// Doctor runs on a deployed stack. Only its checks that invoke a function have no result,
// and they say so.
func TestConsole_DoctorOfDeployedStack(t *testing.T) {
	h := newHealthyStack()
	h.messages["dead-letters"] = 1
	c, _ := openDeployed(t, h)
	page := c.act("doctor", nil)
	for _, want := range []string{
		`<span class="good">ok</span>       identity`, `<span class="waiting">unknown</span>  API of pivot`, "does not use lambda:Invoke", "run the command in a terminal", "done (exit code 0)",
		`→ <a href="/dead-letters">payoutctl --stack prod dlq list</a>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in:\n%s", want, page)
		}
	}
	if last := c.get("/doctor", http.StatusOK); !strings.Contains(last, "arn:aws:iam::1:user/a") {
		t.Errorf("the page of doctor does not keep the last result:\n%s", last)
	}
}

// No route of a deployed stack changes it, and pages show commands instead of forms.
func TestConsole_ReadOnly(t *testing.T) {
	h := newHealthyStack()
	h.receipt = "held"
	h.items["held/3"] = `{"payout": {"S": "held/cregis/payout/1/x"}, "receipt": {"S": "held"}, "dueAt": {"N": "1"}, "acceptedAt": {"N": "1"}}`
	h.items["conflicted"] = `{"payout": {"S": "cregis/payout/1/2"}}`
	h.messages["dead-letters"] = 7
	c, _ := openDeployed(t, h)
	isRead := []string{"explain", "explain-held", "audit", "doctor"}
	for _, test := range actionForms() {
		status := c.status(http.MethodPost, "/actions/"+test.action, parseForm(test.form).Encode())
		if slices.Contains(isRead, test.action) {
			continue
		}
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", test.action, status)
		}
	}
	for path, want := range map[string]string{
		"/held":                    "payoutctl --stack prod release --all --reason=TEXT",
		"/conflicts?fields=status": "payoutctl --stack prod resolve --all --trust=query --cause=status --reason=TEXT",
		"/dead-letters":            "payoutctl --stack prod dlq redrive --reason=TEXT",
	} {
		page := c.get(path, http.StatusOK)
		if !strings.Contains(page, "<code>"+want+"</code>") || strings.Contains(page, `class="change"`) || strings.Contains(page, `type="checkbox"`) {
			t.Errorf("%s: no %q, or a form, in:\n%s", path, want, page)
		}
	}
	if page := c.get("/dead-letters", http.StatusOK); !strings.Contains(page, "7 messages") {
		t.Errorf("the page does not count the dead-letter messages:\n%s", page)
	}
	for _, operation := range h.sent {
		if slices.Contains([]string{"ReceiveMessage", "SendMessage", "PutItem", "UpdateItem", "TagQueue"}, operation) {
			t.Errorf("the console sent %s", operation)
		}
	}
}
