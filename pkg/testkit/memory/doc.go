// Package memory is an honest twin of the stores on AWS: it keeps receipts and
// payouts in memory under the same conditions, and its queue delivers in any
// order, more than once, and gives up into a dead-letter queue. It checks
// itself: a write that no correct caller makes panics.
//
// It is for tests and simulations. Time and chance are handed in, so that a
// run can be repeated exactly.
package memory
