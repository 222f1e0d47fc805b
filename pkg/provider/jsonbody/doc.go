// Package jsonbody reads the JSON bodies of callbacks, strictly: a text that two parsers
// could read differently is refused, and a body that cannot be read is held under a
// subject that all its spellings have. It leaves to the providers what a body means.
package jsonbody
