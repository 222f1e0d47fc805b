// Package explain shows how a captured callback is handled, step by step, and
// why it is refused. It changes nothing and makes no request.
//
// The provider decides: Explain calls its Verify and Parse. Where Verify refuses
// a callback, Explain looks for the cause. It undoes, one after the other, the
// alterations that senders and proxies make (a number or an escape rewritten,
// whitespace, an encoding, another key, another account), and calls Verify
// again. An alteration is reported only if Verify then accepts the callback.
//
// A [Report] holds key ids instead of keys, and at most the first characters of
// an expected signature: a whole one would allow its reader to forge the body.
package explain
