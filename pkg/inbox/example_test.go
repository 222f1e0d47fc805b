package inbox_test

import (
	"context"
	"fmt"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/memory"
)

var exampleTime = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// newExample returns an inbox over stores in memory, and the receipt of an event.
func newExample() (*inbox.Inbox, *memory.Store, *memory.Queue, inbox.Receipt) {
	now := func() time.Time { return exampleTime }
	store := &memory.Store{}
	queue := &memory.Queue{Now: now, Visibility: time.Minute, MaxReceives: 10}
	event := payout.Event{
		ID:     payout.NewID("cregis", payout.TypePayout, "1382528827416576", "1391751691788288", ""),
		Status: payout.Succeeded, Amount: "1.1", Currency: "TRX",
	}
	receipt := inbox.NewReceipt(event, []byte(`{"status":6}`), "0a1b2c3d", exampleTime)
	return &inbox.Inbox{Store: store, Queue: queue, DeadLetters: queue, Now: now}, store, queue, receipt
}

// A callback may be acknowledged once Accept has returned without an error.
func ExampleInbox_Accept() {
	box, _, _, receipt := newExample()
	for range 2 {
		result, err := box.Accept(context.Background(), receipt)
		fmt.Println(result.Acceptance, err)
		receipt.AcceptedAt = receipt.AcceptedAt.Add(time.Second) // the provider sends the callback again
	}
	// Output:
	// new <nil>
	// duplicate <nil>
}

// A receipt takes effect once, however often it is delivered.
func ExampleInbox_Apply() {
	box, store, _, receipt := newExample()
	for range 2 {
		result, err := box.Apply(context.Background(), receipt)
		fmt.Println(result, err)
	}
	record := store.Record(receipt.Event.ID)
	fmt.Println(record.Status(), record.Version)
	// Output:
	// changed <nil>
	// duplicate <nil>
	// succeeded 1
}

// Sweep resends a receipt whose message was lost.
func ExampleInbox_Sweep() {
	box, _, queue, receipt := newExample()
	if _, err := box.Accept(context.Background(), receipt); err != nil {
		fmt.Println(err)
	}
	queue.DropAll()
	box.Now = func() time.Time { return exampleTime.Add(inbox.FirstDue) }
	result, err := box.Sweep(context.Background(), 100)
	fmt.Println(result.Due, result.Resent, err)
	// Output: 1 1 <nil>
}

// A resolution is accepted and applied like an event.
func ExampleNewResolutionReceipt() {
	box, store, _, receipt := newExample()
	failed := receipt.Event
	failed.Status = payout.Failed
	for _, event := range []payout.Event{receipt.Event, failed} {
		_, _ = box.Apply(context.Background(), inbox.NewReceipt(event, nil, "0a1b2c3d", exampleTime))
	}
	record := store.Record(failed.ID)
	fmt.Println(record.Status(), record.Conflicts())

	resolution, err := record.NewResolution(failed)
	if err != nil {
		fmt.Println(err)
	}
	result, err := box.Apply(context.Background(), inbox.NewResolutionReceipt(resolution, "alice: confirmed by Cregis", exampleTime))
	fmt.Println(result, store.Record(failed.ID).Status(), err)
	// Output:
	// conflicted [status]
	// changed failed <nil>
}
