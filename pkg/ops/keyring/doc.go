// Package keyring changes the callback keys of a provider's accounts, for
// people and tools; the functions only ever read them, with pkg/aws/secrets.
//
// An account has a current key and, while it moves from one to the next, a
// previous one; callbacks are believed under either:
//
//	add      the new key becomes the current one, the one so far the previous
//	promote  the previous key becomes the current one again, and the other way round
//	retire   the key is no longer believed
//
// So no callback is refused at any moment of a rotation, whenever the provider
// changes over, and the count of callbacks under the previous key says whether
// it has.
//
// Two people who change one secret at the same moment do not undo each other:
// [Store.Write] takes effect only on the version that was read. A crash inside
// it leaves the secret as it was, or as it should be.
package keyring
