// Package providertest contains the test suite that each payment provider passes, and
// the loader of its test vectors.
//
// A vector is a callback with the verdict that it must get, as data:
//
//	why: bulk example of the page, exactly as printed
//	expect: accepted
//	type: payout
//	source: https://example.org/payout-callback, 2026-03-02
//	sign: 922e39ab-7565-49f6-b84f-fb56122821ae
//	-- headers --
//	Content-Type: text/plain
//	-- body --
//	{"event":"PAYOUT.DONE"}
//	-- event.json --
//	{"id":"..."}
//
// The header lines are
//
//	expect: accepted | held <reason> | unauthentic | malformed | too-large
//	type:   its route: payout, sub-address-payout
//	source: the source of the body: a page with its date, or "own"
//	sign:   <account> | <account> previous: sign it with that account's
//	        current (previous) key before sending; without this line the
//	        callback is sent as it is
//	why:    what the vector shows; optional
//
// Any other line is an error, so that a misspelt line cannot disable a check.
//
// The body is the file body without the newline that ends every file of an archive.
// Bytes that an archive cannot contain are in body.quoted instead: each line is a Go
// string, optionally repeated:
//
//	"\xff\xfe"
//	"[" x10000
//
// Lines in headers replace the headers that signing sets. event.json is the event of
// an accepted vector; `go test -update` rewrites it.
//
// [Run] is for tests. [Load] needs no testing.T, so that demonstrations and command
// lines can send the same callbacks.
package providertest
