// Package inbox owns events between a provider's callback and the payout that
// it changes. Its record of owning one is the receipt: dedup record and outbox
// in one, so that accepting an event costs one conditional write and one send.
//
// What it promises, on a [Store] and a [Queue] that fail in any way they like:
//
//   - what Accept acknowledged is in the store or in the queue (I1);
//   - a receipt is applied at most once, in the transaction that also changes
//     its payout, however often the queue delivers it (I2, I4, I5);
//   - once faults stop, every such receipt is applied or held (I3): Sweep sends
//     again what the queue lost, and adopts from the dead-letter queue what the
//     store never got.
//
// Recovery is the normal path run once more: a message always carries its whole
// receipt, so nothing depends on which of the two stores has heard of it.
package inbox
