// Package providertest contains the test suite that each payment provider passes, and
// the loader of its test vectors. [Requirements] lists what the suite requires, and
// docs/providers/TEMPLATE.md describes it.
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
// Two tables change vectors, by JSON merge patches that are signed like the vector:
//
//	source: https://example.org/statuses, 2026-03-02
//	vector: paid
//	succeeded            {"status": "paid"}
//	held unknown-status  {"status": "new"}
//
// testdata/statuses.txt, and answers/statuses.txt for answers, has each documented status, with ours or the reason for which it is
// held. testdata/spellings.txt has groups of callbacks: those under "same recipient", "same
// currency", or same anything are one event, those under "different events" are events of
// one payout, and those under "different payouts" are events of as many payouts.
//
// [Run] is for tests. [Load] needs no testing.T, so that demonstrations and command
// lines can send the same callbacks.
package providertest
