// Command bench measures this application against floors: the least code that
// does the same requests, by the same client, in the same process, in turns.
//
//	make bench
//	.local/bin/local exec -- go run ./cmd/bench --quick --only accept
//
// What it prints are ratios, each with the interval that holds the true median in
// 95 of 100 runs. Times stand beside them to show of what: those of the local
// emulator on this machine, not of AWS. Nothing is talked to but the endpoints in
// AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_SQS, which must be here.
//
// Exit codes: 0 every ratio is reached, 1 one is not, 2 usage, 3 failure.
package main
