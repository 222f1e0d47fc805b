// Package simulation plays histories: hours and days of two payment providers
// with their documented habits, of our own service, which orders payouts, of the
// application's code, and of faults between them, in milliseconds each.
//
// A history has one goroutine, one virtual clock and one source of random
// numbers, so that its seed repeats it exactly. It runs the deployed code:
// callback.Handler with the providers' verification over signed bodies and
// secrets.Keys, inbox.Accept, Apply and Sweep, the consumer, reconcile.Expecter and
// reconcile.Reconciler. The stores are those of pkg/testkit/memory. Callbacks and
// answers of a provider follow from one truth about each payout. Their calls fail, succeed and report a failure,
// hang, or stop their process; between two calls of a process another process
// may run.
//
// After every step that may have changed something, the invariants of
// docs/STATES.md are checked on the whole state. Once faults have stopped, the
// history runs until no work is left; then each payout must be what its
// statements say, and show what it would show if no callback had been lost.
//
// It is for tests and for tools/simulate, and is never linked into a function.
package simulation
