// Command payoutctl operates payout-callbacks: the local stack that `make run`
// starts, and stacks that `sam deploy` deploys.
//
//	payoutctl --local send cregis payout --status 6
//	payoutctl --local payouts --status conflicted
//	payoutctl --stack payouts-prod show order-4711
//	payoutctl --stack payouts-prod resolve order-4711 --trust failed/ --reason 'ticket 4711'
//	payoutctl --stack payouts-prod audit --from 24h
//	payoutctl --stack payouts-prod keys add pivot MERCHANT --reason "first key" <key.txt
//
// Results go to standard output, everything else to standard error. With --json,
// each result is one JSON object per line, unshortened; without it, addresses are
// shortened unless --full is given. Keys are never printed, only their ids. Control
// characters in text of a provider are escaped, so that it cannot control the
// terminal.
//
// Exit codes, for scripts:
//
//	0  success
//	1  negative result: not found, findings, or an unexpected answer
//	2  usage: the command line is invalid
//	3  failure: the stack does not exist, or AWS or the network failed
//
// With --local the user's AWS configuration is not read: endpoint and credentials
// are those of the emulator.
//
// The commands are in internal/find, internal/repair, internal/prove and
// internal/operate, as the help groups them.
package main
