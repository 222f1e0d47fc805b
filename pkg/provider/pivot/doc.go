// Package pivot verifies and parses the callbacks of Pivot: payouts to Indonesian
// bank accounts, singly and in bulk.
//
// Pivot sends a key in the header X-API-Key and signs nothing, so whoever has the
// key can write any body. The package promises:
//
//   - A callback is verified only if its key is the current or the previous key of a
//     merchant.
//   - It becomes an event only if the body names that merchant and every part of the
//     event has its documented form. Everything else with a valid key is held;
//     nothing is guessed.
//
// The callback of a single payout becomes an event of a payout, that of a bulk
// request an event of a batch, which names no item. Both arrive on one route. The
// body decides between them, because both have the event PAYOUT.DELAYED.
//
// Expectations and answers to queries become events with the canonical forms of
// callbacks. Nothing is kept of what an answer states about the recipient's account.
//
// Callers keep held callbacks, deduplicate and merge.
//
// The provider's pages are cited as docs/<path>, short for
// https://pivot-payment.gitbook.io/pivot-docs/<path>; docs/providers/pivot.md in this
// repository sums them up.
package pivot
