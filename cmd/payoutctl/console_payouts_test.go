package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/console"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
)

// openTables returns the console of a stack with the tables, local or deployed.
func openTables(t *testing.T, fake *tables, isLocal bool, options console.Options) *consoleOf {
	t.Helper()
	stack := cli.Stack{
		Stack: localstack.Stack{
			Name: "demo", ReceiptsTable: "receipts", PayoutsTable: "payouts",
			EndpointURL: fake.URL, Outputs: map[string]string{"CregisFunctionName": "cregis", "PublisherFunctionName": "publisher"},
			EventsQueueURL: fake.URL + "/1/events", DeadLetterQueueURL: fake.URL + "/1/dead-letters",
		},
		Local: isLocal,
		AWS:   aws.Config{Region: "eu-west-1", HTTPClient: http.DefaultClient, BaseEndpoint: &fake.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")},
	}
	c := newConsole(t, stack, nil)
	if options.ShowBodies {
		s := &cli.Session{Env: func(string) string { return "" }, Now: time.Now, Opened: &stack}
		s.Flags.Stack = stack.Name
		served := console.New(t.Context(), s, stack, console.Options{Port: 4567, Token: consoleToken, ShowBodies: true})
		c.handler = served
	}
	return c
}

// redirect sends a form and returns the path that it leads to.
func (c *consoleOf) redirect(path string, form url.Values) string {
	c.t.Helper()
	response := c.send(http.MethodPost, path, form.Encode())
	c.text(response, path, http.StatusSeeOther)
	return response.Header().Get("Location")
}

func wantTexts(t *testing.T, page string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func wantNoTexts(t *testing.T, page string, unwanted ...string) {
	t.Helper()
	for _, text := range unwanted {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q:\n%s", text, page)
		}
	}
}

const recipient = "TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS"

// conflictedPayout stores a payout that two callbacks of Cregis conflict in.
func conflictedPayout(t *testing.T, fake *tables) {
	t.Helper()
	record := payout.Record{}
	for n, status := range []payout.Status{payout.Succeeded, payout.Failed} {
		body := fmt.Sprintf(`{"pid":1,"cid":1,"status":%d,"memo":"<script>alert(1)</script>","address":%q,"sign":"x"}`, n, recipient)
		event := payout.Event{ID: conflictedID, Status: status, Amount: "1.10", Currency: "TRX", To: recipient, Reason: "<b>\u202emade up</b> account 1234567890"}
		receipt := inbox.NewReceipt(event, []byte(body), "da0184", longAgo().Add(time.Duration(n)*time.Second))
		record, receipt.Outcome = record.Apply(event)
		receipt.State, receipt.AppliedAt = inbox.Applied, receipt.AcceptedAt.Add(3*time.Second)
		apply(t, fake, inbox.Change{Receipt: receipt, Create: true, Record: record})
	}
}

func TestConsole_Payout(t *testing.T) {
	fake := newTables(t)
	conflictedPayout(t, fake)
	page := openTables(t, fake, true, console.Options{}).get("/payouts/"+conflictedID, 200)
	wantTexts(t, page,
		"created as succeeded", "succeeded → conflicted; conflict in status", "da0184", "3 s", recipient,
		`<td>failed</td><td><a href="#receipt-2">#2</a></td>`, `action="/actions/resolve"`, `name="trust" value="failed/`,
		"payoutctl --local resolve --trust=succeeded/", " --reason=TEXT "+conflictedID+"</code>", "payoutctl --local show "+conflictedID,
		"<b>memo</b>&lt;script&gt;alert(1)&lt;/script&gt;</span>", `<b>pid</b>1</span>`, `&lt;b&gt;\u202emade up&lt;/b&gt;`)
	wantNoTexts(t, page, "<script>alert", "\u202e", "<b>sign</b>")
}

func TestConsole_PayoutOfADeployedStack(t *testing.T) {
	fake := newTables(t)
	conflictedPayout(t, fake)
	masked := openTables(t, fake, false, console.Options{}).get("/payouts/"+conflictedID, 200)
	wantTexts(t, masked, "Deployed stack, read-only", "TXsmKp…n1FS", "bytes, masked", "payoutctl --stack demo resolve --trust=succeeded/", " --reason=TEXT "+conflictedID+"</code>")
	wantNoTexts(t, masked, recipient, "1234567890", "<b>memo</b>", "alert(1)", `action="/actions/`)
	shown := openTables(t, fake, false, console.Options{ShowBodies: true}).get("/payouts/"+conflictedID, 200)
	wantTexts(t, shown, recipient, "1234567890", "<b>memo</b>", "alert(1)")
	wantNoTexts(t, shown, `action="/actions/`)
}

// What cannot be read is shown as damaged.
func TestConsole_DamagedPayout(t *testing.T) {
	for attribute, value := range map[string]string{"version": `{"S":"x"}`, "settled": `{"M":{"failed":{"L":[{"N":"3"},{"S":"x"}]}}}`, "v": `{"N":"1000"}`} {
		fake := newTables(t)
		conflictedPayout(t, fake)
		fake.edit("payouts", attribute, value)
		fake.edit("receipts", "amount", `{"S":"2"}`)
		c := openTables(t, fake, true, console.Options{})
		for _, query := range []string{"", "?status=failed&expected=yes"} { // it may have any status
			wantTexts(t, c.get("/payouts"+query, 200), `<span class="status bad">damaged</span>`, `href="/payouts/`+conflictedID+`"`)
		}
		if attribute == "v" {
			wantTexts(t, c.get("/payouts/"+conflictedID, 200), "later version")
		} else {
			wantTexts(t, c.get("/payouts/"+conflictedID, 200), "damaged: ", "rebuild --reason=TEXT "+conflictedID, "damaged: it cannot be read")
		}
	}
}

func TestConsole_HeldCallback(t *testing.T) {
	fake := newTables(t)
	id := fill(t, fake)
	wantTexts(t, openTables(t, fake, true, console.Options{}).get("/payouts/"+id, 200), "unknown-status", "payoutctl --local release --reason=TEXT "+id, "PAYOUT.SUCCESS")
	masked := openTables(t, fake, false, console.Options{}).get("/payouts/"+id, 200)
	wantTexts(t, masked, "payoutctl --stack demo release --reason=TEXT "+id, `action="/actions/explain-held"`)
	wantNoTexts(t, masked, "PAYOUT.SUCCESS", `action="/actions/release"`, `action="/actions/dismiss"`)
}

func TestConsole_UnknownPayout(t *testing.T) {
	c := openTables(t, newTables(t), true, console.Options{})
	for _, path := range []string{"/payouts/cregis/payout/1/404", "/payouts/held/cregis/payout/1/x", "/payouts/a%2F%2Fb", "/payouts/"} {
		wantTexts(t, c.get(path, http.StatusNotFound), `<a href="/">`)
	}
}

func TestConsole_Search(t *testing.T) {
	fake := newTables(t)
	held := fill(t, fake)
	unlinked := payout.NewID("pivot", payout.TypeBatch, "m", "", "order-9")
	apply(t, fake, applied(payout.Event{ID: unlinked, Status: payout.Expected, Source: payout.SourceExpectation, Reference: "order-9"}, payout.Record{}))
	for _, id := range []payout.ID{"cregis/payout/1/8", "cregis/payout/1/9"} {
		apply(t, fake, applied(payout.Event{ID: id, Status: payout.Pending, Reference: "twice"}, payout.Record{}))
	}
	c := openTables(t, fake, true, console.Options{})
	for text, want := range map[string]string{
		conflictedID:            "/payouts/" + conflictedID,
		"order-1":               "/payouts/" + conflictedID,
		"order-9":               "/payouts/" + url.PathEscape(string(unlinked)),
		held:                    "/payouts/" + held,
		"twice":                 "/payouts?reference=twice",
		"nothing?&<script>":     "/payouts?reference=nothing%3F%26%3Cscript%3E",
		"":                      "/payouts?provider=cregis&status=failed",
		"https://evil.example/": "/payouts?reference=https%3A%2F%2Fevil.example%2F",
	} {
		form := url.Values{"text": {" " + text + "\n"}, "account": {""}}
		if text == "" {
			form.Set("status", "failed")
			form.Set("provider", "cregis")
		}
		location := c.redirect("/search", form)
		if location != want {
			t.Errorf("%q leads to %s, want %s", text, location, want)
		}
		page := c.get(location, 200)
		if text == "twice" {
			wantTexts(t, page, "cregis/payout/1/8", "cregis/payout/1/9")
		}
	}
}

// listed returns the ids in a list, and the path of the next page.
func listed(page string) (ids []string, next string) {
	for _, match := range regexp.MustCompile(`<th scope="row" class="id"><a href="[^"]*">([^<]*)`).FindAllStringSubmatch(page, -1) {
		ids = append(ids, match[1])
	}
	if match := regexp.MustCompile(`<a href="([^"]*)" rel="next">`).FindStringSubmatch(page); match != nil {
		next = strings.ReplaceAll(match[1], "&amp;", "&")
	}
	return ids, next
}

// fillMany stores payouts, the latest update first and three in each millisecond, which conflict if
// isConflicted is set.
func fillMany(t *testing.T, fake *tables, n int, isConflicted bool) []string {
	t.Helper()
	var ids []string
	for i := range n {
		id := fmt.Sprintf("cregis/payout/1/%d", 5000-i/3*3+i%3)
		item := storedItem{}
		for name, value := range map[string]string{
			"payout": fmt.Sprintf(`{"S":%q}`, id), "version": `{"N":"1"}`, "progress": `{"S":"pending"}`,
			"updatedAt": fmt.Sprintf(`{"N":"%d"}`, longAgo().UnixMilli()/1000*1000-int64(i/3)),
		} {
			item[name] = json.RawMessage(value)
		}
		if isConflicted {
			item["conflicted"] = json.RawMessage(`{"S":"conflicted"}`)
			item["claims"] = json.RawMessage(`{"M":{"status":{"L":[{"S":"failed"},{"S":"succeeded"}]}}}`)
		}
		fake.items["payouts"][item.key()] = item
		ids = append(ids, id)
	}
	return ids
}

// The pages of a list have each payout once, in the order of the last update.
func TestConsole_PagesOfPayouts(t *testing.T) {
	for name, test := range map[string]struct {
		path         string
		isConflicted bool
	}{
		"from the table":         {"/payouts", false},
		"filtered":               {"/payouts?status=pending&age=10m", false},
		"from an index":          {"/payouts?status=conflicted", true},
		"from an index by a day": {"/payouts?status=conflicted&provider=cregis", true},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newTables(t)
			want := fillMany(t, fake, 125, test.isConflicted)
			c := openTables(t, fake, true, console.Options{})
			var got []string
			pages := 0
			for next := test.path; next != ""; pages++ {
				fake.taken()
				var ids []string
				ids, next = listed(c.get(next, 200))
				got = append(got, ids...)
				read := map[string]bool{}
				for _, request := range fake.taken() {
					read[request.Key.key()] = true // a request that is retried reads the same
				}
				if test.isConflicted && len(read) > len(ids)+2 {
					t.Errorf("page %d reads %d items for %d payouts", pages+1, len(read), len(ids))
				}
			}
			if !slices.Equal(got, want) || pages != 3 {
				t.Errorf("%d payouts on %d pages, want %d on 3: %v", len(got), pages, len(want), got)
			}
		})
	}
}

// A page of payouts from an index reads a limited number, of which the filter selects none here.
func TestConsole_LimitOfAnIndex(t *testing.T) {
	fake := newTables(t)
	fillMany(t, fake, 1003, true)
	c := openTables(t, fake, true, console.Options{})
	ids, next := listed(c.get("/payouts?status=conflicted&provider=pivot", 200))
	if len(ids) > 0 || next == "" {
		t.Errorf("the page lists %v and leads to %q", ids, next)
	}
	if _, end := listed(c.get(next, 200)); end != "" {
		t.Errorf("the second page leads to %q", end)
	}
}

func TestConsole_FiltersPayouts(t *testing.T) {
	fake := newTables(t)
	confirmed, expected, failed := "cregis/payout/1/1", "pivot/payout/m/2", "pivot/payout/n/3"
	record := applied(payout.Event{ID: payout.ID(confirmed), Source: payout.SourceQuery, Status: payout.Succeeded}, payout.Record{})
	apply(t, fake, record)
	apply(t, fake, applied(payout.Event{ID: payout.ID(expected), Source: payout.SourceExpectation, Status: payout.Expected}, payout.Record{}))
	apply(t, fake, applied(payout.Event{ID: payout.ID(failed), Status: payout.Failed}, payout.Record{}))
	c := openTables(t, fake, true, console.Options{})
	for query, want := range map[string][]string{
		"":                             {confirmed, expected, failed},
		"?provider=pivot":              {expected, failed},
		"?account=m":                   {expected},
		"?status=failed":               {failed},
		"?confirmed=yes":               {confirmed},
		"?confirmed=no":                {failed},
		"?confirmed=no&provider=pivot": {failed},
		"?expected=yes":                {expected},
		"?expected=no":                 {confirmed, failed},
		"?age=1h":                      nil,
		"?overdue=yes":                 nil,
	} {
		if got, _ := listed(c.get("/payouts"+query, 200)); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"status=paid", "provider=stripe", "age=old", "confirmed=maybe", "before=now"} {
		c.get("/payouts?"+query, http.StatusBadRequest)
	}
}

// A console of a deployed stack lists from indexes. It scans when a person asks for it.
func TestConsole_PayoutsOfADeployedStack(t *testing.T) {
	fake := newTables(t)
	held := fill(t, fake)
	c := openTables(t, fake, false, console.Options{})
	fake.taken()
	for _, path := range []string{"/", "/payouts", "/payouts?status=pending&provider=pivot", "/payouts?status=conflicted", "/payouts?overdue=yes", "/payouts?reference=order-1", "/payouts/" + conflictedID, "/payouts/" + held} {
		c.get(path, 200)
	}
	c.redirect("/search", url.Values{"text": {"order-1"}})
	for _, request := range fake.taken() {
		if !slices.Contains([]string{"GetItem", "Query", "DescribeTable", "GetQueueAttributes", "GetMetricData"}, request.operation) {
			t.Errorf("%s without a request for it", request.operation)
		}
	}
	wantTexts(t, c.get("/payouts?status=succeeded", 200), "1000000 payouts", "1024000000 bytes", "about 2501 read request units", "$0.0003", `action="/scan"`)

	location := c.redirect("/scan", url.Values{"status": {"succeeded"}})
	if location != "/payouts?status=succeeded" {
		t.Errorf("the scan leads to %s", location)
	}
	ids, _ := listed(c.get(location, 200))
	if requests := fake.taken(); !slices.Equal(ids, []string{alteredID}) || requests[1].operation != "Scan" {
		t.Errorf("payouts %v after %v", ids, requests)
	}
}

// Without the size of the table, the page has its forms, and says that the cost of a scan is not known.
func TestConsole_PayoutsWithoutTheSizeOfTheTable(t *testing.T) {
	fake := newTables(t)
	fake.itemCount = "not a number"
	wantTexts(t, openTables(t, fake, false, console.Options{}).get("/payouts", 200),
		`id="text"`, `id="filter"`, `action="/scan"`, "A scan reads up to 10000 in no order", "is not known: ", "DescribeTable")
}

// Only a receipt that adds a conflict is red: not another statement about a payout in conflict.
func TestConsole_StatementAfterAConflict(t *testing.T) {
	fake := newTables(t)
	conflictedPayout(t, fake)
	record := payout.Record{}
	for _, status := range []payout.Status{payout.Succeeded, payout.Failed} {
		record, _ = record.Apply(payout.Event{ID: conflictedID, Status: status, Amount: "1.10", Currency: "TRX", To: recipient})
	}
	event := payout.Event{ID: conflictedID, Status: payout.Succeeded, Amount: "1.10", Currency: "TRX", To: recipient, Source: payout.SourceQuery}
	receipt := inbox.NewReceipt(event, []byte(`{}`), "", longAgo().Add(time.Minute))
	record, receipt.Outcome = record.Apply(event)
	receipt.State, receipt.AppliedAt = inbox.Applied, receipt.AcceptedAt
	apply(t, fake, inbox.Change{Receipt: receipt, Create: true, Record: record})
	page := openTables(t, fake, true, console.Options{}).get("/payouts/"+conflictedID, 200)
	checkOrder(t, page, `<td class="bad"><span>succeeded → conflicted; conflict in status`, `#3</a>`, `<td><span>`)
}
