package console

// Announce announces a change to the open pages.
func (c *Console) Announce() { c.hub.announce() }

// Linked is linked.
var Linked = linked
