package memory

import (
	"context"
	"sync"
	"time"

	"payout-callbacks/pkg/reconcile"
)

// Accounts implements reconcile.Accounts. The zero Accounts is empty and ready.
type Accounts struct {
	mu       sync.Mutex
	accounts map[string]account
}

type account struct {
	state reconcile.AccountState
	owner string
	until time.Time // end of the owner's lease
}

var _ reconcile.Accounts = (*Accounts)(nil)

// Acquire implements reconcile.Accounts.
func (a *Accounts) Acquire(ctx context.Context, name, owner string, now, until time.Time) (reconcile.AccountState, bool, error) {
	if err := ctx.Err(); err != nil {
		return reconcile.AccountState{}, false, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	stored := a.accounts[name]
	if stored.owner != "" && stored.until.After(now) {
		return reconcile.AccountState{}, false, nil
	}
	if a.accounts == nil {
		a.accounts = map[string]account{}
	}
	stored.owner, stored.until = owner, until
	a.accounts[name] = stored
	return stored.state, true, nil
}

// Release implements reconcile.Accounts.
func (a *Accounts) Release(ctx context.Context, name, owner string, state reconcile.AccountState) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if stored, ok := a.accounts[name]; ok && stored.owner == owner {
		a.accounts[name] = account{state: state}
	}
	return nil
}

// States implements reconcile.Accounts.
func (a *Accounts) States(ctx context.Context) (map[string]reconcile.AccountState, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	states := map[string]reconcile.AccountState{}
	for name, stored := range a.accounts {
		states[name] = stored.state
	}
	return states, nil
}
