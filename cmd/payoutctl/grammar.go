package main

import "github.com/alecthomas/kong"

const description = `Operates payout-callbacks: finds payouts and tells their story, repairs what needs a person, proves that nothing was lost.

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

	Payouts  payoutsCommand  `cmd:"" group:"find" help:"List payouts."`
	Show     showCommand     `cmd:"" group:"find" help:"Tell the story of one payout."`
	Receipts receiptsCommand `cmd:"" group:"find" help:"List callbacks that are held, or not applied yet."`
	Explain  explainCommand  `cmd:"" group:"find" help:"Say what would become of a callback, and why."`

	Resolve resolveCommand `cmd:"" group:"repair" help:"End a conflict: say which receipt tells the truth."`
	Release releaseCommand `cmd:"" group:"repair" help:"Read held callbacks again with this program's code, and apply what it understands."`
	Dismiss dismissCommand `cmd:"" group:"repair" help:"Put held callbacks aside that tell nothing about a payout."`
	Rebuild rebuildCommand `cmd:"" group:"repair" help:"Repair a payout, and the index, from its receipts."`
	DLQ     dlqCommand     `cmd:"" group:"repair" name:"dlq" help:"Look at dead letters, and send them back."`
	Sweep   sweepCommand   `cmd:"" group:"repair" help:"Run the sweeper now."`
	Publish publishCommand `cmd:"" group:"repair" help:"Publish the notices of payouts again, for services that missed them."`

	Audit  auditCommand  `cmd:"" group:"prove" help:"Prove that nothing was lost, or list what does not add up."`
	Doctor doctorCommand `cmd:"" group:"prove" help:"Look at a stack as a whole: keys, URL, queues, alarms, who is told."`
	Drill  drillCommand  `cmd:"" group:"prove" help:"Make the alarms of a staging stack go off, and see which reach somebody."`

	Keys   keysCommand   `cmd:"" group:"operate" help:"Rotate and list the providers' callback keys."`
	Pause  pauseCommand  `cmd:"" group:"operate" help:"Stop applying, sweeping or publishing, and go on acknowledging."`
	Resume resumeCommand `cmd:"" group:"operate" help:"Take a pause back."`
	Send   sendCommand   `cmd:"" group:"operate" help:"Send a callback as a provider would, and print the answer."`
}

// groups are the headings of the list of commands.
func groups() []kong.Group {
	return []kong.Group{
		{Key: "find", Title: "Find and understand"},
		{Key: "repair", Title: "Repair"},
		{Key: "prove", Title: "Prove"},
		{Key: "operate", Title: "Operate"},
	}
}
