// Package providertest is the suite that each payment provider passes, and the
// loader of the vectors that it runs on.
//
// A vector is one callback with the verdict it must get, as data:
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
//	type:   the route it came to: payout, sub-address-payout
//	source: where the body comes from: a page with its date, or "own"
//	sign:   <account> | <account> previous: prove it with that account's
//	        current (previous) key before sending; without this line the
//	        callback is sent as it stands
//	why:    what the vector shows; optional
//
// Any other line is an error, so that a misspelt one cannot switch off a check.
//
// The body is what stands in the file body, less the one newline that ends
// every file of an archive. Bytes that an archive cannot hold stand in
// body.quoted instead: lines of a Go string each, optionally repeated:
//
//	"\xff\xfe"
//	"[" x10000
//
// Lines in headers are set over those that signing sets. event.json is the
// normalised event of an accepted vector; `go test -update` rewrites it.
//
// [Run] is for tests. [Load] needs no testing.T, so that demonstrations and
// command lines can send the same callbacks.
package providertest
