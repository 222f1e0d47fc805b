package repair

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// trustedSources are the sources that --all can trust.
var trustedSources = []payout.Source{payout.SourceQuery, payout.SourceCallback}

// conflictField is the value of a flag: a field that can be in conflict.
type conflictField payout.Field

// conflictFields are the fields of a payout.
var conflictFields = []payout.Field{
	payout.FieldStatus, payout.FieldAmount, payout.FieldCurrency, payout.FieldChain, payout.FieldToken, payout.FieldFrom, payout.FieldTo,
	payout.FieldMemo, payout.FieldReference, payout.FieldTxID, payout.FieldItems, payout.FieldLinkedTo, payout.FieldSettled,
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *conflictField) UnmarshalText(text []byte) error {
	*f = conflictField(text)
	return cli.CheckName(payout.Field(*f), "field of a payout; the fields", conflictFields)
}

// plannedResolution is a planned resolution as --json prints it.
type plannedResolution struct {
	Payout   payout.ID                 `json:"payout"`
	Outcome  string                    `json:"outcome"` // would-resolve, resolved, recorded or skipped
	Reason   string                    `json:"reason,omitzero"`
	Trusted  map[payout.Field]string   `json:"trusted,omitempty"`
	Rejected map[payout.Field][]string `json:"rejected,omitempty"`

	resolution payout.Resolution
}

func newPlannedResolution(resolution payout.Resolution) plannedResolution {
	return plannedResolution{
		Payout: resolution.ID, Outcome: "would-resolve", Trusted: resolution.Trusted, Rejected: resolution.Rejected, resolution: resolution,
	}
}

// resolveAll resolves the payouts whose conflicts are exactly the fields of --cause.
func (c *Resolve) resolveAll(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	planned, skipped, err := c.planAll(ctx, s, stack.Reader())
	if err != nil {
		return err
	}
	if len(planned)+skipped == 0 {
		s.Notef("no payout has exactly this conflict")
	}
	if len(planned) > 0 && !c.DryRun {
		if err := c.applyAll(ctx, s, stack, planned); err != nil {
			return err
		}
	}
	if skipped > 0 {
		return cli.Negativef("see each, and resolve it alone: "+s.Program()+" show PAYOUT", "%s skipped", cli.Count(skipped, "payout"))
	}
	return nil
}

// planAll prints what --all would trust, and returns the payouts that it can resolve.
func (c *Resolve) planAll(ctx context.Context, s *cli.Session, reader *dynamostore.Reader) (planned []plannedResolution, skipped int, err error) {
	wanted := slices.Compact(slices.Sorted(slices.Values(c.Cause)))
	filter := dynamostore.Filter{Status: payout.Conflicted}
	payouts, _, err := display.TakePayouts(s, maxConflicted, filter, reader.List(ctx, filter))
	if err != nil {
		return nil, 0, err
	}
	for _, stored := range payouts {
		var fields []conflictField
		for _, field := range stored.Conflicts() {
			fields = append(fields, conflictField(field))
		}
		if !slices.Equal(fields, wanted) {
			continue
		}
		history, err := display.LoadHistory(ctx, reader, stored.ID)
		if err != nil {
			return nil, 0, err
		}
		plan := c.plan(history)
		if plan.Outcome == "skipped" {
			skipped++
		} else {
			planned = append(planned, plan)
		}
		if err := printPlanned(s, plan); err != nil {
			return nil, 0, err
		}
	}
	return planned, skipped, nil
}

// maxConflicted bounds the payouts of --all.
const maxConflicted = 100_000

// plan returns the resolution that trusts the applied receipts of the source.
func (c *Resolve) plan(history display.History) plannedResolution {
	plan := plannedResolution{Payout: history.Record.ID, Outcome: "skipped"}
	var trusted []payout.Event
	for _, item := range history.Entries {
		if item.Source() == payout.Source(c.Trust[0]) && item.State == inbox.Applied && !item.Damaged {
			trusted = append(trusted, item.Event)
		}
	}
	resolution, err := history.Record.NewResolution(trusted...)
	if err != nil {
		plan.Reason = err.Error()
		return plan
	}
	return newPlannedResolution(resolution)
}

// applyAll records the resolutions, and then waits until each is applied.
func (c *Resolve) applyAll(ctx context.Context, s *cli.Session, stack cli.Stack, planned []plannedResolution) error {
	by, err := s.Approve(ctx, stack, c.ChangeFlags, "resolve "+cli.Count(len(planned), "payout"))
	if err != nil {
		return err
	}
	box, err := stack.Inbox(s.Now)
	if err != nil {
		return err
	}
	var keys []inbox.Key
	for _, plan := range planned {
		receipt := inbox.NewResolutionReceipt(plan.resolution, by.Note(), by.At)
		if _, err := box.Accept(ctx, receipt); err != nil {
			return cli.WithHint("run the command again: the same resolution twice counts once", err)
		}
		keys = append(keys, receipt.Key)
	}
	late := 0
	for n, key := range keys {
		applied, err := display.AwaitApplied(ctx, stack.Reader(), key, c.Wait)
		if err != nil {
			return err
		}
		planned[n].Outcome = "resolved"
		if !applied {
			planned[n].Outcome = "recorded"
			late++
		}
		if err := printPlanned(s, planned[n]); err != nil {
			return err
		}
	}
	if late > 0 {
		return cli.Negativef("do not resolve again; is the consumer paused? See: "+s.Program()+" doctor",
			"%s recorded and not applied within %s; the consumer will apply them", cli.Count(late, "resolution"), c.Wait)
	}
	return nil
}

func printPlanned(s *cli.Session, plan plannedResolution) error {
	style := s.Style()
	parts := []string{fmt.Sprintf("%-13s", plan.Outcome), cli.Clean(string(plan.Payout))}
	if plan.Reason != "" {
		parts = append(parts, cli.Clean(plan.Reason))
	}
	for _, field := range slices.Sorted(maps.Keys(plan.Trusted)) {
		var rejected []string
		for _, value := range plan.Rejected[field] {
			rejected = append(rejected, display.FormatValue(style, field, value))
		}
		parts = append(parts, fmt.Sprintf("%s: %s, not %s", field, display.FormatValue(style, field, plan.Trusted[field]), strings.Join(rejected, " | ")))
	}
	return s.PrintResult(plan, strings.Join(parts, "  ")+"\n")
}
