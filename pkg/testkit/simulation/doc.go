// Package simulation plays histories: hours and days of two payment providers
// with their real habits, of this application's own code, and of everything
// that goes wrong between them, in a millisecond each.
//
// One history is one goroutine, one virtual clock and one source of chance, so
// that its seed repeats it exactly. What runs in it is what is deployed:
// callback.Handler with the providers' own verification over really signed
// bodies and secret.Keys, inbox.Accept, Apply and Sweep, and the consumer. In
// memory are only the stores (pkg/testkit/memory), whose calls fail, happen and are
// reported as failed, hang, or are the last thing their process does. Between
// any two calls of a process another one may run.
//
// After every step that could change something, inboxtest.Check holds the
// whole state to the invariants of docs/STATES.md. Once faults have stopped,
// the history runs until nothing is left to do; then every fact that a
// provider told must be in its payout's record, and nothing else.
//
// It is for tests and for tools/simulate, and is never linked into a function.
package simulation
