package pivot

// CanonicalText returns a reference as an event has it.
func CanonicalText(text string) string { return canonicalText(text) }
