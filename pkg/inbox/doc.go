// Package inbox makes events durable and applies each of them to its payout once.
// Its record of an event is the receipt: deduplication record and outbox entry in
// one item, so that accepting an event costs one conditional write and one send.
//
// On a [Store] and a [Queue] that may fail in any way, it guarantees:
//
//   - an event that Accept acknowledged is in the store or in the queue (I1);
//   - a receipt is applied at most once, in the transaction that also changes its
//     payout, however often the queue delivers it (I2, I4, I5);
//   - once faults stop, every such receipt is applied or held (I3): Sweep resends
//     receipts whose messages the queue lost, and recovers from the dead-letter
//     queue the receipts that the store does not have.
//
// Recovery repeats the normal path: a message always carries its whole receipt, so
// it does not matter whether store, queue or both have it.
//
// The package leaves it to others to verify and parse callbacks (package callback)
// and to deliver messages to Apply (package consumer).
package inbox
