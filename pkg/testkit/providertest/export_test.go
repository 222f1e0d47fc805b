package providertest

import (
	"io/fs"

	"payout-callbacks/pkg/callback"
)

// Broken returns the names of the laws that a provider breaks for a vector.
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

// CheckReplies checks the replies of a provider, as Run does.
func CheckReplies(p Provider, fsys fs.FS) error { return suite{Provider: p}.checkReplies(fsys) }

// CheckKeys checks the keys, as Run does.
func CheckKeys(keys callback.Keys) error { return suite{keys: keys}.checkKeys() }

// CheckKinds checks the kinds of vectors, as Run does.
func CheckKinds(p Provider, vectors []Vector) error { return suite{Provider: p}.checkKinds(vectors) }
