// Command payoutctl is the one tool for operating payout-callbacks: on the
// local stack that `make run` starts, and on a stack that `sam deploy` made.
//
//	payoutctl --local send cregis payout --status 6
//	payoutctl --local payouts --status conflicted
//	payoutctl --stack payouts-prod show order-4711
//	payoutctl --stack payouts-prod resolve order-4711 --trust failed/ --reason 'ticket 4711'
//	payoutctl --stack payouts-prod audit --from 24h
//	payoutctl --stack payouts-prod keys add pivot MERCHANT --reason "first key" <key.txt
//
// What it asks for goes to standard output, everything else to standard error.
// With --json each thing is one JSON object on a line of its own, unshortened;
// without, addresses are shortened unless --full is given. Keys are never
// printed, only their ids. Text that a provider wrote is printed with its
// control characters made visible, so that it cannot steer a terminal.
//
// Exit codes, for scripts:
//
//	0  done: found, acknowledged, stored (of a forged callback: refused, as it should be)
//	1  no: not found, or a callback was answered otherwise than it should be
//	2  usage: the command line or what it names cannot be used
//	3  failure: there is no such stack, or AWS or the network failed
//
// With --local nothing of the user's AWS configuration is read: the endpoint is
// the emulator's and the credentials are the emulator's own.
package main
