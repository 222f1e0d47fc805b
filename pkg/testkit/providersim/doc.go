// Package providersim simulates the providers: HTTP servers that behave as the
// documentation of Cregis and Pivot says. A payout is ordered, ends after a
// while, sends its callback, and can be queried. The package promises:
//
//   - Requests are checked, callbacks are signed, and answers are written as the
//     providers' pages document them, by code that shares nothing with this
//     module's providers. Where no page says what happens, the comment has [guess].
//   - Callbacks are repeated as the provider repeats them: Pivot after 5xx, 408,
//     and 429, Cregis never. Once nothing is waiting, nothing is sent.
//   - A [Plan] decides how a payout ends and what goes wrong on the way: lost,
//     late, doubled, reordered, forged, and altered callbacks; stale, wrong,
//     unreadable, and refused queries. Without a plan a payout succeeds at once.
//   - Everything follows from the injected clock and random source, so that a
//     test can be repeated.
//
// Tests move a clock and call DeliverDue; a local stack calls Run, which sends
// in real time. The handlers serve the provider's API, and under /simulator/ an
// API for a person (see control.go). They have no access control of their own
// beyond the provider's: serve them on a loopback address.
//
// The methods of [Cregis] and [Pivot] are safe for concurrent use.
//
// Pages are cited as docs/<path>, short for https://developer.cregis.com/<path>
// and https://pivot-payment.gitbook.io/pivot-docs/<path>, read on 2026-11-21.
package providersim
