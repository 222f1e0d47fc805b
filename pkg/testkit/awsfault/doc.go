// Package awsfault injects faults of AWS into an SDK client, for tests. A [Layer] is
// inside the client and below its retries, so the SDK decodes, classifies and
// retries an injected fault like one of AWS. Emulators never throttle, lose a
// response, or report conflicting transactions.
//
// The tests of this package run inbox.Inbox with dynamostore and sqsqueue under such
// faults.
package awsfault
