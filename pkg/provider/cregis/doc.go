// Package cregis verifies and parses the callbacks of Cregis: payouts in
// crypto-currencies from a project's wallet or from one of its sub-addresses.
//
// Cregis signs a body with an MD5 over the project's key and the body's fields,
// sorted by name and concatenated without separators (the canonical string). The
// package promises:
//
//   - A callback is verified only if the current or the previous key of the project
//     that the body names signed it, over every field of one flat object of strict
//     JSON.
//   - One signature covers every body with the same canonical string. So a body
//     becomes an event only if it has no unknown fields and no value can contain
//     another field (see unambiguous.go). Otherwise the callback is held with its
//     signed text.
//   - A field becomes part of an event only in its documented form, and a body only
//     on the route of its own type. Everything else that is authentic is held;
//     nothing is guessed.
//
// docs/providers/cregis.md lists what this cannot exclude.
//
// MD5 is Cregis's choice and stays within this package. Its weakness with a key in
// front, that a signed text can be extended, leaves bytes that are not UTF-8; such
// a body is refused.
//
// Expectations and answers to queries become events with the canonical forms of
// callbacks. An answer is bound to its question by TLS and by the project, and to the
// payout by our reference; its values need no forms.
//
// Callers keep held callbacks, deduplicate and merge. The package does not look at
// the age of a callback: a person can push it again days later.
//
// The provider's pages are cited as docs/<path>, short for
// https://developer.cregis.com/<path>.
package cregis
