package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

// deployed is a stack that is up, by the template, with IAM enforced: HTTP goes in, records come out.
type deployed struct {
	stage
	workspace workspace
	dynamodb  *dynamodb.Client
	sqs       *sqs.Client
	run       string // digits of this run, for ids that no other test uses
}

func newDeployed(t *testing.T) *deployed {
	t.Helper()
	path := os.Getenv("PAYOUT_CALLBACKS_STACK")
	if path == "" {
		t.Skip("PAYOUT_CALLBACKS_STACK names no running stack; make test does")
	}
	s, err := readStack(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := besides(templatetest.Root(t), s)
	if err != nil {
		t.Fatal(err)
	}
	of := newStage(s)
	return &deployed{
		stage:     of,
		workspace: w,
		dynamodb:  of.reader.Client,
		sqs: sqs.New(sqs.Options{
			BaseEndpoint: aws.String(s.EndpointURL), Region: s.Region, Credentials: emulatorCredentials(), HTTPClient: of.http,
		}),
		run: fmt.Sprint(time.Now().UnixNano() % 1e12),
	}
}

// Every vector of every provider gets over HTTP the answer that its verdict
// stands for, and leaves what it should: a receipt, a held one, or nothing.
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
		keys := storedKeys(name)
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
		// The gateway had mended the bytes before we saw them.
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
		return // the gateway mends such bytes, so that we never see the ones of the vector
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

// eventually asks until it is so, or for too long.
func (d *deployed) eventually(t *testing.T, what string, item func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !item(ctx) {
		select {
		case <-ctx.Done():
			t.Fatalf("after %s it is not so: %s", timeout, what)
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

func TestEveryOtherPathIsTheGateways(t *testing.T) {
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

// event returns the receipt of a payout of this run.
func (d *deployed) event(cid string) inbox.Receipt {
	id := payout.NewID("cregis", payout.TypePayout, demoProject, d.run+cid, "")
	return inbox.NewReceipt(payout.Event{ID: id, Status: payout.Succeeded, Amount: "1.1"}, []byte("made by a test"), "0a1b2c3d", time.Now())
}

// A receipt whose message was lost is sent again by the sweeper.
func TestTheSweeperPicksUpALostMessage(t *testing.T) {
	d := newDeployed(t)
	receipt := d.event("01")
	receipt.DueAt = time.Now().Add(-time.Second).UTC().Truncate(time.Millisecond)
	store := &dynamostore.Store{Client: d.dynamodb, Receipts: d.stack.ReceiptsTable, Payouts: d.stack.PayoutsTable}
	if existing, err := store.Create(t.Context(), receipt); err != nil || existing.State != "" {
		t.Fatal(existing, err)
	}
	d.eventually(t, "a sweep has ended well", func(ctx context.Context) bool { return d.sweep(ctx, t) })
	d.wantReceipt(t, receipt.Key, inbox.Applied)
	d.wantStatus(t, receipt, payout.Succeeded)
}

// What was accepted by the queue alone, and ended behind it, is adopted; what
// is not ours stays there for a person.
func TestTheSweeperAdoptsFromTheDeadLetterQueue(t *testing.T) {
	d := newDeployed(t)
	receipt := d.event("02")
	text, err := sqsqueue.Encode(receipt)
	if err != nil {
		t.Fatal(err)
	}
	d.sendMessage(t, d.stack.DeadLetterQueueURL, text)
	d.eventually(t, "the dead letter was adopted and applied", func(ctx context.Context) bool {
		d.sweep(ctx, t)
		r, _, err := d.reader.Receipt(ctx, receipt.Key)
		return err == nil && r.State == inbox.Applied
	})
	d.wantStatus(t, receipt, payout.Succeeded)
}

// A message that is not ours reaches the dead-letter queue within seconds, and
// delays none of its neighbours.
func TestAPoisonMessageEndsInTheDeadLetterQueue(t *testing.T) {
	d := newDeployed(t)
	poison := "poison of run " + d.run
	neighbour := d.event("03")
	text, err := sqsqueue.Encode(neighbour)
	if err != nil {
		t.Fatal(err)
	}
	d.sendMessage(t, d.stack.EventsQueueURL, poison)
	d.sendMessage(t, d.stack.EventsQueueURL, text)
	d.wantReceipt(t, neighbour.Key, inbox.Applied) // by a message alone, as in an outage of the table
	d.eventually(t, "the poison is in the dead-letter queue", func(ctx context.Context) bool {
		return d.deadLetter(ctx, t, poison)
	})
}

func (d *deployed) deadLetter(ctx context.Context, t *testing.T, text string) bool {
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

// sweep runs the deployed sweeper once, and reports whether it ended well: on a
// busy machine its requests run into their deadlines.
func (d *deployed) sweep(ctx context.Context, t *testing.T) bool {
	t.Helper()
	var answer json.RawMessage
	path := "/2015-03-31/functions/" + d.stack.function("sweeper") + "/invocations"
	if err := callLambda(ctx, d.workspace, lambdaCall{method: http.MethodPost, path: path, body: "{}"}, &answer); err != nil {
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
