package inboxtest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/reconcile"
)

// RunAccounts runs the contract of reconcile.Accounts on implementations that have no
// accounts yet.
func RunAccounts(t *testing.T, newAccounts func(t *testing.T) reconcile.Accounts) {
	for name, test := range map[string]func(*testing.T, reconcile.Accounts){
		"one owner at a time":  leasesOnce,
		"acquire concurrently": leasesConcurrently,
		"lease that has ended": leasesAgain,
		"state of an account":  keepsState,
		"cancelled context":    leasesNothing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newAccounts(t))
		})
	}
}

const (
	account = "cregis/1382528827416576"
	lease   = time.Minute
)

var failing = reconcile.AccountState{
	Failures: 3, Cause: reconcile.RateLimited, PausedUntil: start.Add(time.Hour), AnsweredAt: start.Add(-time.Hour),
}

// acquire acquires the lease, and wants the state, or wants no lease if state is nil.
func acquire(t *testing.T, accounts reconcile.Accounts, owner string, now time.Time, want *reconcile.AccountState) {
	t.Helper()
	got, ok, err := accounts.Acquire(t.Context(), account, owner, now, now.Add(lease))
	if want == nil {
		want = new(reconcile.AccountState)
		if ok {
			t.Errorf("%s has the lease", owner)
		}
	} else if !ok {
		t.Errorf("%s does not have the lease", owner)
	}
	if diff := cmp.Diff(*want, got); err != nil || diff != "" {
		t.Errorf("acquire: %v, state (-want +got):\n%s", err, diff)
	}
}

func release(t *testing.T, accounts reconcile.Accounts, owner string, state reconcile.AccountState) {
	t.Helper()
	if err := accounts.Release(t.Context(), account, owner, state); err != nil {
		t.Error(err)
	}
}

func leasesOnce(t *testing.T, accounts reconcile.Accounts) {
	acquire(t, accounts, "a", start, &reconcile.AccountState{})
	acquire(t, accounts, "b", start.Add(lease-1e6), nil)
	release(t, accounts, "b", failing)
	acquire(t, accounts, "b", start.Add(lease-1e6), nil)
	release(t, accounts, "a", failing)
	acquire(t, accounts, "b", start, &failing)
	release(t, accounts, "b", reconcile.AccountState{})
	acquire(t, accounts, "a", start, &reconcile.AccountState{})
}

func leasesConcurrently(t *testing.T, accounts reconcile.Accounts) {
	var owners atomic.Int32
	var running sync.WaitGroup
	for n := range 8 {
		running.Go(func() {
			if _, ok, err := accounts.Acquire(t.Context(), account, fmt.Sprint(n), start, start.Add(lease)); err != nil {
				t.Error(err)
			} else if ok {
				owners.Add(1)
			}
		})
	}
	running.Wait()
	if owners.Load() != 1 {
		t.Errorf("%d owners, want 1", owners.Load())
	}
}

// An owner that was stopped keeps the lease until its time, and loses it then.
func leasesAgain(t *testing.T, accounts reconcile.Accounts) {
	acquire(t, accounts, "stopped", start, &reconcile.AccountState{})
	acquire(t, accounts, "b", start.Add(lease), &reconcile.AccountState{})
	release(t, accounts, "stopped", failing)
	acquire(t, accounts, "c", start.Add(lease), nil)
	release(t, accounts, "b", reconcile.AccountState{Failures: 1})
	acquire(t, accounts, "c", start.Add(lease), &reconcile.AccountState{Failures: 1})
}

func keepsState(t *testing.T, accounts reconcile.Accounts) {
	if states, err := accounts.States(t.Context()); err != nil || len(states) > 0 {
		t.Errorf("states: %v, %v, want none", states, err)
	}
	release(t, accounts, "a", failing) // nobody has the lease
	acquire(t, accounts, "a", start, &reconcile.AccountState{})
	release(t, accounts, "a", failing)
	const other = "pivot/922e39ab"
	if _, ok, err := accounts.Acquire(t.Context(), other, "a", start, start.Add(lease)); err != nil || !ok {
		t.Errorf("acquire %s: %t, %v", other, ok, err)
	}
	want := map[string]reconcile.AccountState{account: failing, other: {}}
	states, err := accounts.States(t.Context())
	if diff := cmp.Diff(want, states); err != nil || diff != "" {
		t.Errorf("%v, states (-want +got):\n%s", err, diff)
	}
}

func leasesNothing(t *testing.T, accounts reconcile.Accounts) {
	ctx, cancel := cancelled(t)
	defer cancel()
	_, ok, errAcquire := accounts.Acquire(ctx, account, "a", start, start.Add(lease))
	_, errStates := accounts.States(ctx)
	if errRelease := accounts.Release(ctx, account, "a", failing); errAcquire == nil || errStates == nil || errRelease == nil || ok {
		t.Errorf("acquire %t, %v, states %v, release %v, want errors", ok, errAcquire, errStates, errRelease)
	}
	acquire(t, accounts, "b", start, &reconcile.AccountState{})
}
