package inboxtest

import (
	"context"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/reconcile"
)

type processStore struct{ p *Process }

func (s processStore) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	return query(ctx, s.p, "store.Create", func() (inbox.Existing, error) { return s.p.Store.Create(s.p.withoutTimeout(ctx), receipt) })
}

func (s processStore) Payout(ctx context.Context, id payout.ID) (inbox.PayoutItem, error) {
	return query(ctx, s.p, "store.Payout", func() (inbox.PayoutItem, error) { return s.p.Store.Payout(s.p.withoutTimeout(ctx), id) })
}

func (s processStore) Apply(ctx context.Context, change inbox.Change) (*inbox.ConditionFailed, error) {
	return query(ctx, s.p, "store.Apply", func() (*inbox.ConditionFailed, error) { return s.p.Store.Apply(s.p.withoutTimeout(ctx), change) })
}

func (s processStore) Due(ctx context.Context, now time.Time, limit int) ([]inbox.DueReceipt, error) {
	return query(ctx, s.p, "store.Due", func() ([]inbox.DueReceipt, error) { return s.p.Store.Due(s.p.withoutTimeout(ctx), now, limit) })
}

func (s processStore) OldestClaimed(ctx context.Context) (acceptedAt time.Time, ok bool, err error) {
	return claim(ctx, s.p, "store.OldestClaimed", func() (time.Time, bool, error) {
		return s.p.Store.OldestClaimed(s.p.withoutTimeout(ctx))
	})
}

func (s processStore) Claim(ctx context.Context, due inbox.DueReceipt, next time.Time) (inbox.Receipt, bool, error) {
	return claim(ctx, s.p, "store.Claim", func() (inbox.Receipt, bool, error) {
		return s.p.Store.Claim(s.p.withoutTimeout(ctx), due, next)
	})
}

func (s processStore) DueQueries(ctx context.Context, now time.Time, limit int) ([]reconcile.DueQuery, error) {
	return query(ctx, s.p, "store.DueQueries", func() ([]reconcile.DueQuery, error) {
		return s.p.Store.DueQueries(s.p.withoutTimeout(ctx), now, limit)
	})
}

func (s processStore) ClaimQuery(ctx context.Context, due reconcile.DueQuery, next inbox.Schedule) (inbox.PayoutItem, bool, error) {
	return claim(ctx, s.p, "store.ClaimQuery", func() (inbox.PayoutItem, bool, error) {
		return s.p.Store.ClaimQuery(s.p.withoutTimeout(ctx), due, next)
	})
}

func (s processStore) FinishQuery(ctx context.Context, id payout.ID, claimed, next inbox.Schedule) error {
	return s.p.Call(ctx, "store.FinishQuery", func() error { return s.p.Store.FinishQuery(s.p.withoutTimeout(ctx), id, claimed, next) })
}

func (s processStore) ByReference(ctx context.Context, reference string) ([]payout.ID, error) {
	return query(ctx, s.p, "store.ByReference", func() ([]payout.ID, error) {
		return s.p.Store.ByReference(s.p.withoutTimeout(ctx), reference)
	})
}

func (s processStore) DueHeld(ctx context.Context, now time.Time, limit int) ([]reconcile.DueHeld, error) {
	return query(ctx, s.p, "store.DueHeld", func() ([]reconcile.DueHeld, error) {
		return s.p.Store.DueHeld(s.p.withoutTimeout(ctx), now, limit)
	})
}

func (s processStore) ClaimHeld(ctx context.Context, due reconcile.DueHeld, next inbox.Schedule) (inbox.Receipt, bool, error) {
	return claim(ctx, s.p, "store.ClaimHeld", func() (inbox.Receipt, bool, error) {
		return s.p.Store.ClaimHeld(s.p.withoutTimeout(ctx), due, next)
	})
}

func (s processStore) FinishHeld(ctx context.Context, key inbox.Key, claimed, next inbox.Schedule) error {
	return s.p.Call(ctx, "store.FinishHeld", func() error { return s.p.Store.FinishHeld(s.p.withoutTimeout(ctx), key, claimed, next) })
}

func (s processStore) AnswerHeld(ctx context.Context, key, answer inbox.Key, by inbox.ChangedBy) (bool, error) {
	return query(ctx, s.p, "store.AnswerHeld", func() (bool, error) {
		return s.p.Store.AnswerHeld(s.p.withoutTimeout(ctx), key, answer, by)
	})
}

type processAccounts struct{ p *Process }

func (a processAccounts) Acquire(ctx context.Context, account, owner string, now, until time.Time) (reconcile.AccountState, bool, error) {
	return claim(ctx, a.p, "accounts.Acquire", func() (reconcile.AccountState, bool, error) {
		return a.p.Accounts.Acquire(a.p.withoutTimeout(ctx), account, owner, now, until)
	})
}

func (a processAccounts) Release(ctx context.Context, account, owner string, state reconcile.AccountState) error {
	return a.p.Call(ctx, "accounts.Release", func() error { return a.p.Accounts.Release(a.p.withoutTimeout(ctx), account, owner, state) })
}

func (a processAccounts) States(ctx context.Context) (map[string]reconcile.AccountState, error) {
	return query(ctx, a.p, "accounts.States", func() (map[string]reconcile.AccountState, error) {
		return a.p.Accounts.States(a.p.withoutTimeout(ctx))
	})
}
