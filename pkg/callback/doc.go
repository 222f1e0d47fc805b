// Package callback is what happens to one HTTP request of a payment provider:
// verify who sent it, parse it into an event, accept the event durably, reply.
// Always in this order, and nothing outside the provider's scheme decides
// anything.
//
// One rule stands behind every reply: what is authentic is kept and
// acknowledged; what is not is refused and leaves nothing. An authentic
// callback that is not understood is held, never dropped and never guessed. A
// fault of our own is never answered as the sender's.
//
// A [Provider] brings the four things in which providers differ; [Handler] is
// the flow that they share.
package callback
