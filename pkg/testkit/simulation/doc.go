// Package simulation plays histories: hours and days of two payment providers
// with their documented habits, of the application's own code, and of faults
// between them, in a millisecond each.
//
// A history has one goroutine, one virtual clock and one source of random
// numbers, so that its seed repeats it exactly. It runs the deployed code:
// callback.Handler with the providers' verification over signed bodies and
// secrets.Keys, inbox.Accept, Apply and Sweep, and the consumer. The stores are
// those of pkg/testkit/memory. Their calls fail, succeed and report a failure,
// hang, or stop their process; between two calls of a process another process
// may run.
//
// After every step that may have changed something, the invariants of
// docs/STATES.md are checked on the whole state. Once faults have stopped, the
// history runs until no work is left; then each payout must be what its
// callbacks state.
//
// It is for tests and for tools/simulate, and is never linked into a function.
package simulation
