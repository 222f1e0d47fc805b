// Package keyring changes the callback keys of a provider's accounts. Operators
// use it; the functions only read keys, with pkg/aws/secrets.
//
// An account has a current key and, during a rotation, a previous one. Both
// verify callbacks:
//
//	Add      makes a new key the current one, and the current one the previous
//	Promote  exchanges the current and the previous key
//	Retire   removes a key, which no longer verifies callbacks
//
// A rotation therefore refuses no callback, whenever the provider changes its
// key. The number of callbacks under the previous key shows whether the provider
// has changed it.
//
// Concurrent changes of one secret do not overwrite each other: [Store.Write]
// fails unless the secret still has the version that was read. A crash inside
// Write leaves the secret either unchanged or changed.
package keyring
