package audit_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/ops/repair"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
	"payout-callbacks/pkg/testkit/templatetest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// bed is a store whose items a test can corrupt.
type bed struct {
	*testing.T
	source  audit.Source
	editor  repair.Store
	store   inbox.Store
	queue   *memory.Queue
	box     *inbox.Inbox
	repairs *repair.Repairs
	now     time.Time

	removeReceipt  func(inbox.Key)
	removePayout   func(payout.ID)
	markApplied    func(inbox.Key)
	alterProgress  func(payout.ID)
	dropFromIndex  func(inbox.Key)
	dismiss        func(inbox.Key) // without an actor and a reason
	corruptReceipt func(inbox.Key)
	corruptPayout  func(payout.ID)
}

func (b *bed) init() *bed {
	b.now = noon
	b.queue = &memory.Queue{Now: func() time.Time { return b.now }, Visibility: time.Minute, MaxReceives: 10}
	b.box = &inbox.Inbox{Store: b.store, Queue: b.queue, DeadLetters: b.queue, Now: func() time.Time { return b.now }}
	b.repairs = &repair.Repairs{Store: b.editor, Inbox: b.box}
	return b
}

// eachBed runs a test on the store in memory, and on the emulator if an endpoint is
// set.
func eachBed(t *testing.T, test func(b *bed)) {
	t.Run("memory", func(t *testing.T) { test(newMemoryBed(t)) })
	t.Run("dynamodb", func(t *testing.T) { test(newDynamoBed(t)) })
}

func newMemoryBed(t *testing.T) *bed {
	store := &memory.Store{}
	b := &bed{T: t, source: store, editor: store, store: store, dropFromIndex: store.CorruptIndex, corruptReceipt: store.CorruptReceipt}
	b.removeReceipt, b.removePayout, b.corruptPayout = store.DeleteReceipt, store.DeleteRecord, store.CorruptRecord
	b.markApplied = func(key inbox.Key) {
		receipt, _, _ := store.Receipt(t.Context(), key)
		receipt.State, receipt.DueAt = inbox.Applied, time.Time{}
		store.Overwrite([]inbox.Receipt{receipt}, nil)
	}
	b.dismiss = func(key inbox.Key) {
		receipt, _, _ := store.Receipt(t.Context(), key)
		receipt.State = inbox.Dismissed
		store.Overwrite([]inbox.Receipt{receipt}, nil)
	}
	b.alterProgress = func(id payout.ID) {
		record := store.Record(id)
		record.Progress = payout.Delayed
		store.Overwrite(nil, []payout.Record{record})
	}
	return b.init()
}

func newDynamoBed(t *testing.T) *bed {
	client := templatetest.DynamoDB(t)
	store := &dynamostore.Store{
		Client:   client,
		Receipts: templatetest.NewTable(t, client, "ReceiptsTable"),
		Payouts:  templatetest.NewTable(t, client, "PayoutsTable"),
	}
	editor := &dynamostore.Editor{Reader: dynamostore.Reader{Client: client, Receipts: store.Receipts, Payouts: store.Payouts}}
	b := &bed{T: t, source: editor, editor: editor, store: store}
	text := func(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
	receiptKey := func(key inbox.Key) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"payout": text(key.Payout), "receipt": text(key.Receipt)}
	}
	payoutKey := func(id payout.ID) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"payout": text(string(id))}
	}
	remove := func(table string, key map[string]types.AttributeValue) {
		if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	update := func(table string, key map[string]types.AttributeValue, expression string, names map[string]string, values map[string]types.AttributeValue) {
		_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: key, UpdateExpression: aws.String(expression),
			ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	b.removeReceipt = func(key inbox.Key) { remove(store.Receipts, receiptKey(key)) }
	b.removePayout = func(id payout.ID) { remove(store.Payouts, payoutKey(id)) }
	b.markApplied = func(key inbox.Key) {
		update(store.Receipts, receiptKey(key), "SET #state = :applied REMOVE #due, dueAt",
			map[string]string{"#state": "state", "#due": "dueShard"}, map[string]types.AttributeValue{":applied": text("applied")})
	}
	b.dismiss = func(key inbox.Key) {
		update(store.Receipts, receiptKey(key), "SET #state = :dismissed REMOVE #due, dueAt",
			map[string]string{"#state": "state", "#due": "dueShard"}, map[string]types.AttributeValue{":dismissed": text("dismissed")})
	}
	b.alterProgress = func(id payout.ID) {
		update(store.Payouts, payoutKey(id), "SET progress = :other", nil, map[string]types.AttributeValue{":other": text("delayed")})
	}
	b.dropFromIndex = func(key inbox.Key) {
		update(store.Receipts, receiptKey(key), "REMOVE #due, dueAt", map[string]string{"#due": "dueShard"}, nil)
	}
	b.corruptReceipt = func(key inbox.Key) {
		update(store.Receipts, receiptKey(key), "SET amount = :other", nil, map[string]types.AttributeValue{":other": text("999")})
	}
	b.corruptPayout = func(id payout.ID) {
		update(store.Payouts, payoutKey(id), "SET #status = :other", map[string]string{"#status": "status"}, map[string]types.AttributeValue{":other": text("paid")})
	}
	return b.init()
}

func payoutID(n string) payout.ID { return payout.NewID("cregis", payout.TypePayout, "7", n, "") }

// event returns an event of the payout with the number. Events with different
// heights differ.
func event(n string, status payout.Status, height uint64) payout.Event {
	return payout.Event{ID: payoutID(n), Status: status, Amount: "1.1", Currency: "TRX", Reference: "order-" + n, BlockHeight: height}
}

func (b *bed) accept(receipts ...inbox.Receipt) {
	b.Helper()
	for _, receipt := range receipts {
		if _, err := b.box.Accept(b.Context(), receipt); err != nil {
			b.Fatal(err)
		}
	}
}

func (b *bed) consume() {
	b.Helper()
	for _, message := range b.queue.Deliver(1000) {
		if _, err := b.box.Apply(b.Context(), message.Receipt); err != nil {
			b.Fatal(err)
		}
		b.queue.Ack(message.Handle)
	}
}

func (b *bed) received(e payout.Event) inbox.Receipt {
	return inbox.NewReceipt(e, []byte("{}"), "0a1b2c3d", b.now)
}

// acceptAndApply accepts and applies events.
func (b *bed) acceptAndApply(events ...payout.Event) {
	b.Helper()
	for _, e := range events {
		b.accept(b.received(e))
	}
	b.consume()
}

func (b *bed) held(subject string) inbox.Receipt {
	return inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "cregis", Type: payout.TypePayout, Account: "7", Subject: []byte(subject), Reason: "unknown-status",
	}, []byte(subject), "0a1b2c3d", b.now)
}

// fill fills the store with consistent items.
func (b *bed) fill() {
	b.Helper()
	b.acceptAndApply(event("1", payout.Pending, 0), event("1", payout.Succeeded, 1), event("2", payout.Failed, 1), event("2", payout.Succeeded, 1))
	b.accept(b.held("one"), b.held("two"), b.held("three"))
	changedBy := inbox.NewChangedBy("alice", "why", b.now)
	if _, err := b.repairs.Dismiss(b.Context(), b.held("two"), changedBy); err != nil {
		b.Fatal(err)
	}
	if outcome, err := b.repairs.Release(b.Context(), b.held("three"), b.received(event("3", payout.Succeeded, 1)), changedBy); err != nil || outcome != repair.Released {
		b.Fatal(outcome, err)
	}
	b.consume()
	b.accept(b.received(event("4", payout.Succeeded, 1))) // waits in the queue
}

// audit runs an audit, and returns its findings and its summary.
func (b *bed) audit(edit ...func(*audit.Audit)) ([]audit.Finding, audit.Summary) {
	b.Helper()
	var findings []audit.Finding
	a := &audit.Audit{Source: b.source, Now: b.now, Report: func(f audit.Finding) { findings = append(findings, f) }}
	for _, apply := range edit {
		apply(a)
	}
	summary, err := a.Run(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if int(summary.Findings) != len(findings) {
		b.Errorf("the summary counts %d findings, %d were reported", summary.Findings, len(findings))
	}
	return findings, summary
}
