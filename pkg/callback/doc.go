// Package callback handles one HTTP request of a payment provider: verify who sent
// it, parse it into an event, accept the event durably, reply. The order is fixed,
// and only the provider's scheme decides who is verified.
//
// An authentic callback is kept and acknowledged; any other is refused and leaves
// nothing. An authentic callback that is not understood is held: it is never
// dropped, and nothing is guessed. An error of our own is never answered as the
// sender's.
//
// A [Provider] implements what differs between providers, [Handler] what they
// share.
package callback
