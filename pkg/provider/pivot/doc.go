// Package pivot is the payment provider Pivot: payouts to Indonesian bank
// accounts, singly and in bulk.
//
// Pivot proves itself by a key in the header X-API-Key and signs nothing, so
// whoever knows the key may write any body. The package therefore promises no
// more than this: a callback is believed only if its key is the current or the
// previous one of the merchant that the body names; it becomes an event only if
// every part of it that an event is made of has its documented form; everything
// else under a valid key is held. It guesses nothing, reads no clock and keeps
// no state.
//
// A single payout's callback tells an event of a payout, a bulk request's one
// of a batch: it names no item. Both come to one route and are told apart by
// the body, because the event PAYOUT.DELAYED exists in both families.
//
// Left to others: to keep what is held, to deduplicate, and to merge.
//
// The provider's pages are cited as docs/<path>, short for
// https://pivot-payment.gitbook.io/pivot-docs/<path>;
// docs/providers/pivot.md in this repository sums them up.
package pivot
