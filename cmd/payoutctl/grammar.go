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
	Explain  explainCommand  `cmd:"" help:"Say what would become of a callback, and why."`
	DLQ      dlqCommand      `cmd:"" name:"dlq" help:"Look at dead letters, and send them back."`
	Pause    pauseCommand    `cmd:"" help:"Stop applying, sweeping or publishing, and go on acknowledging."`
	Resume   resumeCommand   `cmd:"" help:"Take a pause back."`
	Sweep    sweepCommand    `cmd:"" help:"Run the sweeper now."`
	Doctor   doctorCommand   `cmd:"" help:"Look at a stack as a whole: keys, URL, queues, alarms, who is told."`
	Drill    drillCommand    `cmd:"" help:"Make the alarms of a staging stack go off, and see which reach somebody."`
	Keys     keysCommand     `cmd:"" help:"Rotate and list the providers' callback keys."`
}
