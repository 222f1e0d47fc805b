// Package notification says what is published when the meaning of a payout changed,
// for services that react to it; docs/EVENTS.md is written for those who build
// them.
//
// A [Notice] tells what the payout's record shows now, never what one callback
// told. Its type is a function of the record alone, so the notice of a payout
// can be made again at any time from the table. It holds no address, memo or
// body: a service that reacts needs to know which payout, how much and how it
// ended, and what it need not know it cannot leak.
//
// Notices are delivered at least once and in no order. Version orders those of
// one payout: of two notices, the one with the greater version was true later.
// After a restore, or a rebuild of a payout that lost receipts, versions go down
// and are used again; docs/EVENTS.md says what is done then.
// A consumer keeps the greatest version that it has acted on for each payout
// and drops what is not above it. It must not rely on ID alone to act once: a
// notice that is published again by hand has the version, and so the ID, that
// the payout has by then.
package notification
