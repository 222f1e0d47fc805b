package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/encoding/cbor"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/console"
	"payout-callbacks/pkg/ops/localstack"
)

// functionLog adds lines to the log of a function.
func (f *tables) functionLog(t *testing.T, function string, lines ...map[string]any) {
	t.Helper()
	for _, line := range lines {
		line["timestamp"] = time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano)
		text, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		event := map[string]any{"timestamp": time.Now().Add(-time.Minute).UnixMilli(), "message": string(text)}
		f.logs["/aws/lambda/demo/"+function] = append(f.logs["/aws/lambda/demo/"+function], event)
	}
}

func TestConsole_Overview(t *testing.T) {
	fake := newTables(t)
	fill(t, fake)
	fake.depths = map[string]int{"events": 7, "dead-letters": 3}
	fake.functionLog(t, "cregis", map[string]any{"message": "callback", "provider": "cregis", "outcome": "new"},
		map[string]any{"message": "callback", "provider": "cregis", "outcome": "new", "payout": "x"}, map[string]any{"message": "callback", "provider": "cregis", "outcome": "unauthentic"})
	fake.functionLog(t, "publisher", map[string]any{"message": "publish", "Published": 4}, map[string]any{"message": "publish", "Published": 5})
	c := openTables(t, fake, true, console.Options{})
	page := c.get("/", http.StatusOK)
	wantTexts(t, page,
		`<a href="/held"><span class="big bad">1</span> held`, `<a href="/conflicts"><span class="big bad">1</span> in conflict`,
		`<a href="/overdue"><span class="big good">0</span> overdue`, `<a href="/dead-letters"><span class="big bad">3</span> in the dead-letter queue`,
		`<span class="big">3</span> answered in 10 min`, `<li class="good">2 accepted`, `<li class="bad">1 refused`, `<span class="big">1</span> <a href="/waiting">waiting to be applied</a>`,
		`<span class="big">7</span> messages`, `<span class="bad">1</span> conflicted`, `<span class="big">9</span> published in 10 min`,
		`aria-label="Callbacks in each 10 s: most 3, last 0"`, alteredID, conflictedID)
	wantNoTexts(t, page, "Not read")
}

// A part that cannot be read is named; the others are shown.
func TestConsole_OverviewWithoutAPart(t *testing.T) {
	fake := newTables(t)
	fill(t, fake)
	page := openTables(t, fake, true, console.Options{}).get("/", http.StatusOK)
	wantTexts(t, page, "Not read: queue: ", "Not read: dead-letter queue: ", `<span class="big bad">1</span> held`, `<span class="big">–</span> messages`)
	wantNoTexts(t, page, `</span> in the dead-letter queue`)
}

// A stack that does not answer at all leaves a page that names each part.
func TestConsole_OverviewOfAFailingStack(t *testing.T) {
	const nowhere = "http://127.0.0.1:1"
	for isLocal, part := range map[bool]string{true: "logs of the functions", false: "metrics"} {
		c := newConsole(t, cli.Stack{
			Stack: localstack.Stack{Name: "demo", EndpointURL: nowhere, EventsQueueURL: nowhere + "/1/events"},
			Local: isLocal,
			AWS: aws.Config{
				Region: "us-east-1", BaseEndpoint: aws.String(nowhere), HTTPClient: http.DefaultClient,
				Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
			},
		}, nil)
		wantTexts(t, c.get("/", http.StatusOK), "Not read: indexes: ", "Not read: queue: ", "Not read: "+part+": ")
	}
}

// The numbers of a deployed stack are those of its metrics and of its indexes. They are
// read again after a while only, and nothing is scanned.
func TestConsole_OverviewOfADeployedStack(t *testing.T) {
	fake := newTables(t)
	fill(t, fake)
	fake.depths = map[string]int{"events": 7, "dead-letters": 3}
	at := time.Now().Add(-5 * time.Minute)
	for id, values := range map[string][]float64{
		"callbacks": {9, 8}, "accepted": {10}, "held": {2}, "duplicate": {1}, "refused": {3}, "unavailable": {0}, "published": {6}, "latency": {90},
	} {
		var timestamps, numbers cbor.List
		for n, value := range values {
			timestamps = append(timestamps, &cbor.Tag{ID: 1, Value: cbor.Float64(float64(at.Add(-time.Duration(n)*time.Minute).UnixMilli()) / 1000)})
			numbers = append(numbers, cbor.Float64(value))
		}
		fake.metrics = append(fake.metrics, cbor.Map{"Id": cbor.String(id), "Timestamps": timestamps, "Values": numbers})
	}
	c := openTables(t, fake, false, console.Options{})
	fake.taken()
	wantTexts(t, c.get("/", http.StatusOK),
		`<span class="big">17</span> answered in 60 min`, "8 accepted", "2 held", "1 duplicate", "3 refused", `<span class="big">6</span> published`,
		`<span class="big bad">1</span> held`, `<span class="big bad">1</span> in conflict`, `<span class="big bad">3</span> in the dead-letter queue`,
		`aria-label="Callbacks in each 60 s: most 9, last 0"`, "Longest time from acceptance to application, in each 60 s: most 90ms, last none")
	for _, request := range fake.taken() {
		if !slices.Contains([]string{"Query", "GetQueueAttributes", "GetMetricData"}, request.operation) {
			t.Errorf("the overview uses %s", request.operation)
		}
	}
	if fake.asked["refused"] != "Sum of PayoutCallbacks/demo/Refused" || fake.asked["latency"] != "Maximum of PayoutCallbacks/demo/ApplyLatency" {
		t.Errorf("the overview shows %v", fake.asked)
	}
	c.get("/", http.StatusOK)
	if requests := fake.taken(); len(requests) > 0 {
		t.Errorf("%d requests for the same numbers", len(requests))
	}
}

// answerMetrics answers CloudWatch, which is asked in another protocol. It records the
// metrics by the ids of their queries.
func (f *tables) answerMetrics(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasSuffix(r.URL.Path, "/operation/GetMetricData") {
		return false
	}
	body, _ := io.ReadAll(r.Body)
	sent, _ := cbor.Decode(body)
	f.asked = map[string]string{}
	for _, query := range sent.(cbor.Map)["MetricDataQueries"].(cbor.List) {
		stat := query.(cbor.Map)["MetricStat"].(cbor.Map)
		metric := stat["Metric"].(cbor.Map)
		f.asked[string(query.(cbor.Map)["Id"].(cbor.String))] = fmt.Sprintf("%s of %s/%s", stat["Stat"], metric["Namespace"], metric["MetricName"])
	}
	f.requests = append(f.requests, tableRequest{operation: "GetMetricData"})
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	_, _ = w.Write(cbor.Encode(cbor.Map{"MetricDataResults": f.metrics}))
	return true
}
