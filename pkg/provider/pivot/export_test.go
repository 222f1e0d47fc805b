package pivot

// CanonicalText returns a reference as an event has it.
func CanonicalText(text string) string { return canonicalText(text) }

// CanonicalJSON returns the subject of a held body.
func CanonicalJSON(text []byte) []byte { return canonicalJSON(text) }
