// Package scheme verifies who sent a callback, by the two schemes that most providers
// use: [HeaderKey], a key in a header, and [HMAC], a signature of the body in a header.
//
// The package promises:
//
//   - Only the current or the previous key of an account verifies a request. An empty
//     key verifies nothing.
//   - The time of a verification reveals nothing about a key or a signature.
//   - It reads a bounded number of bytes and signatures, and no clock.
//
// The key decides whose callback it is. A body that names another account than the
// sender is verified, and the provider's parser holds it. Schemes are values that
// providers configure, safe for concurrent use.
package scheme
