package main

import (
	"github.com/alecthomas/kong"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/console"
	"payout-callbacks/cmd/payoutctl/internal/find"
	"payout-callbacks/cmd/payoutctl/internal/operate"
	"payout-callbacks/cmd/payoutctl/internal/prove"
	"payout-callbacks/cmd/payoutctl/internal/reconcile"
	"payout-callbacks/cmd/payoutctl/internal/repair"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/ops/redrive"
)

const description = `Operates payout-callbacks: finds payouts and shows their history, asks providers about them, repairs what needs an operator, and checks that nothing was lost.

Choose the stack with --local (started by "make run") or --stack NAME (deployed by "sam deploy").

Exit codes: 0 success; 1 negative result: not found, findings, or an unexpected answer; 2 usage; 3 the stack does not exist, or AWS or the network failed.`

// commandLine is the grammar. Global flags may appear anywhere.
type commandLine struct {
	cli.GlobalFlags

	Payouts  find.Payouts  `cmd:"" group:"find" help:"List payouts."`
	Show     find.Show     `cmd:"" group:"find" help:"Show one payout's history."`
	Receipts find.Receipts `cmd:"" group:"find" help:"List callbacks that are held or not applied yet."`
	Explain  find.Explain  `cmd:"" group:"find" help:"Explain how a callback is handled, and why."`
	Report   find.Report   `cmd:"" group:"find" help:"Count the payouts of a day, and sum their amounts."`

	Expect    reconcile.Expect    `cmd:"" group:"reconcile" help:"State that payouts were ordered."`
	Reconcile reconcile.Reconcile `cmd:"" group:"reconcile" help:"Ask providers about payouts now."`

	Resolve repair.Resolve `cmd:"" group:"repair" help:"Resolve a conflict: choose the receipt to trust."`
	Close   repair.Close   `cmd:"" group:"repair" help:"End an open payout by your decision."`
	Release repair.Release `cmd:"" group:"repair" help:"Parse held callbacks again and apply those that are understood now."`
	Dismiss repair.Dismiss `cmd:"" group:"repair" help:"Dismiss held callbacks."`
	Rebuild repair.Rebuild `cmd:"" group:"repair" help:"Rebuild payouts and index entries from receipts."`
	DLQ     repair.DLQ     `cmd:"" group:"repair" name:"dlq" help:"List, redrive and export dead-letter messages."`
	Sweep   repair.Sweep   `cmd:"" group:"repair" help:"Run the sweeper now."`
	Publish repair.Publish `cmd:"" group:"repair" help:"Publish the notifications of payouts again."`

	Audit  prove.Audit  `cmd:"" group:"prove" help:"Check that nothing was lost, and list the findings."`
	Doctor prove.Doctor `cmd:"" group:"prove" help:"Check a stack: keys, URLs, queues, alarms, alarm recipients."`
	Drill  prove.Drill  `cmd:"" group:"prove" help:"Trigger the alarms of a staging stack and check their delivery."`

	Keys   operate.Keys   `cmd:"" group:"operate" help:"Rotate and list the keys and API credentials of providers."`
	Pause  operate.Pause  `cmd:"" group:"operate" help:"Pause a part: applying, sweeping, publishing or asking providers. Callbacks are still acknowledged."`
	Resume operate.Resume `cmd:"" group:"operate" help:"Resume a paused part."`
	Send   operate.Send   `cmd:"" group:"operate" help:"Send a callback as a provider does, and print the answer."`

	Console console.Command `cmd:"" group:"operate" help:"Serve the console, a page in the browser."`
}

// names are the variables in help texts.
func names() kong.Vars {
	return kong.Vars{
		"statuses": cli.JoinNames(find.Statuses), "causes": cli.JoinNames(redrive.Causes()), "reasons": cli.JoinNames(callback.Reasons()),
		"when": cli.TimeHelp, "captures": find.CaptureForms,
	}
}

// groups are the headings in the list of commands.
func groups() []kong.Group {
	return []kong.Group{
		{Key: "find", Title: "Find and understand"},
		{Key: "reconcile", Title: "Reconcile with providers"},
		{Key: "repair", Title: "Repair"},
		{Key: "prove", Title: "Prove"},
		{Key: "operate", Title: "Operate"},
	}
}
