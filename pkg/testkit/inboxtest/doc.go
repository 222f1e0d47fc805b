// Package inboxtest holds the contract of the ports of package inbox as tests. The same
// suites run on package memory and on the adapters to AWS, so that what tests show
// with the memory stores holds for the adapters.
//
// [Check] checks invariants I1 to I8 of docs/STATES.md over everything that is stored
// and queued. [Process] is one run of a function whose calls may fail.
package inboxtest
