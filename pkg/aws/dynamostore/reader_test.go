package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

var start = time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)

// tables is a pair of tables with a store and a reader.
type tables struct {
	t      *testing.T
	client *dynamodb.Client
	inbox  *inbox.Inbox
	store  *dynamostore.Store
	reader *dynamostore.Reader
	now    time.Time
}

// newTables creates tables like the template's on the emulator.
func newTables(t *testing.T) *tables {
	t.Helper()
	client := templatetest.DynamoDB(t)
	b := &tables{t: t, client: client, store: newStore(t, client), now: start}
	b.reader = &dynamostore.Reader{Client: client, Receipts: b.store.Receipts, Payouts: b.store.Payouts}
	b.inbox = &inbox.Inbox{Store: b.store, Now: func() time.Time { return b.now }}
	return b
}

func newEvent(id payout.ID, status payout.Status, amount payout.Amount) payout.Event {
	return payout.Event{ID: id, Status: status, Amount: amount, Currency: "TRX", Reference: "order-" + id.Account()}
}

func statedBy(source payout.Source, event payout.Event) payout.Event {
	event.Source = source
	return event
}

// apply applies events, one second apart.
func (b *tables) apply(events ...payout.Event) {
	b.t.Helper()
	for _, event := range events {
		b.now = b.now.Add(time.Second)
		receipt := inbox.NewReceipt(event, []byte("{}"), "k1", b.now)
		if _, err := b.inbox.Apply(b.t.Context(), receipt); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *tables) create(receipts ...inbox.Receipt) {
	b.t.Helper()
	for _, receipt := range receipts {
		if _, err := b.store.Create(b.t.Context(), receipt); err != nil {
			b.t.Fatal(err)
		}
	}
}

func collect[T any](t *testing.T, sequence iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for item, err := range sequence {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, item)
	}
	return all
}

func ids(stored []dynamostore.Stored) []payout.ID {
	var ids []payout.ID
	for _, s := range stored {
		ids = append(ids, s.ID)
	}
	return ids
}

func id(provider, account, number string) payout.ID {
	return payout.NewID(provider, payout.TypePayout, account, number, "")
}

func TestRecord_Applied(t *testing.T) {
	b := newTables(t)
	i := id("cregis", "7", "1")
	b.apply(newEvent(i, payout.Pending, "1.5"), newEvent(i, payout.Succeeded, "1.5"))

	got, ok, err := b.reader.Record(t.Context(), i)
	if err != nil || !ok {
		t.Fatalf("ok = %t, err = %v", ok, err)
	}
	want, _ := payout.Record{ID: i}.Apply(newEvent(i, payout.Pending, "1.5"))
	want, _ = want.Apply(newEvent(i, payout.Succeeded, "1.5"))
	if diff := cmp.Diff(dynamostore.Stored{Record: want, UpdatedAt: b.now}, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	if _, ok, err := b.reader.Record(t.Context(), "cregis/payout/7/2"); ok || err != nil {
		t.Errorf("another payout: ok = %t, err = %v", ok, err)
	}
}

func TestReceiptsOf_OnePayout(t *testing.T) {
	b := newTables(t)
	i := id("cregis", "7", "1")
	b.apply(newEvent(i, payout.Succeeded, "1"), newEvent(i, payout.Failed, "1"), newEvent(id("cregis", "7", "12"), payout.Failed, "1"))
	waiting := inbox.NewReceipt(newEvent(i, payout.Rejected, "1"), []byte("x"), "k2", b.now)
	b.create(waiting)

	var got []string
	for _, receipt := range collect(t, b.reader.ReceiptsOf(t.Context(), i)) {
		got = append(got, fmt.Sprint(receipt.State, " ", receipt.Event.Status, " ", receipt.Outcome))
	}
	want := []string{"applied failed conflict", "received rejected ", "applied succeeded changed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("receipts (-want +got):\n%s", diff)
	}
	receipt, ok, err := b.reader.Receipt(t.Context(), waiting.Key)
	if diff := cmp.Diff(waiting, receipt); !ok || err != nil || diff != "" {
		t.Errorf("ok = %t, err = %v, receipt (-want +got):\n%s", ok, err, diff)
	}
}

// A page of DynamoDB ends at one megabyte.
func TestReceiptsOf_SeveralPages(t *testing.T) {
	b := newTables(t)
	i := id("cregis", "7", "1")
	body := []byte(strings.Repeat("x", 300_000))
	for n := range 8 {
		event := newEvent(i, payout.Succeeded, payout.Amount(fmt.Sprint(n+1)))
		b.create(inbox.NewReceipt(event, body, "k1", b.now))
	}
	if got := len(collect(t, b.reader.ReceiptsOf(t.Context(), i))); got != 8 {
		t.Errorf("%d receipts, want 8", got)
	}
}

func TestReceiptsOf_DamagedReceipt(t *testing.T) {
	b := newTables(t)
	i := id("cregis", "7", "1")
	b.apply(newEvent(i, payout.Failed, "1"), newEvent(i, payout.Succeeded, "1"))
	b.setAmount(inbox.NewReceipt(newEvent(i, payout.Failed, "1"), nil, "", start).Key)

	var good, damaged int
	for receipt, err := range b.reader.ReceiptsOf(t.Context(), i) {
		switch {
		case errors.Is(err, inbox.ErrDamagedReceipt) && receipt.Key.Payout == string(i):
			damaged++
		case err != nil:
			t.Fatal(err)
		default:
			good++
		}
	}
	if good != 1 || damaged != 1 {
		t.Errorf("%d good, %d damaged; want 1 and 1", good, damaged)
	}
}

func (b *tables) setAmount(key inbox.Key) {
	b.t.Helper()
	_, err := b.client.UpdateItem(b.t.Context(), &dynamodb.UpdateItemInput{
		TableName: &b.reader.Receipts,
		Key: map[string]types.AttributeValue{
			"payout":  &types.AttributeValueMemberS{Value: key.Payout},
			"receipt": &types.AttributeValueMemberS{Value: key.Receipt},
		},
		UpdateExpression:          aws.String("SET amount = :other"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":other": &types.AttributeValueMemberS{Value: "999"}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestList_Filters(t *testing.T) {
	b := newTables(t)
	good, bad, conflicted := id("cregis", "7", "1"), id("cregis", "7", "2"), id("cregis", "7", "3")
	other, otherConflicted := id("pivot", "m", "1"), id("pivot", "m", "2")
	b.apply(newEvent(good, payout.Succeeded, "1"), newEvent(bad, payout.Failed, "1"), newEvent(other, payout.Failed, "1"),
		newEvent(conflicted, payout.Failed, "1"), newEvent(conflicted, payout.Succeeded, "1"),
		newEvent(otherConflicted, payout.Failed, "1"), newEvent(otherConflicted, payout.Succeeded, "1"))
	overdue, late, confirmed := id("cregis", "8", "1"), id("pivot", "m", "3"), id("cregis", "8", "2")
	b.apply(statedBy(payout.SourceExpectation, newEvent(overdue, payout.Expected, "1")), statedBy(payout.SourceExpectation, newEvent(late, payout.Expected, "1")),
		statedBy(payout.SourceReconciler, payout.Event{ID: overdue, Status: payout.Overdue, Reason: "open"}),
		statedBy(payout.SourceReconciler, payout.Event{ID: late, Status: payout.Overdue, Reason: "open"}),
		statedBy(payout.SourceExpectation, newEvent(confirmed, payout.Expected, "1")), statedBy(payout.SourceQuery, newEvent(confirmed, payout.Succeeded, "1")),
		statedBy(payout.SourceReconciler, payout.Event{ID: confirmed, Status: payout.Overdue, Reason: "open"}))

	for name, test := range map[string]struct {
		filter  dynamostore.Filter
		want    []payout.ID
		ordered bool
	}{
		"all":                      {want: []payout.ID{good, bad, conflicted, overdue, confirmed, other, otherConflicted, late}},
		"a provider's":             {filter: dynamostore.Filter{Provider: "pivot"}, want: []payout.ID{other, otherConflicted, late}},
		"a status":                 {filter: dynamostore.Filter{Status: payout.Failed}, want: []payout.ID{bad, other}},
		"a status of a provider":   {filter: dynamostore.Filter{Status: payout.Failed, Provider: "cregis"}, want: []payout.ID{bad}},
		"conflicted, newest first": {filter: dynamostore.Filter{Status: payout.Conflicted}, want: []payout.ID{otherConflicted, conflicted}, ordered: true},
		"a provider's conflicted":  {filter: dynamostore.Filter{Status: payout.Conflicted, Provider: "cregis"}, want: []payout.ID{conflicted}},
		"conflicted for a while":   {filter: dynamostore.Filter{Status: payout.Conflicted, Until: start.Add(7 * time.Second)}, want: []payout.ID{conflicted}},
		"overdue, newest first":    {filter: dynamostore.Filter{Overdue: true}, want: []payout.ID{late, overdue}, ordered: true},
		"a provider's overdue":     {filter: dynamostore.Filter{Overdue: true, Provider: "cregis"}, want: []payout.ID{overdue}},
		"overdue of a status":      {filter: dynamostore.Filter{Overdue: true, Status: payout.Succeeded}},
		"unconfirmed":              {filter: dynamostore.Filter{Unconfirmed: true}, want: []payout.ID{good, bad, other}},
		"unexpected":               {filter: dynamostore.Filter{Unexpected: true}, want: []payout.ID{good, bad, conflicted, other, otherConflicted}},
		"an account's unexpected":  {filter: dynamostore.Filter{Unexpected: true, Account: "m"}, want: []payout.ID{other, otherConflicted}},
		"none":                     {filter: dynamostore.Filter{Provider: "cre"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := ids(collect(t, b.reader.List(t.Context(), test.filter)))
			if !test.ordered {
				slices.Sort(got)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("payouts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	b := newTables(t)
	for n := range 3 {
		conflicted, late := id("cregis", "7", fmt.Sprint(n)), id("cregis", "8", fmt.Sprint(n))
		b.apply(newEvent(conflicted, payout.Failed, "1"), newEvent(conflicted, payout.Succeeded, "1"), newEvent(late, payout.Pending, "1"),
			statedBy(payout.SourceReconciler, payout.Event{ID: late, Status: payout.Overdue, Reason: "open"}))
		for account, providerID := range []string{"", "1"} { // the second is asked about
			held := inbox.HeldCallback{Provider: "cregis", Type: payout.TypePayout, Account: fmt.Sprint(account), Subject: []byte{byte(n)}, ProviderID: providerID}
			b.create(inbox.NewHeldReceipt(held, nil, "k", start))
		}
		b.create(inbox.NewReceipt(newEvent(late, payout.Failed, "1"), nil, "k", start))
	}
	for limit, want := range map[int]dynamostore.Counts{
		100: {Waiting: 3, Held: 6, Conflicted: 3, Overdue: 3},
		2:   {Waiting: 2, Held: 2, Conflicted: 2, Overdue: 2},
	} {
		got, err := b.reader.Counts(t.Context(), limit)
		if err != nil || got != want {
			t.Errorf("limit %d: %+v, want %+v (%v)", limit, got, want, err)
		}
	}
}

func TestByReference_SeveralPayouts(t *testing.T) {
	b := newTables(t)
	b.apply(newEvent(id("cregis", "7", "1"), payout.Failed, "1"), newEvent(id("cregis", "7", "2"), payout.Failed, "1"),
		newEvent(id("cregis", "8", "1"), payout.Failed, "1"))
	list := b.reader.ByReference(t.Context(), "order-7")
	for range 2 { // a sequence can be ranged over again
		if diff := cmp.Diff([]payout.ID{id("cregis", "7", "1"), id("cregis", "7", "2")}, ids(collect(t, list))); diff != "" {
			t.Errorf("payouts (-want +got):\n%s", diff)
		}
	}
}

func TestReader_SequencesEnd(t *testing.T) {
	b := newTables(t)
	b.apply(newEvent(id("cregis", "7", "1"), payout.Failed, "1"), newEvent(id("cregis", "7", "2"), payout.Failed, "1"))
	for _, err := range b.reader.List(t.Context(), dynamostore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	for _, err := range b.reader.Unapplied(t.Context(), inbox.Held) {
		t.Fatal("no receipt is held", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, sequence := range map[string]iter.Seq2[dynamostore.Stored, error]{
		"scan":      b.reader.List(ctx, dynamostore.Filter{}),
		"index":     b.reader.List(ctx, dynamostore.Filter{Status: payout.Conflicted}),
		"reference": b.reader.ByReference(ctx, "order-7"),
	} {
		var errs []error
		for _, err := range sequence {
			errs = append(errs, err)
		}
		if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
			t.Errorf("%s: errors %v, want 1", name, errs)
		}
	}
	for _, err := range b.reader.Unapplied(ctx, inbox.Received) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("unapplied: error %v, want canceled", err)
		}
	}
}
