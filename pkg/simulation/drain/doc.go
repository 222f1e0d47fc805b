// Package drain plays a load of callbacks, a long outage of the consumer and
// the drain that follows, in seconds, to find out what a parameter of the
// template does to it.
//
// What decides is what is deployed: inbox.Accept, Apply and Sweep, with the
// sweeper's own claims, waits, patience and limits, over the store in memory
// and under a virtual clock. What AWS adds is a model, and a plain one:
//
//   - The queue delivers in the order of sending, each account in its turn,
//     which is the most that SQS's fair queues can do; it keeps a message
//     for four days, hides what is delivered for 180 s, has at most 120,000
//     messages in flight, and takes a message for dead after ten receives.
//   - Lambda starts with five consumers and adds 300 a minute up to the limit.
//     Each takes up to ten messages, and the same time for each batch. It does
//     not slow down for a function that fails.
//   - A run of the sweeper happens at one moment, but its requests take time
//     one after the other, and it stops before its 50 s are over.
//
// Not in the model: throttling, the quotas of an account, and failures of the
// store or the queue, which are package simulation's.
//
// Many receipts may be played by one (Scenario.Each). Then there are so many
// fewer callbacks, a batch and a request take so much longer and SweepLimit is
// so much smaller; what is reported is in callbacks again.
package drain
