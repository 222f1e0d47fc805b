// Package redrive diagnoses the messages of the dead-letter queue for an operator,
// and moves them: back to the events queue, or into a file. No function imports it.
//
// A message is deleted only after it was sent or saved. An interruption in between
// leaves it in both places, which is harmless: an event is applied once, however
// often it is delivered.
//
// A message that is only read is invisible to others meanwhile, and then made
// visible again; after a crash, it is visible again after [VisibilityTimeout]. Of
// two operators who work on one queue, each message goes to one of them, or to both
// if one takes longer than [VisibilityTimeout], which is harmless, too.
package redrive
