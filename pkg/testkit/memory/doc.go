// Package memory implements the stores and queues of package inbox in memory, for
// tests and simulations. It checks the same conditions as the adapters to AWS. Its
// queue delivers in any order and more than once, and moves messages to a dead-letter
// queue. A write that no correct caller makes panics.
//
// Clock and random source are passed in, so that a run can be repeated exactly.
package memory
