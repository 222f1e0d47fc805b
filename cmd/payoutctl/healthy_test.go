package main_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/reconcile"
)

// alarmState is the state of an alarm.
type alarmState struct {
	name, state string
	enabled     bool
}

// healthyStack is a deployed stack without problems, as AWS describes it. Tests change
// it.
type healthyStack struct {
	clock         time.Duration // skew of the API's clock
	answers       map[string]int
	keys          map[string]string // values of the secrets, by provider
	states        map[string]string // of the mappings and the schedule
	queries       string            // the mode of both providers
	accounts      []reconcile.AccountCheck
	sweeps        int
	messages      map[string]int
	items         map[string]string // items of the indexes, by the beginning of their key
	receipt       string            // state of the receipt in an index
	isOverdue     bool              // the payout is overdue, and not in conflict
	alarms        []alarmState
	subscriptions []string
	reaches       []string // alarms whose notification arrives

	mu   sync.Mutex
	sent []string // operations, in order
}

func (h *healthyStack) note(operation string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = append(h.sent, operation)
}

func newHealthyStack() *healthyStack {
	keys := map[string]string{}
	for _, d := range providers.All() {
		keys[d.Name()] = fmt.Sprintf(`{%q: {"current": %q}}`, d.DemoAccount, string(d.Demo[d.DemoAccount].Current))
	}
	return &healthyStack{
		answers: map[string]int{}, keys: keys,
		states:  map[string]string{"consumer": "Enabled", "publisher": "Enabled", "sweeper": "ENABLED", "reconciler": "ENABLED"},
		queries: "all", accounts: []reconcile.AccountCheck{
			{Account: "cregis/" + demoProject, Outcome: reconcile.NotFound, KeyID: callback.Key(cregisKey).ID()},
			{Account: "pivot/" + demoMerchant, Outcome: reconcile.NotFound},
		},
		sweeps: 1, messages: map[string]int{}, items: map[string]string{}, receipt: "received",
		alarms:        []alarmState{{"prod-held", "OK", true}, {"prod-refused", "OK", true}},
		subscriptions: []string{"arn:aws:sns:eu-west-1:1:topic:1"},
	}
}

// serve starts the stack and sets the AWS environment variables.
func (h *healthyStack) serve(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": server.URL, "AWS_ENDPOINT_URL_DYNAMODB": server.URL, "AWS_ENDPOINT_URL_SQS": server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// ServeHTTP implements http.Handler: the API and each service of AWS.
func (h *healthyStack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, _ := io.ReadAll(r.Body)
	_, target, isJSON := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	last := parts[len(parts)-1]
	switch {
	case r.Method == http.MethodHead:
		w.Header()["Date"] = []string{time.Now().Add(h.clock).UTC().Format(http.TimeFormat)}
	case strings.Contains(r.URL.Path, "/callbacks/"):
		h.refuse(w, parts[len(parts)-2])
	case isJSON:
		answer := h.json(target, string(sent))
		w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(answer))), 10))
		_, _ = io.WriteString(w, answer)
	case strings.Contains(r.URL.Path, "/operation/"):
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		if answer := h.metrics(last); answer != nil {
			_, _ = w.Write(cbor.Encode(answer))
		}
	case strings.Contains(r.URL.Path, "/schedules/"), strings.Contains(r.URL.Path, "/event-source-mappings/"):
		_, _ = fmt.Fprintf(w, `{"State": %q, "Name": "s", "EventSourceMappingArn": "arn:aws:lambda:eu-west-1:1:event-source-mapping:u"}`, h.states[last])
	case strings.HasSuffix(r.URL.Path, "/invocations"):
		answer, _ := json.Marshal(reconcile.AskResponse{Accounts: h.accounts})
		_, _ = w.Write(answer)
	case strings.Contains(r.URL.Path, "/tags/"):
		_, _ = io.WriteString(w, `{"Tags": {}}`)
	default:
		_, _ = io.WriteString(w, h.xml(r.Host, string(sent)))
	}
}

// refuse answers an unsigned callback as the provider documents.
func (h *healthyStack) refuse(w http.ResponseWriter, provider string) {
	h.note("callback of " + provider)
	if code := h.answers[provider]; code != 0 {
		w.WriteHeader(code)
		return
	}
	for _, known := range providers.All() {
		if known.Name() == provider {
			reply := known.Reply(callback.Unauthenticated)
			w.WriteHeader(reply.Code)
			_, _ = io.WriteString(w, reply.Body)
		}
	}
}

func (h *healthyStack) json(operation, sent string) string {
	h.note(operation)
	switch operation {
	case "GetSecretValue":
		_, provider, _ := strings.Cut(sent, "prod/keys/")
		provider, _, _ = strings.Cut(provider, `"`)
		value, _ := json.Marshal(h.keys[provider])
		return fmt.Sprintf(`{"VersionId": "v1", "CreatedDate": 1767225600, "SecretString": %s}`, value)
	case "ListSecretVersionIds":
		return `{"Versions": [{"VersionId": "v1", "CreatedDate": 1767225600}]}`
	case "GetQueueAttributes":
		for queue, waiting := range h.messages {
			if strings.Contains(sent, "/1/"+queue) {
				return fmt.Sprintf(`{"Attributes": {"ApproximateNumberOfMessages": "%d"}}`, waiting)
			}
		}
		return `{"Attributes": {"ApproximateNumberOfMessages": "0"}}`
	case "CreateQueue":
		return `{"QueueUrl": "http://sqs.test/1/drill"}`
	case "ReceiveMessage":
		return h.notifications()
	case "Query":
		if item := h.items["queries"]; item != "" && strings.Contains(sent, `"IndexName":"queries"`) && strings.Contains(sent, `{"S":"14"}`) {
			return fmt.Sprintf(`{"Items": [%s], "Count": 1}`, item)
		}
		for key, item := range h.items {
			if strings.Contains(sent, `{"S":"`+key) {
				return fmt.Sprintf(`{"Items": [%s], "Count": 1}`, item)
			}
		}
		return `{"Items": [], "Count": 0}`
	case "GetItem":
		if h.isOverdue && strings.Contains(sent, "prod-payouts") {
			return `{"Item": {"payout": {"S": "cregis/payout/1/2"}, "v": {"N": "2"}, "version": {"N": "2"}, "progress": {"S": "expected"},
				"sources": {"L": [{"S": "expectation"}, {"S": "reconciler"}]}, "overdueReasons": {"L": [{"S": "open"}]}, "queryShard": {"S": "14"}, "queryOrder": {"S": "cregis/1/end/000000000000001"}}}`
		}
		if strings.Contains(sent, "prod-payouts") {
			return `{"Item": {"payout": {"S": "cregis/payout/1/2"}, "version": {"N": "2"}, "claims": {"M": {"status": {"L": [{"S": "failed"}, {"S": "succeeded"}]}}}}}`
		}
		key := strings.ReplaceAll(sent[strings.Index(sent, `"Key":{`)+7:], "}}}", "}}")
		key, _, _ = strings.Cut(key, `},"TableName"`)
		return fmt.Sprintf(`{"Item": {%s, "state": {"S": %q}, "acceptedAt": {"N": "%d"}}}`, strings.TrimRight(key, "}")+"}", h.receipt, longAgo().UnixMilli())
	}
	return "{}"
}

// notifications returns the messages of the alarms that arrive.
func (h *healthyStack) notifications() string {
	var messages []map[string]string
	for _, name := range h.reaches {
		alarm, _ := json.Marshal(map[string]string{"AlarmName": name, "NewStateValue": "ALARM"})
		body, _ := json.Marshal(map[string]string{"Type": "Notification", "Message": string(alarm)})
		sum := md5.Sum(body)
		messages = append(messages, map[string]string{"Body": string(body), "MD5OfBody": hex.EncodeToString(sum[:]), "ReceiptHandle": name})
	}
	text, _ := json.Marshal(map[string]any{"Messages": messages})
	return string(text)
}

func (h *healthyStack) metrics(operation string) cbor.Value {
	h.note(operation)
	if operation == "SetAlarmState" {
		return nil
	}
	if operation == "GetMetricStatistics" {
		var points cbor.List
		for range h.sweeps {
			points = append(points, cbor.Map{"Sum": cbor.Float64(1)})
		}
		return cbor.Map{"Datapoints": points}
	}
	var alarms cbor.List
	for _, alarm := range h.alarms {
		alarms = append(alarms, cbor.Map{
			"AlarmName": cbor.String(alarm.name), "StateValue": cbor.String(alarm.state), "ActionsEnabled": cbor.Bool(alarm.enabled),
			"AlarmActions": cbor.List{cbor.String("arn:aws:sns:eu-west-1:1:topic")},
		})
	}
	return cbor.Map{"MetricAlarms": alarms}
}

func (h *healthyStack) xml(host, sent string) string {
	switch {
	case strings.Contains(sent, "Action=GetCallerIdentity"):
		return `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/a</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
	case strings.Contains(sent, "Action=ListSubscriptionsByTopic"):
		members := ""
		for _, arn := range h.subscriptions {
			members += "<member><SubscriptionArn>" + arn + "</SubscriptionArn></member>"
		}
		return `<R><ListSubscriptionsByTopicResult><Subscriptions>` + members + `</Subscriptions></ListSubscriptionsByTopicResult></R>`
	}
	if strings.Contains(sent, "Action=Subscribe") {
		return `<R><SubscribeResult><SubscriptionArn>arn:aws:sns:eu-west-1:1:topic:drill</SubscriptionArn></SubscribeResult></R>`
	}
	if strings.Contains(sent, "Action=Unsubscribe") {
		h.note("Unsubscribe")
		return `<R></R>`
	}
	values := map[string]string{
		"ApiUrl": "http://" + host + "/api", "ReceiptsTableName": "prod-receipts", "PayoutsTableName": "prod-payouts",
		"EventsQueueUrl": "http://" + host + "/1/events", "DeadLetterQueueUrl": "http://" + host + "/1/dead-letters",
		"AlarmTopicArn":     "arn:aws:sns:eu-west-1:1:topic",
		"ConsumerMappingId": "consumer", "PublisherMappingId": "publisher", "SweeperScheduleName": "sweeper", "SweeperFunctionName": "f",
		"ReconcilerScheduleName": "reconciler", "ReconcilerFunctionName": "r", "PayoutBusName": "prod-payouts",
	}
	for _, d := range providers.All() {
		values[d.KeysOutput()], values[d.QueriesParameter()] = "prod/keys/"+d.Name(), h.queries
	}
	outputs := ""
	for name, value := range values {
		outputs += fmt.Sprintf("<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>", name, value)
	}
	return `<R><DescribeStacksResult><Stacks><member><StackName>prod</StackName><Outputs>` + outputs + `</Outputs></member></Stacks></DescribeStacksResult></R>`
}
