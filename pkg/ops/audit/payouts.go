package audit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

func (a *Audit) checkPayouts(ctx context.Context) error {
	group, ctx := newGroup(ctx)
	for stored, err := range a.Source.ScanPayouts(ctx, a.From) {
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		a.mu.Lock()
		a.summary.Payouts++
		payouts := a.summary.Payouts
		a.mu.Unlock()
		a.reportProgress(payouts)
		a.countPayout(stored)
		group.Go(func() error { return a.checkPayout(ctx, stored) })
	}
	return group.Wait()
}

// checkPayout compares a payout with its receipts, and verifies it if they differ.
func (a *Audit) checkPayout(ctx context.Context, scanned inbox.StoredPayout) error {
	fold, err := inbox.FoldReceipts(a.Source.ReceiptsOf(ctx, scanned.Record.ID))
	switch {
	case err != nil:
		return err
	case scanned.Damage == nil && len(fold.Damaged) == 0 && len(scanned.Record.Differences(fold.Record)) == 0 && scanned.ScheduleProblem() == "":
		return nil
	}
	return a.verifyPayout(ctx, scanned.Record.ID)
}

// countPayout counts an expected payout, and one that should be scheduled.
func (a *Audit) countPayout(stored inbox.StoredPayout) {
	a.mu.Lock()
	defer a.mu.Unlock()
	record, counts := stored.Record, &a.summary.Expected
	if stored.Schedule.At.IsZero() && inbox.IsQueryNeeded(record, stored.Schedule.Tries, a.Queries[record.ID.Provider()]) {
		a.summary.Unscheduled++
	}
	status := record.Status()
	if !record.IsExpected() || status == payout.Linked {
		return
	}
	counts.Total++
	switch {
	case status == payout.Conflicted:
		counts.Conflicted++
	case status.IsFinal():
		counts.Final++
	case record.IsOverdue():
		counts.Overdue++
	default:
		counts.Open++
	}
}

// maxAttempts is how often verifyPayout reads a payout that changes meanwhile.
const maxAttempts = 5

// verifyPayout reads a payout, its receipts, and the payout again. If the payout
// did not change in between, each difference is a defect.
func (a *Audit) verifyPayout(ctx context.Context, id payout.ID) error {
	for range maxAttempts {
		before, err := a.Source.StoredPayout(ctx, id)
		if err != nil {
			return err
		}
		fold, err := inbox.FoldReceipts(a.Source.ReceiptsOf(ctx, id))
		if err != nil {
			return err
		}
		after, err := a.Source.StoredPayout(ctx, id)
		if err != nil {
			return err
		}
		if before.Exists == after.Exists && reflect.DeepEqual(before.ReadVersion, after.ReadVersion) {
			return a.report(ctx, after, fold)
		}
	}
	a.mu.Lock()
	a.summary.Moving++
	a.mu.Unlock()
	return nil
}

// report reports how a payout differs from the fold of its receipts.
func (a *Audit) report(ctx context.Context, stored inbox.StoredPayout, fold inbox.Fold) error {
	got, want := stored.Record, fold.Record
	finding := Finding{Payout: string(got.ID)}
	switch {
	case !stored.Exists && want.Version == 0:
		return nil
	case !stored.Exists:
		finding.Kind, finding.Detail = PayoutMissing, fmt.Sprintf("%d of its receipts are applied", want.Version)
	case stored.Damage != nil:
		finding.Kind, finding.Detail = PayoutDamaged, stored.Damage.Error()
	case len(fold.Damaged) > 0:
		finding.Kind, finding.Detail = PayoutUnchecked, fmt.Sprintf("%d of its receipts are unreadable", len(fold.Damaged))
	case got.Version > want.Version:
		finding.Kind = FactUnproven
		finding.Detail = fmt.Sprintf("version %d, with %d applied receipts", got.Version, want.Version)
	case got.Version < want.Version:
		finding.Kind = FactMissing
		finding.Detail = fmt.Sprintf("version %d, with %d applied receipts", got.Version, want.Version)
		unapplied, err := a.findUnapplied(ctx, got)
		if err != nil {
			return err
		}
		finding.Receipt = unapplied.Receipt
	default:
		finding.Kind, finding.Detail = compareContent(stored, want)
	}
	if finding.Kind != "" {
		a.addFinding(finding)
	}
	return nil
}

// compareContent compares a payout with the fold of as many receipts.
func compareContent(stored inbox.StoredPayout, want payout.Record) (Kind, string) {
	if differences := stored.Record.Differences(want); len(differences) > 0 {
		return PayoutAltered, "differs from its receipts in: " + listParts(differences)
	}
	if problem := stored.ScheduleProblem(); problem != "" {
		return PayoutUnscheduled, problem
	}
	return "", ""
}

// listParts lists the names of the parts that differ. It omits their values, which
// may be personal data.
func listParts(differences []payout.Difference) string {
	var names []string
	for _, difference := range differences {
		names = append(names, difference.Part)
	}
	return strings.Join(names, ", ")
}

// findUnapplied returns the receipt that is marked as applied and is not part of
// the payout: without it, the fold equals the payout. It returns the zero Key if
// no single receipt explains the difference, or the payout has more than
// maxCandidates applied receipts.
func (a *Audit) findUnapplied(ctx context.Context, record payout.Record) (inbox.Key, error) {
	const maxCandidates = 50
	var candidates []inbox.Key
	for receipt, err := range a.Source.ReceiptsOf(ctx, record.ID) {
		if err != nil {
			return inbox.Key{}, err
		}
		if receipt.State == inbox.Applied {
			candidates = append(candidates, receipt.Key)
		}
		if len(candidates) > maxCandidates {
			return inbox.Key{}, nil
		}
	}
	for _, candidate := range candidates {
		fold, err := inbox.FoldReceipts(a.Source.ReceiptsOf(ctx, record.ID), candidate)
		if err != nil {
			return inbox.Key{}, err
		}
		if len(record.Differences(fold.Record)) == 0 {
			return candidate, nil
		}
	}
	return inbox.Key{}, nil
}
