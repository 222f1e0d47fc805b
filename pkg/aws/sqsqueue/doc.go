// Package sqsqueue sends receipts to SQS and reads them back: the events queue and
// the dead-letter queue behind it.
//
// A message holds a whole receipt with its raw body, because it is the only copy
// if the store is down. Decode verifies what it reads: a message whose key does
// not match its content is unreadable, like one of a later schema version. Package
// consumer handles the batches that Lambda takes from the queue.
package sqsqueue
