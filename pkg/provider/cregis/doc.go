// Package cregis is the payment provider Cregis: payouts in crypto-currencies,
// out of a project's wallet or out of one of its sub-addresses.
//
// Cregis signs a body with an MD5 over the project's key and the body's fields,
// sorted by name and written one after the other without anything between them
// (the canonical string). The package promises:
//
//   - A callback is believed only if its signature was made with the current or
//     the previous key of the project that the body names, over every field of
//     one strict, flat JSON object.
//   - One signature covers every body that has the same canonical string, so
//     a body becomes an event only if it has known fields alone and no value of
//     it may contain another field (see unambiguous.go). Otherwise the callback is
//     held with its signed text.
//   - A field becomes part of an event only in its documented form, and a body
//     only on the route of its own type. Everything else that is authentic is
//     held; nothing is guessed.
//
// What this cannot exclude is written down in docs/providers/cregis.md.
//
// MD5 is Cregis's choice and stays within this package. Knowing the key is
// what makes a signature; the known weakness of a key in front, extending the
// signed text, leaves bytes that are not UTF-8 and is refused for that.
//
// Left to others: to keep what is held, to deduplicate, and to merge. The age
// of a callback is not looked at: a person may push it again days later.
//
// The provider's pages are cited as docs/<path>, short for
// https://developer.cregis.com/<path>.
package cregis
