package main

const description = `Operates payout-callbacks: sends callbacks as a provider would, finds payouts, tells a payout's story, stores keys.

Say which stack with --local (the one that "make run" started) or --stack NAME (one that "sam deploy" made).

Exit codes: 0 done; 1 not found, or answered otherwise than it should be; 2 usage; 3 no such stack, or AWS or the network failed.`

// commandLine is the grammar. Flags of the top level go anywhere.
type commandLine struct {
	Local   bool   `help:"The local stack: .local/stack.json in this directory or one above it, or the file that PAYOUT_CALLBACKS_STACK names." xor:"stack"`
	Stack   string `help:"A deployed stack, by its CloudFormation name, through the usual AWS configuration." placeholder:"NAME" xor:"stack"`
	Region  string `help:"AWS region of --stack, instead of the configured one." placeholder:"REGION"`
	Profile string `help:"AWS profile for --stack, instead of the configured one." placeholder:"PROFILE"`
	JSON    bool   `name:"json" help:"Print JSON, one object a line, nothing shortened."`
	Full    bool   `help:"Do not shorten addresses and long texts."`

	Send     sendCommand     `cmd:"" help:"Send a callback as a provider would, and print the answer."`
	Payouts  payoutsCommand  `cmd:"" help:"List payouts."`
	Show     showCommand     `cmd:"" help:"Tell the story of one payout."`
	Receipts receiptsCommand `cmd:"" help:"List callbacks that are held, or not applied yet."`
	Resolve  resolveCommand  `cmd:"" help:"End a conflict: say which receipt tells the truth."`
	Release  releaseCommand  `cmd:"" help:"Read held callbacks again with this program's code, and apply what it understands."`
	Dismiss  dismissCommand  `cmd:"" help:"Put held callbacks aside that tell nothing about a payout."`
	Refold   refoldCommand   `cmd:"" help:"Repair a payout, and the index, from its receipts."`
	Audit    auditCommand    `cmd:"" help:"Prove that nothing was lost, or list what does not add up."`
	Publish  publishCommand  `cmd:"" help:"Publish the notices of payouts again, for services that missed them."`
	Keys     keysCommand     `cmd:"" help:"Store and list the providers' callback keys."`
}

type keysCommand struct {
	Set  keysSetCommand  `cmd:"" help:"Store an account's callback key."`
	List keysListCommand `cmd:"" help:"List accounts and the ids of their keys, never the keys."`
}
