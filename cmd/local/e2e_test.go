package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
)

// deployed is a running stack of the template, with IAM enforced.
type deployed struct {
	stage
	workspace workspace
	dynamodb  *dynamodb.Client
	sqs       *sqs.Client
	run       string // digits that make the ids of this run unique
}

func newDeployed(t *testing.T) *deployed {
	t.Helper()
	path := os.Getenv("PAYOUT_CALLBACKS_STACK")
	if path == "" {
		t.Skip("PAYOUT_CALLBACKS_STACK is not set; make test sets it")
	}
	s, err := readStack(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := attach(templatetest.Root(t), s)
	if err != nil {
		t.Fatal(err)
	}
	st := newStage(s)
	return &deployed{
		stage:     st,
		workspace: w,
		dynamodb:  st.reader.Client,
		sqs: sqs.New(sqs.Options{
			BaseEndpoint: aws.String(s.EndpointURL), Region: s.Region, Credentials: emulatorCredentials(), HTTPClient: st.http,
		}),
		run: fmt.Sprint(time.Now().UnixNano() % 1e12),
	}
}

// Every vector gets the response of its verdict over HTTP, and leaves an applied
// receipt, a held receipt or none.
func TestVectorsOverHTTP(t *testing.T) {
	d := newDeployed(t)
	for name, provider := range d.providers {
		dir := os.DirFS(filepath.Join(d.workspace.root, "pkg", "provider", name, "testdata"))
		vectors, err := providertest.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		replies, err := providertest.Replies(dir)
		if err != nil {
			t.Fatal(err)
		}
		keys := maps.Clone(provider.Demo)
		if name == "cregis" { // a vector is signed for a project whose key the stack does not hold
			keys["1382528827416577"] = callback.AccountKeys{Current: "key of an unknown project"}
		}
		for _, vector := range vectors {
			t.Run(name+"/"+vector.Name, func(t *testing.T) { d.playVector(t, provider, vector, keys, replies) })
		}
	}
}

func (d *deployed) playVector(t *testing.T, provider providertest.Provider, vector providertest.Vector, keys callback.Keys, replies map[callback.Verdict]callback.Reply) {
	body, header, err := vector.Signed(provider, keys)
	if err != nil {
		t.Fatal(err)
	}
	before := d.countReceipts(t, provider.Name(), body) // another vector may have the same body
	got, _, err := d.deliver(t.Context(), provider.Name(), vector.Type, header, body)
	if err != nil {
		t.Fatal(err)
	}
	want := replies[verdicts[strings.Fields(vector.Expect)[0]]]
	switch {
	case got == want.Code:
	case vector.Expect == providertest.Malformed && got == replies[callback.Unauthenticated].Code:
		// The gateway replaced bytes that are not UTF-8.
	default:
		t.Fatalf("got %d, want %d", got, want.Code) // there is no receipt to wait for
	}
	if !vector.Authentic() {
		if after := d.countReceipts(t, provider.Name(), body); after != before {
			t.Errorf("a refused callback left %d receipts", after-before)
		}
		return
	}
	if !utf8.Valid(body) {
		return // the gateway replaces such bytes, and the receipt has another key
	}
	request := callback.NewRequest(vector.Type, header, body)
	verified, err := provider.Verify(request, keys)
	if err != nil {
		t.Fatal(err)
	}
	receipt := callback.NewReceipt(provider, verified, time.Time{})
	state := inbox.Applied
	if receipt.State == inbox.Held {
		state = inbox.Held
	}
	d.wantReceipt(t, receipt.Key, state)
}

var verdicts = map[string]callback.Verdict{
	providertest.Accepted:    callback.Acknowledged,
	providertest.Held:        callback.Acknowledged,
	providertest.Unauthentic: callback.Unauthenticated,
	providertest.Malformed:   callback.Malformed,
	providertest.TooLarge:    callback.TooLarge,
}

// wantReceipt waits until the receipt is in the state.
func (d *deployed) wantReceipt(t *testing.T, key inbox.Key, want inbox.State) {
	t.Helper()
	d.eventually(t, fmt.Sprintf("receipt %v is %s", key, want), func(ctx context.Context) bool {
		receipt, _, err := d.reader.Receipt(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		return receipt.State == want
	})
}

// eventually waits until a condition holds.
func (d *deployed) eventually(t *testing.T, condition string, holds func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", timeout, condition)
		case <-tick.C:
		}
	}
}

// countReceipts returns how many of the provider's receipts have the body. It returns 0 for an empty body, which also
// receipts without one match.
func (d *deployed) countReceipts(t *testing.T, provider string, body []byte) int {
	t.Helper()
	if len(body) == 0 {
		return 0
	}
	count := 0
	pages := dynamodb.NewScanPaginator(d.dynamodb, &dynamodb.ScanInput{
		TableName:        &d.stack.ReceiptsTable,
		FilterExpression: aws.String("contains(payout, :provider) AND (body = :text OR body = :bytes)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":provider": &types.AttributeValueMemberS{Value: provider},
			":text":     &types.AttributeValueMemberS{Value: string(body)},
			":bytes":    &types.AttributeValueMemberB{Value: body},
		},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		count += len(page.Items)
	}
	return count
}

func TestGateway_UnknownPath(t *testing.T) {
	d := newDeployed(t)
	for _, path := range []string{"/", "/callbacks", "/callbacks/cregis", "/callbacks/cregis/payout/x", "/callbacks/other/payout"} {
		response, err := d.http.Post(d.stack.APIURL+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("POST %s: got %d, want 404", path, response.StatusCode)
		}
	}
}

// receipt returns the receipt of a payout of this run.
func (d *deployed) receipt(cid string) inbox.Receipt {
	id := payout.NewID("cregis", payout.TypePayout, demoProject, d.run+cid, "")
	return inbox.NewReceipt(payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1"}, []byte("body"), "0a1b2c3d", time.Now())
}

// The sweeper sends a receipt again whose message was lost.
func TestSweeper_LostMessage(t *testing.T) {
	d := newDeployed(t)
	receipt := d.receipt("01")
	receipt.DueAt = time.Now().Add(-time.Second).UTC().Truncate(time.Millisecond)
	store := &dynamostore.Store{Client: d.dynamodb, Receipts: d.stack.ReceiptsTable, Payouts: d.stack.PayoutsTable}
	if existing, err := store.Create(t.Context(), receipt); err != nil || existing.State != "" {
		t.Fatal(existing, err)
	}
	d.eventually(t, "a sweep succeeds", func(ctx context.Context) bool { return d.sweep(ctx, t) })
	d.wantReceipt(t, receipt.Key, inbox.Applied)
	d.wantStatus(t, receipt, payout.Succeeded)
}

// The sweeper recovers a receipt that was accepted by the queue only and whose
// message became a dead letter.
func TestSweeper_DeadLetter(t *testing.T) {
	d := newDeployed(t)
	receipt := d.receipt("02")
	text, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	d.sendMessage(t, d.stack.DeadLetterQueueURL, text)
	d.eventually(t, "the dead letter is recovered and applied", func(ctx context.Context) bool {
		d.sweep(ctx, t)
		r, _, err := d.reader.Receipt(ctx, receipt.Key)
		return err == nil && r.State == inbox.Applied
	})
	d.wantStatus(t, receipt, payout.Succeeded)
}

// An unreadable message becomes a dead letter within seconds and delays no other
// message.
func TestConsumer_UnreadableMessage(t *testing.T) {
	d := newDeployed(t)
	unreadable := "unreadable message of run " + d.run
	neighbour := d.receipt("03")
	text, err := sqsqueue.Encode(neighbour)
	if err != nil {
		t.Fatal(err)
	}
	d.sendMessage(t, d.stack.EventsQueueURL, unreadable)
	d.sendMessage(t, d.stack.EventsQueueURL, text)
	d.wantReceipt(t, neighbour.Key, inbox.Applied) // from its message only, as after an outage of the table
	d.eventually(t, "the message is in the dead-letter queue", func(ctx context.Context) bool {
		return d.hasDeadLetter(ctx, t, unreadable)
	})
}

func (d *deployed) hasDeadLetter(ctx context.Context, t *testing.T, text string) bool {
	t.Helper()
	out, err := d.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &d.stack.DeadLetterQueueURL, MaxNumberOfMessages: 10, VisibilityTimeout: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range out.Messages {
		if *message.Body == text {
			return true
		}
	}
	return false
}

func (d *deployed) sendMessage(t *testing.T, queue, text string) {
	t.Helper()
	if _, err := d.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &text}); err != nil {
		t.Fatal(err)
	}
}

// sweep invokes the deployed sweeper, and reports whether it succeeds: on a busy
// machine its requests time out.
func (d *deployed) sweep(ctx context.Context, t *testing.T) bool {
	t.Helper()
	var answer json.RawMessage
	path := "/2015-03-31/functions/" + d.stack.function("sweeper") + "/invocations"
	if err := callLambda(ctx, d.workspace, apiCall{method: http.MethodPost, path: path, body: "{}"}, &answer); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(answer, []byte("errorMessage")) {
		t.Logf("the sweeper failed: %s", answer)
		return false
	}
	return true
}

func (d *deployed) wantStatus(t *testing.T, receipt inbox.Receipt, want payout.Status) {
	t.Helper()
	stored, _, err := d.reader.Record(t.Context(), payout.ID(receipt.Key.Payout))
	if err != nil || stored.Status() != want || stored.Version != 1 {
		t.Errorf("payout: got %q at version %d, %v, want %q at 1", stored.Status(), stored.Version, err, want)
	}
}
