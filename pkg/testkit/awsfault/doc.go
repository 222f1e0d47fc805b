// Package awsfault makes the AWS behind an SDK client fail on purpose, for
// tests. A [Layer] sits inside the client, below its retries: what it does to
// one attempt, the SDK's own decoding, classification and retrying meet as they
// would meet it from AWS. Emulators never throttle, never lose an answer and
// never report two transactions in conflict.
//
// The tests of this package are those of dynamostore and sqsqueue under such
// faults, driven through inbox.Inbox, as the functions drive them.
package awsfault
