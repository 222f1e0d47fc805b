package console

// Hub is a hub for tests.
type Hub struct{ hub }

// Announce is announce.
func (h *Hub) Announce() { h.announce() }

// Subscribe is subscribe.
func (h *Hub) Subscribe() chan struct{} { return h.subscribe() }

// Unsubscribe is unsubscribe.
func (h *Hub) Unsubscribe(stream chan struct{}) { h.unsubscribe(stream) }

// IsWatched is isWatched.
func (h *Hub) IsWatched() bool { return h.isWatched() }

// Linked is linked.
var Linked = linked
