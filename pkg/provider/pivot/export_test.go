package pivot

// CanonicalText is the form of a reference in an event.
func CanonicalText(text string) string { return canonicalText(text) }
