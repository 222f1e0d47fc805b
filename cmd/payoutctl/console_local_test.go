package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/console"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/faultproxy"
	"payout-callbacks/pkg/testkit/providersim"
	"payout-callbacks/pkg/testkit/providertest"
)

// localWorld is a local stack: the real simulators and fault proxy, and an AWS with tables, logs, and parts that run.
type localWorld struct {
	*consoleOf

	tables *tables
	cregis *providersim.Cregis
	stack  cli.Stack

	mu   sync.Mutex
	at   time.Time
	logs map[string][]string // lines by function
}

func newLocalWorld(t *testing.T, isLocal bool, options console.Options) *localWorld {
	t.Helper()
	w := &localWorld{
		consoleOf: &consoleOf{t: t}, tables: newTables(t), at: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), logs: map[string][]string{},
	}
	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	fake := serve(w)
	simulator := providersim.Options{Now: w.now, CallbackURLs: map[string]string{"payout": serve(http.NotFoundHandler())}}
	w.cregis = providersim.NewCregis(simulator, map[string]string{demoProject: cregisKey})
	pivot := providersim.NewPivot(simulator, providersim.Merchant{ID: demoMerchant, Secret: "s", CallbackKey: pivotKey})
	proxy, err := faultproxy.New(fake)
	if err != nil {
		t.Fatal(err)
	}
	w.stack = cli.Stack{
		Local: isLocal,
		AWS: aws.Config{
			Region: "us-east-1", BaseEndpoint: &fake, HTTPClient: http.DefaultClient,
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		},
		Stack: localstack.Stack{
			Name: "demo", EndpointURL: fake, APIURL: "http://127.0.0.1:1/api", PID: 1, ReceiptsTable: "receipts", PayoutsTable: "payouts",
			Outputs: map[string]string{
				"CregisFunctionName": "cregis", "PivotFunctionName": "pivot", "ConsumerFunctionName": "consumer", "ConsumerMappingId": "m1",
				"PublisherMappingId": "m2", "SweeperScheduleName": "s1", "ReconcilerScheduleName": "s2",
			},
			Providers: map[string]localstack.Provider{
				"cregis": {BaseURL: serve(w.cregis), Account: demoProject}, "pivot": {BaseURL: serve(pivot), Account: demoMerchant},
			},
			Faults: localstack.Faults{URL: serve(proxy)},
		},
	}
	s := &cli.Session{Env: func(string) string { return "" }, Now: w.now, Opened: &w.stack}
	if s.Flags.Local = isLocal; !isLocal {
		s.Flags.Stack = "demo"
	}
	options.Port, options.Token = 4567, consoleToken
	w.handler = console.New(t.Context(), s, w.stack, options)
	return w
}

func (w *localWorld) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

// log adds a line to the log of a function, a second after the last.
func (w *localWorld) log(function, line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(time.Second)
	stamp := w.at.Format("2006-01-02T15:04:05.000Z")
	w.logs[function] = append(w.logs[function], strings.Replace(line, "{", `{"timestamp":"`+stamp+`",`, 1))
}

// ServeHTTP is AWS.
func (w *localWorld) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".FilterLogEvents"):
		w.serveLogs(rw, r)
	case strings.Contains(path, "/event-source-mappings/"):
		state := map[bool]string{true: "Enabled", false: "Disabled"}[strings.HasSuffix(path, "m1")]
		_, _ = fmt.Fprintf(rw, `{"State":%q,"EventSourceMappingArn":"arn:m"}`, state)
	case strings.Contains(path, "/tags/"):
		_, _ = fmt.Fprint(rw, `{"Tags":{"last-change":"paused for a test"}}`)
	case strings.Contains(path, "/schedules/"):
		_, _ = fmt.Fprint(rw, `{"State":"ENABLED"}`)
	default:
		w.tables.ServeHTTP(rw, r)
	}
}

func (w *localWorld) serveLogs(rw http.ResponseWriter, r *http.Request) {
	var query struct {
		LogGroupName, FilterPattern string
		StartTime                   int64
		Limit                       int
	}
	_ = json.NewDecoder(r.Body).Decode(&query)
	w.mu.Lock()
	defer w.mu.Unlock()
	lines, ok := w.logs[strings.TrimPrefix(query.LogGroupName, "/aws/lambda/"+w.stack.Name+"/")]
	if !ok || !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/logs/aws4_request") {
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(rw, `{"__type":"ResourceNotFoundException"}`)
		return
	}
	type event struct {
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
	}
	events := []event{}
	for _, line := range lines {
		var stamped struct{ Timestamp time.Time }
		_ = json.Unmarshal([]byte(line), &stamped)
		if at := stamped.Timestamp.UnixMilli(); at >= query.StartTime && len(events) < query.Limit && strings.Contains(line, query.FilterPattern) {
			events = append(events, event{at, line})
		}
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{"events": events})
}

// post sends a form that redirects to a page, or is refused.
func (w *localWorld) post(path, form string, code int) {
	w.t.Helper()
	w.text(w.send(http.MethodPost, path, parseForm(form).Encode()), path+" "+form, code)
}

// checkOrder checks that a page has texts, in this order.
func checkOrder(t *testing.T, page string, texts ...string) {
	t.Helper()
	rest := page
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Errorf("the page lacks %q at its place:\n%s", text, page)
			return
		}
		rest = after
	}
}

const loggedPayout = `"payout":"cregis/payout/1/2","receipt":"succeeded/abc"`

func TestConsole_Callbacks(t *testing.T) {
	w := newLocalWorld(t, true, console.Options{})
	w.log("cregis", `{"message":"callback","provider":"cregis","outcome":"new",`+loggedPayout+`}`)
	wantTexts(t, w.get("/callbacks?verdict=refused", http.StatusOK), "None of the last callbacks is refused.")
	w.log("consumer", `{"message":"delivery","provider":"cregis","outcome":"failed","err":"no table",`+loggedPayout+`}`)
	w.log("consumer", `{"message":"delivery","provider":"cregis","outcome":"changed",`+loggedPayout+`}`)
	w.log("consumer", `{"message":"batch","note":"a delivery"}`)
	w.log("cregis", `{"message":"start","of":"callback"}`)
	w.log("cregis", `{"message":"callback","provider":"cregis","outcome":"duplicate",`+loggedPayout+`}`)
	w.log("cregis", `{"message":"callback","provider":"cregis","outcome":"held","reason":"unknown-status","payout":"held/cregis/payout/1/x","receipt":"held/y"}`)
	w.log("cregis", `{"message":"callback","provider":"cregis","outcome":"unauthentic","payout":"","receipt":"","claimed_account":"<script>"}`)
	w.log("cregis", `{"message":"callback","provider":"cregis","outcome":"queue-only","payout":"cregis/payout/1/3","receipt":"succeeded/def"}`)
	for range 2 { // what is read twice is shown once
		page := w.get("/callbacks", http.StatusOK)
		checkOrder(t, page, ">5 all<", ">2 accepted<", ">1 duplicate<", ">1 held<", ">1 refused<", "5 callbacks, newest first",
			"accepted", "queue-only", "200 success", "cregis/payout/1/3, not stored",
			"refused", "unauthentic", "401", "not stored",
			"held", "unknown-status", `href="/payouts/held/cregis/payout/1/x"`, `href="/callbacks/held%2Fcregis%2Fpayout%2F1%2Fx/held%2Fy"`,
			"duplicate", "accepted", "200 success", "2s")
		w.log("other", `{}`) // time passes
	}
	w.log("consumer", `{"message":"delivery","provider":"cregis","outcome":"changed","payout":"cregis/payout/1/3","receipt":"succeeded/def"}`)
	w.log("cregis", `{"message":"callback","provider":"cregis","outcome":"unavailable","payout":"cregis/payout/1/4","receipt":"succeeded/ghi"}`)
	checkOrder(t, w.get("/callbacks", http.StatusOK), "unavailable", "503", "cregis/payout/1/4, not stored", "queue-only", `href="/payouts/cregis/payout/1/3"`)
	checkOrder(t, w.get("/callbacks?verdict=held", http.StatusOK), "1 callback, newest first", "unknown-status")
	checkOrder(t, w.get("/callbacks?verdict=unavailable", http.StatusOK), "1 callback, newest first", "503")
	checkOrder(t, w.get("/callbacks?verdict=<b>", http.StatusOK), "6 callbacks, newest first")
	w.at = w.at.Add(-3 * time.Second)
	w.log("pivot", `{"message":"callback","provider":"pivot","outcome":"new","payout":"pivot/payout/m/1","receipt":"succeeded/x"}`)
	w.log("cregis", `{"message":"callback","provider":"cregis","outcome":"new","payout":"cregis/payout/1/5","receipt":"succeeded/late"}`)
	w.at = w.at.Add(3 * time.Second)
	checkOrder(t, w.get("/callbacks", http.StatusOK), ">8 all<", "cregis/payout/1/4", "cregis/payout/1/5", "pivot/payout/m/1")
}

// The memory for callbacks does not grow, and a stack that was started again begins with none.
func TestConsole_CallbacksBounded(t *testing.T) {
	w := newLocalWorld(t, true, console.Options{})
	for n := range 6000 {
		w.log("pivot", fmt.Sprintf(`{"message":"callback","provider":"pivot","outcome":"new","payout":"pivot/payout/m/%d","receipt":"succeeded/x"}`, n))
	}
	checkOrder(t, w.get("/callbacks", http.StatusOK), "5000 callbacks", "the newest 100 are shown", "pivot/payout/m/4999")
	w.log("other", `{}`)
	checkOrder(t, w.get("/callbacks", http.StatusOK), "5000 callbacks", "pivot/payout/m/5999")
	w.stack.PID, w.logs = 2, nil
	checkOrder(t, w.get("/callbacks", http.StatusOK), ">0 all<", "No callbacks yet")
}

// A new callback is announced to an open page.
func TestConsole_CallbacksLive(t *testing.T) {
	w := newLocalWorld(t, true, console.Options{})
	server := httptest.NewServer(w.handler)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "127.0.0.1:4567"
	request.AddCookie(&http.Cookie{Name: "payout-console-4567", Value: consoleToken})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	w.log("cregis", `{"message":"callback","provider":"cregis","outcome":"new",`+loggedPayout+`}`)
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if lines.Text() == "event: changed" {
			return
		}
	}
	t.Fatal("the stream ended without an announcement")
}

func TestConsole_Providers(t *testing.T) {
	w := newLocalWorld(t, true, console.Options{})
	w.post("/providers/order", "provider=cregis reference=R-1 amount=1.5 status=failed delay=10m copies=1 forged=yes", http.StatusSeeOther)
	w.post("/providers/order", "provider=pivot reference=R-2 amount=20000 status=pending", http.StatusSeeOther)
	cregis := w.cregis.Payouts()
	if len(cregis) != 1 || cregis[0].Plan.Status != providersim.Failed || !cregis[0].Plan.Forged || len(cregis[0].Callbacks) != 2 {
		t.Fatalf("ordered: %+v", cregis)
	}
	id := cregis[0].ID
	apply(t, w.tables, applied(payout.Event{ID: payout.ID("cregis/payout/" + demoProject + "/" + id), Status: payout.Pending}, payout.Record{}))
	checkOrder(t, w.get("/providers", http.StatusOK), "Cregis", "R-1", `href="/payouts/cregis/payout/`+demoProject+"/"+id+`"`,
		"status failed", "delay 10m0s", ">waiting<", ">waiting<", `name="amount" value="1.5"`, `name="currency" value="TRX"`, "Pivot", "R-2", "not known here yet", "status pending")

	w.post("/providers/push", "provider=cregis id="+id, http.StatusSeeOther)
	w.post("/providers/plan", "provider=cregis id="+id+" status=succeeded", http.StatusSeeOther)
	if got := w.cregis.Payouts()[0]; len(got.Callbacks) != 4 || got.Plan.Status != providersim.Succeeded {
		t.Errorf("after a push and a second end: %+v", got)
	}
	if sent, err := w.cregis.DeliverDue(t.Context()); sent != 2 || err != nil {
		t.Errorf("%d callbacks are due, want 2 (%v)", sent, err)
	}
	w.post("/providers/skip", "provider=cregis", http.StatusSeeOther)
	if sent, err := w.cregis.DeliverDue(t.Context()); sent != 2 || err != nil {
		t.Errorf("after the skip %d callbacks are due, want 2 (%v)", sent, err)
	}
	checkOrder(t, w.get("/providers", http.StatusOK), ">failed: 404")

	for _, form := range []string{
		"provider=other reference=R-3 amount=1", "provider=cregis reference=R-3 amount=0", "provider=cregis amount=1",
		"provider=cregis reference=R-3 amount=1 status=exploded", "provider=cregis reference=R-3 amount=1 copies=many", "provider=cregis reference=R-1 amount=1",
	} {
		w.post("/providers/order", form, http.StatusBadRequest)
	}
	refused := w.sendFrom("http://127.0.0.1:4567/providers", http.MethodPost, "/providers/order", "provider=cregis&reference=R-3&amount=0").Body.String()
	checkOrder(t, refused, "<p>the simulator refuses it: E0006: amount must be greater than 0</p>", "<p>Nothing was changed.</p>", `href="/providers">Back</a>`)
	w.post("/providers/push", "provider=pivot id=none", http.StatusBadRequest)
	if got := w.cregis.Payouts(); len(got) != 1 {
		t.Errorf("refused forms ordered %+v", got)
	}
}

func TestConsole_Faults(t *testing.T) {
	w := newLocalWorld(t, true, console.Options{})
	checkOrder(t, w.get("/faults", http.StatusOK), "DynamoDB", "works", "SQS", "works", "Secrets Manager", "works",
		"consumer", "running", "Pause the consumer", "publisher", "paused", "Resume the publisher")
	w.post("/faults", "service=dynamodb fault=fails", http.StatusSeeOther)
	w.post("/faults", "service=sqs fault=times-out-late", http.StatusSeeOther)
	checkOrder(t, w.get("/faults", http.StatusOK), "DynamoDB", `status bad">fails`, "SQS", `status bad">times-out-late`, "Secrets Manager", "works")
	w.post("/faults", "service=s3 fault=fails", http.StatusBadRequest)
	w.post("/faults", "service=sqs fault=explodes", http.StatusBadRequest)
	w.post("/faults", "service=dynamodb fault=", http.StatusSeeOther)
	checkOrder(t, w.get("/faults", http.StatusOK), "DynamoDB", "works", "SQS", `status bad">times-out-late`)
}

// storeCallback stores a callback and returns the path that exports it.
func (w *localWorld) storeCallback(event payout.Event, body string) string {
	w.t.Helper()
	receipt := inbox.NewReceipt(event, []byte(body), "abc", w.now())
	if _, err := w.tables.store().Create(w.t.Context(), receipt); err != nil {
		w.t.Fatal(err)
	}
	return "/callbacks/" + url.PathEscape(receipt.Key.Payout) + "/" + url.PathEscape(receipt.Key.Receipt)
}

const (
	exportedCregis = `{"pid":` + demoProject + `,"cid":9,"status":6,"currency":"TRX","amount":"1.1","memo":"it's <b>`
	exportedPivot  = `{"event":"PAYOUT.SUCCESS","data":{"uuid":"u1","merchantId":"` + demoMerchant + `","payouts":{"referenceId":"r","amount":{"currency":"IDR","value":"1"},"status":"SUCCESS","reason":null}}}`
)

// Each form of an exported callback sends the bytes that were received, and none has a key.
func TestConsole_Export(t *testing.T) {
	w := newLocalWorld(t, true, console.Options{})
	for name, c := range map[string]struct {
		event   payout.Event
		body    string
		headers []string // of the command with curl
		isText  bool
	}{
		"cregis": {payout.Event{ID: payout.NewID("cregis", payout.TypePayout, demoProject, "9", ""), Status: payout.Succeeded, Amount: "1.1"},
			exportedCregis + ` $(id)","sign":"0"}`, []string{"Content-Type: application/json"}, true},
		"cregis, pretty": {payout.Event{ID: payout.NewID("cregis", payout.TypePayout, demoProject, "10", ""), Status: payout.Succeeded, Amount: "1.1"},
			strings.ReplaceAll(exportedCregis, ",", ",\n  ") + `"}`, []string{"Content-Type: application/json"}, true},
		"cregis, control characters": {payout.Event{ID: payout.NewID("cregis", payout.TypePayout, demoProject, "11", ""), Status: payout.Succeeded, Amount: "1.1"},
			exportedCregis + "\u202e\r\n\"}", nil, false},
		"pivot batch": {payout.Event{ID: payout.NewID("pivot", payout.TypeBatch, demoMerchant, "u1", ""), Status: payout.Done}, exportedPivot,
			[]string{"Accept: application/JSON", "Content-Type: application/JSON", "X-Api-Key: KEY"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			path := w.storeCallback(c.event, c.body)
			checkOrder(t, w.get("/payouts/"+string(c.event.ID), http.StatusOK), `<a href="`+path+`">`)
			page := w.get(path, http.StatusOK)
			for _, key := range []string{cregisKey, pivotKey, "\u202e", "<b>"} {
				if strings.Contains(page, key) {
					t.Errorf("the page has %q", key)
				}
			}
			headers, body := runCurl(t, page)
			if c.isText && body != c.body || !slices.Equal(headers, c.headers) {
				t.Errorf("curl sends %q with %q, want %q with %q", body, headers, c.body, c.headers)
			}
			vectors, err := providertest.Load(fstest.MapFS{"case.txtar": {Data: []byte(w.get(path+"/vector", http.StatusOK))}})
			if err != nil {
				t.Fatal(err)
			}
			v := vectors[0]
			if string(v.Body) != c.body || v.Account != c.event.ID.Account() || v.Type != payout.TypePayout || v.Expect != providertest.Accepted {
				t.Errorf("the vector is %+v", v)
			}
		})
	}
	for _, path := range []string{"/callbacks/none/none", "/callbacks/none/none/vector"} {
		w.get(path, http.StatusNotFound)
	}
}

// runCurl runs the command with curl that a page has, with a curl that prints its arguments.
func runCurl(t *testing.T, page string) (headers []string, body string) {
	t.Helper()
	_, rest, ok := strings.Cut(page, `data-copy="curl `)
	if !ok {
		return nil, ""
	}
	command, _, _ := strings.Cut(rest, `"`)
	command = strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&#43;", "+", "&amp;", "&").Replace(command)
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `curl() { printf '%s\000' "$@"; }; curl `+command).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, command)
	}
	args := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for n, arg := range args {
		switch arg {
		case "-H":
			headers = append(headers, args[n+1])
		case "--data-binary":
			body = args[n+1]
		}
	}
	if last := args[len(args)-1]; !strings.HasPrefix(last, "http://127.0.0.1:1/api/callbacks/") {
		t.Errorf("curl sends to %s", last)
	}
	return headers, body
}

func TestConsole_ExportHeldCallback(t *testing.T) {
	w := newLocalWorld(t, true, console.Options{})
	receipt := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypeSubAddressPayout, Account: demoProject, Reason: string(callback.ReasonStatus), Subject: []byte("s"),
	}, []byte(`{"status":99}`), "abc", w.now())
	if _, err := w.tables.store().Create(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	page := w.get("/callbacks/"+url.PathEscape(receipt.Key.Payout)+"/"+url.PathEscape(receipt.Key.Receipt)+"/vector", http.StatusOK)
	checkOrder(t, page, "expect: held unknown-status\n", "type: sub-address-payout\n", "sign: "+demoProject+"\n", "-- body --\n{\"status\":99}\n")
}

// A deployed stack has no pages of the local stack, and shows no body unless it is asked to.
func TestConsole_LocalPagesOfADeployedStack(t *testing.T) {
	w := newLocalWorld(t, false, console.Options{})
	for _, path := range []string{"/callbacks", "/providers", "/faults"} {
		w.get(path, http.StatusNotFound)
	}
	for _, path := range []string{"/providers/order", "/providers/plan", "/providers/push", "/providers/skip", "/faults"} {
		if code := w.status(http.MethodPost, path, "provider=cregis&service=sqs&fault=fails"); code < http.StatusBadRequest {
			t.Errorf("POST %s: %d", path, code)
		}
	}
	event := payout.Event{ID: payout.NewID("pivot", payout.TypePayout, demoMerchant, "u1", "r"), Status: payout.Succeeded}
	checkOrder(t, w.get(w.storeCallback(event, exportedPivot), http.StatusBadRequest), "masked", "--show-bodies")
	shown := newLocalWorld(t, false, console.Options{ShowBodies: true})
	checkOrder(t, shown.get(shown.storeCallback(event, exportedPivot), http.StatusOK), "curl")
}
