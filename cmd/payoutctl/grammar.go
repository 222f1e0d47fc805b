package main

import (
	"github.com/alecthomas/kong"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/find"
	"payout-callbacks/cmd/payoutctl/internal/operate"
	"payout-callbacks/cmd/payoutctl/internal/prove"
	"payout-callbacks/cmd/payoutctl/internal/repair"
)

const description = `Operates payout-callbacks: finds payouts and tells their story, repairs what needs a person, proves that nothing was lost.

Say which stack with --local (the one that "make run" started) or --stack NAME (one that "sam deploy" made).

Exit codes: 0 done; 1 not found, or answered otherwise than it should be; 2 usage; 3 no such stack, or AWS or the network failed.`

// commandLine is the grammar. Flags of the top level go anywhere.
type commandLine struct {
	cli.GlobalFlags

	Payouts  find.Payouts  `cmd:"" group:"find" help:"List payouts."`
	Show     find.Show     `cmd:"" group:"find" help:"Tell the story of one payout."`
	Receipts find.Receipts `cmd:"" group:"find" help:"List callbacks that are held, or not applied yet."`
	Explain  find.Explain  `cmd:"" group:"find" help:"Say what would become of a callback, and why."`

	Resolve repair.Resolve `cmd:"" group:"repair" help:"End a conflict: say which receipt tells the truth."`
	Release repair.Release `cmd:"" group:"repair" help:"Read held callbacks again with this program's code, and apply what it understands."`
	Dismiss repair.Dismiss `cmd:"" group:"repair" help:"Put held callbacks aside that tell nothing about a payout."`
	Rebuild repair.Rebuild `cmd:"" group:"repair" help:"Repair a payout, and the index, from its receipts."`
	DLQ     repair.DLQ     `cmd:"" group:"repair" name:"dlq" help:"Look at dead letters, and send them back."`
	Sweep   repair.Sweep   `cmd:"" group:"repair" help:"Run the sweeper now."`
	Publish repair.Publish `cmd:"" group:"repair" help:"Publish the notices of payouts again, for services that missed them."`

	Audit  prove.Audit  `cmd:"" group:"prove" help:"Prove that nothing was lost, or list what does not add up."`
	Doctor prove.Doctor `cmd:"" group:"prove" help:"Look at a stack as a whole: keys, URL, queues, alarms, who is told."`
	Drill  prove.Drill  `cmd:"" group:"prove" help:"Make the alarms of a staging stack go off, and see which reach somebody."`

	Keys   operate.Keys   `cmd:"" group:"operate" help:"Rotate and list the providers' callback keys."`
	Pause  operate.Pause  `cmd:"" group:"operate" help:"Stop applying, sweeping or publishing, and go on acknowledging."`
	Resume operate.Resume `cmd:"" group:"operate" help:"Take a pause back."`
	Send   operate.Send   `cmd:"" group:"operate" help:"Send a callback as a provider would, and print the answer."`
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
