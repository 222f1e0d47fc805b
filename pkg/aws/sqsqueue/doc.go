// Package sqsqueue carries receipts through SQS: it writes and reads the
// messages, and it is the consumer's side of the contract between SQS and
// Lambda, in which a batch is answered with the messages that failed.
//
// A message holds its whole receipt, raw body included, because it may be the
// only copy: it is what is sent when the store is down. Its reader believes
// nothing that it cannot check: a message whose receipt does not say what its
// key does is foreign, like one of a later schema version.
package sqsqueue
