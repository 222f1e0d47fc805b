package main_test

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"

	payoutctl "payout-callbacks/cmd/payoutctl"
	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/console"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
)

// openLocal returns the console of a local stack with tables.
func openLocal(t *testing.T, stack string) *consoleOf {
	t.Helper()
	return newConsole(t, cli.Stack{
		Stack: localstack.Stack{
			Name: "demo", ReceiptsTable: "receipts", PayoutsTable: "payouts",
			EventsQueueURL: stack + "/1/events", DeadLetterQueueURL: stack + "/1/dead-letters",
		},
		Local: true,
		AWS: aws.Config{
			Region: "us-east-1", BaseEndpoint: &stack, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		},
	}, payoutctl.RunLine)
}

// writes are the operations that change a stack.
func (f *tables) writes() []string {
	var sent []string
	for _, request := range f.taken() {
		switch request.operation {
		case "PutItem", "UpdateItem", "TransactWriteItems", "SendMessage", "DeleteMessage", "TagQueue", "Invoke":
			sent = append(sent, request.operation)
		}
	}
	return sent
}

var tag = regexp.MustCompile("<[^>]*>")

// want checks that a page has the texts, as its source or as a person reads them.
func want(t *testing.T, page string, texts ...string) {
	t.Helper()
	page = html.UnescapeString(page) + html.UnescapeString(tag.ReplaceAllString(page, ""))
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("no %q in:\n%s", text, page)
		}
	}
}

func wantNot(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(page), text) {
			t.Errorf("%q in:\n%s", text, page)
		}
	}
}

// holdCallbacks stores held callbacks with a reason, and returns their ids.
func holdCallbacks(t *testing.T, fake *tables, reason string, subjects ...string) []string {
	t.Helper()
	var ids []string
	for _, subject := range subjects {
		held := inbox.NewHeldReceipt(inbox.HeldCallback{
			Provider: "cregis", Type: payout.TypePayout, Account: "1", Subject: []byte(subject), Reason: reason, Note: "note of " + subject + "\nsigned text: secret",
		}, []byte(subject), "k", longAgo())
		create(t, fake, held)
		ids = append(ids, held.Key.Payout)
	}
	return ids
}

func TestConsole_Held(t *testing.T) {
	fake := newTables(t)
	understood := fill(t, fake)
	ids := holdCallbacks(t, fake, "field", "a", "b", "<script>\u202e")
	c := openLocal(t, fake.URL)
	page := c.get("/held", http.StatusOK)
	want(t, page,
		`<a href="/held?provider=cregis&reason=field">cregis<span class="unseen"> field</span></a></th><td>field</td><td class="number">3</td>`,
		`<a href="/held?provider=pivot&reason=unknown-status">pivot<span class="unseen"> unknown-status</span></a></th><td>unknown-status</td><td class="number">1</td>`,
		"Release all: 4 callbacks …", "callback: note of a", `note of <script>\u202e`)
	wantNot(t, page, "secret")
	if strings.Contains(page, "note of <script>") {
		t.Error("the page contains a script")
	}
	for _, query := range []string{"page=-1", "page=x", "page=999", "reason=none"} {
		c.get("/held?"+query, http.StatusOK)
	}
	page = c.get("/held?provider=pivot&reason=unknown-status", http.StatusOK)
	want(t, page, understood, "Release all: 1 callback …", `name="held-reason" value="unknown-status"`)
	wantNot(t, page, ids[0])

	fake.taken()
	want(t, c.act("release-all", url.Values{}), "This is the plan; nothing is changed yet. 1 would-release, 3 still-held.")
	form := url.Values{"provider": {"pivot"}, "held-reason": {"unknown-status"}}
	page = c.act("release-all", form)
	want(t, page, "would-release  ", "This is the plan; nothing is changed yet.", `name="held-reason" value="unknown-status"`)
	if sent := fake.writes(); len(sent) > 0 {
		t.Errorf("the plan sent %v", sent)
	}
	form.Set("confirmed", "yes")
	want(t, c.act("release-all", form), "--reason is missing", "(exit code 2)")
	if sent := fake.writes(); len(sent) > 0 {
		t.Errorf("without a reason it sent %v", sent)
	}
	form.Set("reason", "v2 knows it")
	want(t, c.act("release-all", form), "released       "+understood, "done (exit code 0)")
	if sent := fake.writes(); len(sent) == 0 {
		t.Error("nothing was released")
	}
	want(t, c.act("dismiss", url.Values{"held": ids[:2], "confirmed": {"yes"}, "reason": {"probes"}}), "dismissed      "+ids[0], "dismissed      "+ids[1])
}

// Receipts that wait are listed by source, and payouts whose query is due by account.
func TestConsole_WaitingAndDue(t *testing.T) {
	fake := newTables(t)
	fill(t, fake)
	for id, at := range map[payout.ID]time.Time{"cregis/payout/1/7": longAgo(), "cregis/payout/1/8": time.Now().Add(time.Hour)} {
		scheduled := applied(payout.Event{ID: id, Status: payout.Pending}, payout.Record{})
		scheduled.Schedule = inbox.Schedule{At: at, Tries: 2, Result: "unavailable"}
		apply(t, fake, scheduled)
	}
	c := openLocal(t, fake.URL)
	page := c.get("/waiting", http.StatusOK)
	want(t, page, `<a href="/waiting?provider=cregis&source=callback">cregis<span class="unseen"> callback</span></a></th><td>callback</td><td class="number">1</td>`,
		`<a href="/payouts/cregis/payout/1/1">cregis/payout/1/1</a>`, "not applied for ")
	wantNot(t, page, "checkbox", "held/")
	page = c.get("/due", http.StatusOK)
	want(t, page, `<a href="/due?account=cregis%2F1&last+query=unavailable">cregis/1<span class="unseen"> unavailable</span></a></th><td>unavailable</td><td class="number">1</td>`,
		`<a href="/payouts/cregis/payout/1/7">`, "pending, asked 2 times", `formaction="/actions/reconcile"`)
	wantNot(t, page, "cregis/payout/1/8")
}

// A note about a value shows an address on a deployed stack only if it is asked for.
func TestConsole_HeldNotesOfADeployedStack(t *testing.T) {
	fake := newTables(t)
	held := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: "1", Subject: []byte("a"), Reason: "field", Note: `address: "` + recipient + `\u0000"`,
	}, []byte("a"), "k", longAgo())
	create(t, fake, held)
	for isShown, options := range map[bool]console.Options{false: {}, true: {ShowBodies: true}} {
		c := openTables(t, fake, false, options)
		for _, path := range []string{"/held", "/payouts/" + held.Key.Payout} {
			page := c.get(path, http.StatusOK)
			want(t, page, "address: ")
			if strings.Contains(page, recipient) != isShown {
				t.Errorf("%s with %+v: the address is shown: %t\n%s", path, options, !isShown, page)
			}
		}
	}
}

func TestConsole_Conflicts(t *testing.T) {
	fake := newTables(t)
	fake.applies = true
	fillConflicts(t, fake)
	c := openLocal(t, fake.URL)
	page := c.get("/conflicts", http.StatusOK)
	want(t, page, `<a href="/conflicts?fields=amount">amount</a></th><td class="number">4</td>`, `<a href="/conflicts?fields=amount+status">amount status</a></th><td class="number">1</td>`,
		"amount: 1.1; amount: 1.2", `<a href="/payouts/cregis/payout/1/5">cregis/payout/1/5</a>`)
	wantNot(t, page, "Trust what")
	page = c.get("/conflicts?fields=amount+status", http.StatusOK)
	want(t, page, "Trust what a query stated, in 1 payout …", `name="cause" value="amount"`, `name="cause" value="status"`)
	wantNot(t, page, "cregis/payout/1/1")

	// A plan that leaves payouts out can be carried out for the rest.
	fake.taken()
	form := url.Values{"cause": {"amount"}, "trust": {"query"}}
	want(t, c.act("resolve-all", form), "2 payouts skipped", "ended with findings", "Carry out the plan")
	if sent := fake.writes(); len(sent) > 0 {
		t.Errorf("the plan sent %v", sent)
	}
	form.Set("confirmed", "yes")
	form.Set("reason", "case 1")
	want(t, c.act("resolve-all", form), "resolved       cregis/payout/1/1", "resolved       cregis/payout/1/2")
}

func TestConsole_Overdue(t *testing.T) {
	fake := newTables(t)
	for id, reason := range map[payout.ID]string{"cregis/payout/1/1": "open", "cregis/payout/1/2": "open", "cregis/payout/1/3": "not-found"} {
		change := applied(payout.Event{ID: id, Source: payout.SourceExpectation, Status: payout.Expected, Reference: "order", Deadline: 1}, payout.Record{})
		apply(t, fake, change)
		apply(t, fake, applied(payout.Event{ID: id, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: reason}, change.Record))
	}
	page := openLocal(t, fake.URL).get("/overdue", http.StatusOK)
	want(t, page, `<a href="/overdue?reason=open">open</a></th><td class="number">2</td>`, `<a href="/overdue?reason=not-found">not-found</a></th><td class="number">1</td>`,
		"Ask the providers about all overdue payouts", "1970-01-01 00:00:00", "order")
}

func TestConsole_DeadLetters(t *testing.T) {
	fake := newTables(t)
	fake.deadLetter = received(t)
	c := openLocal(t, fake.URL)
	page := c.get("/dead-letters", http.StatusOK)
	want(t, page, `<a href="/dead-letters?cause=absent&provider=cregis">absent<span class="unseen"> cregis</span></a></th><td>cregis</td><td class="number">1</td>`, "Redrive all: 1 message …", "cregis/payout/1/1 received 11 times",
		`name="message-id" value="m1"`)
	want(t, c.act("dlq-show", url.Values{"message": {"m1"}}), "cause         absent", "verified by key k")
	fake.taken()
	form := url.Values{"message-id": {"m1"}}
	want(t, c.act("redrive", form), "1 message of 1 would be sent", "Carry out the plan")
	if sent := fake.writes(); len(sent) > 0 {
		t.Errorf("the plan sent %v", sent)
	}
	form.Set("confirmed", "yes")
	form.Set("reason", "the table is back")
	want(t, c.act("redrive", form), "1 message of 1 sent")
}

// A stack that does not answer, and credentials that have expired, are errors with what
// to do; the page works again afterwards.
func TestConsole_FailingStack(t *testing.T) {
	failing, code := true, ""
	fake := newTables(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case failing && code == "":
			panic(http.ErrAbortHandler)
		case failing:
			w.WriteHeader(http.StatusBadRequest)
			writeError(w, code, true)
		default:
			fake.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	c := openLocal(t, server.URL)
	for _, path := range []string{"/held", "/conflicts", "/overdue", "/dead-letters", "/callbacks/p/r"} {
		failing, code = true, "ExpiredTokenException"
		want(t, c.get(path, http.StatusBadGateway), "<h1>The stack does not answer</h1>", "ExpiredTokenException</p><p>your AWS session has ended: sign in again")
		failing = false
		if c.status(http.MethodGet, path, "") == http.StatusBadGateway {
			t.Errorf("%s fails although the stack answers", path)
		}
	}
	for _, session := range []error{&ssocreds.InvalidTokenError{}, &smithy.GenericAPIError{Code: "UnauthorizedException"}} {
		err := &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "Query", Err: session}
		if exit := cli.AsExitError(err); !strings.Contains(exit.Hint, "sign in again") {
			t.Errorf("%v: the hint is %q", err, exit.Hint)
		}
	}
	failing, code = true, ""
	want(t, c.get("/held", http.StatusBadGateway), "no answer from DynamoDB")
}

// An audit prints its progress while it runs, and its findings are links; the page keeps
// the result.
func TestConsole_Audit(t *testing.T) {
	fake := newTables(t)
	fill(t, fake)
	c := openLocal(t, fake.URL)
	want(t, c.get("/audit", http.StatusOK), "has not run it yet")
	page := c.act("audit", nil)
	want(t, page, `<span class="bad">payout-altered</span>  <a href="/payouts/cregis/payout/1/2">cregis/payout/1/2</a>`, "ended with findings", "(exit code 1)")
	want(t, c.get("/audit", http.StatusOK), "Last result: <a href=\"/jobs/1\">command 1</a>", "payout-altered")
	want(t, c.get("/jobs", http.StatusOK), `<a href="/jobs/1">Command 1</a>`, "payoutctl --local audit")
}

// The output of a command is announced to open pages and shown while it runs, and the
// command can be cancelled.
func TestConsole_Progress(t *testing.T) {
	printed := make(chan struct{})
	c := newConsole(t, cli.Stack{Local: true}, func(ctx context.Context, s *cli.Session, _ []string) int {
		progress := s.StartProgress()
		start := s.Now()
		s.Now = func() time.Time { return start.Add(11 * time.Second) }
		progress("%d receipts", 7)
		close(printed)
		<-ctx.Done()
		return 3
	})
	changed := c.awaitChange()
	job := c.redirect("/actions/audit", nil)
	<-printed
	if !<-changed {
		t.Error("the output was not announced")
	}
	want(t, c.get(job, http.StatusOK), "running since", "… 7 receipts", `data-events="/events"`)
	want(t, c.get("/audit", http.StatusOK), "running since", "… 7 receipts", `data-events="/events"`)
	c.send(http.MethodPost, job+"/cancel", "")
	want(t, c.ended(job), "(exit code 3)")
}

// The page of a stored callback has the form of explain, filled with its body.
func TestConsole_Explain(t *testing.T) {
	fake := newTables(t)
	held := fill(t, fake)
	c := openLocal(t, fake.URL)
	want(t, c.get("/explain", http.StatusOK), "The form may have 1048576 bytes; a callback has at most 65536", `action="/actions/explain"`)
	path := "/callbacks/" + url.PathEscape(held) + "/held"
	page := c.get(path, http.StatusOK)
	want(t, page, `spellcheck="false">{"event":"PAYOUT.SUCCESS"`, `<option selected>pivot</option>`, `action="/actions/explain"`)
	want(t, c.get("/payouts/"+held, http.StatusOK), `action="/actions/explain-held"`)
	want(t, c.act("explain-held", url.Values{"held": {held}}), "explain "+held)
	c.get("/callbacks/cregis%2Fpayout%2F1%2F9/succeeded%2Fx", http.StatusNotFound)
	masked := openTables(t, fake, false, console.Options{}).get(path, http.StatusBadRequest)
	want(t, masked, "the body is masked")
	wantNot(t, masked, "PAYOUT.SUCCESS")
	var stored string
	for _, path := range []string{"/payouts/" + held, "/payouts/" + conflictedID} {
		link := regexp.MustCompile(`<a href="([^"]*)">Export or explain`).FindStringSubmatch(c.get(path, http.StatusOK))
		if link == nil {
			t.Errorf("%s: no link to explain", path)
			continue
		}
		stored = html.UnescapeString(link[1])
		want(t, c.get(stored, http.StatusOK), "its headers, which are not stored.")
	}
	fake.edit("receipts", "amount", `{"S":"2"}`)
	want(t, c.get(stored, http.StatusBadRequest), "the receipt cannot be read</p><p>Audit shows how to repair it.")
}

// A list has pages, and its groups count all that was read.
func TestConsole_HeldPages(t *testing.T) {
	fake := newTables(t)
	var subjects []string
	for n := range 1001 {
		subjects = append(subjects, strconv.Itoa(n))
	}
	holdCallbacks(t, fake, "field", subjects...)
	c := openLocal(t, fake.URL)
	boxes := regexp.MustCompile(`name="held" value="([^"]*)"`)
	first, last := c.get("/held?reason=field", http.StatusOK), c.get("/held?reason=field&page=20", http.StatusOK)
	want(t, first, "These are the first 1000; there are more.", `<td class="number">1000</td>`, `href="/held?page=2&reason=field" rel="next"`)
	want(t, last, `href="/held?page=19&reason=field" rel="prev"`)
	wantNot(t, first, `rel="prev"`)
	wantNot(t, last, `rel="next"`)
	onFirst, onLast := boxes.FindAllString(first, -1), boxes.FindAllString(last, -1)
	if len(onFirst) != 50 || len(onLast) != 50 || slices.Contains(onFirst, onLast[0]) {
		t.Errorf("%d callbacks on the first page, %d on the last; the first of the last: %s", len(onFirst), len(onLast), onLast)
	}
}
