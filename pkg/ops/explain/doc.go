// Package explain says what this system would do with a callback, step by step,
// and why: for a person who asks why a callback was refused, or what a body
// means. It changes nothing, calls nothing, and no function imports it.
//
// The verdict is always the provider's own: Verify and Parse are asked, not
// imitated. What the package adds is the search for the mistake where Verify
// refuses: it takes the body for altered, or signed, in each of the ways in
// which that goes wrong in practice, and looks whether the proof fits one of
// the keys then. A proof that fits is no guess: it names the mistake, and what
// was signed.
//
// A [Report] holds no key, only their ids, and of the proof that a body should
// have carried no more than its beginning: whole, it would let whoever reads
// the report send that body.
package explain
