// Package inboxtest is the contract of inbox's ports as tests: the same suite
// runs on the twin in memory and on the adapters to AWS, so that what is
// proven over the one holds on the other.
//
// [Check] is the one place that states, over everything that is stored and
// queued, what must be true when the dust has settled (invariants I1 to I8 of
// docs/STATES.md). [Process] is a run of a function in which calls go wrong.
package inboxtest
