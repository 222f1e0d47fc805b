// Package traffic generates the callbacks of both providers and checks what
// they leave behind. It decides which callbacks are sent about a payout, writes
// and signs their bodies, and forges them. A [Ledger] records what was sent and
// acknowledged, and compares the stored receipts and payouts with it.
//
// It knows neither time nor transport: pkg/testkit/simulation delivers the
// callbacks under a virtual clock, tools/storm over HTTP.
package traffic
