package providertest

import (
	"io/fs"

	"payout-callbacks/pkg/callback"
)

// Broken returns the names of the laws that a provider breaks on a vector.
func Broken(p Provider, keys callback.Keys, v Vector, options ...Option) []string {
	s := suite{Provider: p, keys: keys}
	for _, option := range options {
		option(&s)
	}
	var names []string
	for _, law := range laws {
		if err := law.check(s, v); err != nil {
			names = append(names, law.name)
		}
	}
	return names
}

// CheckReplies is what Run checks of a provider's table.
func CheckReplies(p Provider, fsys fs.FS) error { return suite{Provider: p}.checkReplies(fsys) }

// CheckKeys is what Run asks of its keys.
func CheckKeys(keys callback.Keys) error { return suite{keys: keys}.checkKeys() }

// CheckKinds is what Run asks of the vectors.
func CheckKinds(p Provider, vectors []Vector) error { return suite{Provider: p}.checkKinds(vectors) }
