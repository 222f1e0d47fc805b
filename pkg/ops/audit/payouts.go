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

func (a *Audit) payouts(ctx context.Context) error {
	work := newPool(ctx)
	for scanPayout, err := range a.Source.ScanPayouts(work.ctx, a.From) { //nolint:contextcheck // the pool's context is made of ctx
		if err != nil {
			return errors.Join(err, work.wait())
		}
		a.mu.Lock()
		a.summary.Payouts++
		n := a.summary.Payouts
		a.mu.Unlock()
		a.progress(n)
		work.do(func() error { return a.payout(work.ctx, scanPayout) })
	}
	return work.wait()
}

// payout compares what the scan saw with the receipts, and looks closer where
// they do not agree.
func (a *Audit) payout(ctx context.Context, seen inbox.StoredPayout) error {
	fold, err := inbox.FoldReceipts(a.Source.ReceiptsOf(ctx, seen.Record.ID))
	switch {
	case err != nil:
		return err
	case seen.Damage == nil && len(fold.Damaged) == 0 && len(seen.Record.Differences(fold.Record)) == 0:
		return nil
	}
	return a.verifyPayout(ctx, seen.Record.ID)
}

// maxTries bounds how often a payout is read that moves while it is.
const maxTries = 5

// judge reads a payout, its receipts and the payout again: if nothing was
// applied in between, whatever does not agree is wrong.
func (a *Audit) verifyPayout(ctx context.Context, id payout.ID) error {
	for range maxTries {
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

func (a *Audit) report(ctx context.Context, storedPayout inbox.StoredPayout, fold inbox.Fold) error {
	id, have, want := storedPayout.Record.ID, storedPayout.Record, fold.Record
	finding := Finding{Payout: string(id)}
	switch {
	case !storedPayout.Exists && want.Version == 0:
		return nil
	case !storedPayout.Exists:
		finding.Kind, finding.Detail = PayoutMissing, fmt.Sprintf("%d receipts of it are applied", want.Version)
	case storedPayout.Damage != nil:
		finding.Kind, finding.Detail = PayoutDamaged, storedPayout.Damage.Error()
	case len(fold.Damaged) > 0:
		finding.Kind, finding.Detail = PayoutUnchecked, fmt.Sprintf("%d of its receipts cannot be read", len(fold.Damaged))
	case have.Version > want.Version:
		finding.Kind = FactUnproven
		finding.Detail = fmt.Sprintf("it was made of %d facts, and %d applied receipts are there", have.Version, want.Version)
	case have.Version < want.Version:
		finding.Kind = FactMissing
		finding.Detail = fmt.Sprintf("it was made of %d facts, and %d receipts are applied", have.Version, want.Version)
		culprit, err := a.checkApplied(ctx, have)
		if err != nil {
			return err
		}
		finding.Receipt = culprit.Receipt
	default:
		differences := have.Differences(want)
		if len(differences) == 0 {
			return nil
		}
		finding.Kind, finding.Detail = PayoutAltered, "not what its receipts say: "+parts(differences)
	}
	a.found(finding)
	return nil
}

// parts names what is different, and no values: they may be a person's account.
func parts(differences []payout.Difference) string {
	var names []string
	for _, difference := range differences {
		names = append(names, difference.Part)
	}
	return strings.Join(names, ", ")
}

// mostSuspects bounds the receipts that are left out one by one.
const mostSuspects = 50

// withoutEffect returns the one applied receipt without which the payout would
// be what it is, if there is one.
func (a *Audit) checkApplied(ctx context.Context, have payout.Record) (inbox.Key, error) {
	var suspects []inbox.Key
	for receipt, err := range a.Source.ReceiptsOf(ctx, have.ID) {
		if err != nil {
			return inbox.Key{}, err
		}
		if receipt.State == inbox.Applied {
			suspects = append(suspects, receipt.Key)
		}
		if len(suspects) > mostSuspects {
			return inbox.Key{}, nil
		}
	}
	for _, suspect := range suspects {
		fold, err := inbox.FoldReceipts(a.Source.ReceiptsOf(ctx, have.ID), suspect)
		if err != nil {
			return inbox.Key{}, err
		}
		if len(have.Differences(fold.Record)) == 0 {
			return suspect, nil
		}
	}
	return inbox.Key{}, nil
}
