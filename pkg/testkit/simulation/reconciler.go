package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/reconcile"
	"payout-callbacks/pkg/testkit/inboxtest"
	"payout-callbacks/pkg/testkit/traffic"
)

// queryLimit is small, so that histories reach it.
const queryLimit = 3

// planQueries plans the next run of the reconciler that finds work. Payouts that never end
// are asked about daily: for them, the history ends some days after the faults.
func (w *world) planQueries() {
	due, ok := w.store.NextQuery()
	if !ok || !w.reconcileAt.IsZero() || due.After(w.clear.Add(maxReconciling)) {
		return
	}
	wait := latest(due, w.now).Sub(w.now)
	wait += time.Minute - w.now.Add(wait).Sub(beginning)%time.Minute
	if w.chance(10) {
		wait += time.Duration(w.rand.IntN(30)) * time.Minute // the scheduler is late
	}
	w.reconcileAt = w.now.Add(wait)
	w.after(wait, func() { w.reconcileAt = time.Time{}; w.reconcile() })
	if w.chance(10) {
		w.after(wait+w.between(0, 2*time.Second), w.reconcile) // the scheduler invokes twice
	}
}

// maxReconciling is how long after the faults payouts are asked about.
const maxReconciling = 5 * 24 * time.Hour

// reconcile runs the reconciler, once for each provider with work: a run asks accounts at
// once, and that would not be repeatable.
func (w *world) reconcile() {
	cleared := !w.now.Before(w.clear)
	for _, provider := range traffic.ProviderNames() {
		if !w.hasDue(provider) {
			continue
		}
		env := w.environments[provider]
		delete(w.environments, provider) // a second run at once has an environment of its own
		if env == nil || w.chance(5) {
			env = &environment{reconciler: &reconcile.Reconciler{Owner: fmt.Sprint("run ", w.tally.Steps, w.tally.Calls)}}
		}
		hasEnded := w.process("reconciler", func(ctx context.Context, p *inboxtest.Process, box *inbox.Inbox) {
			env.process, env.now = p, box.Now
			r := env.reconciler
			r.Inbox, r.Store, r.Accounts, r.Now = box, oneProvider{p.ReconcileStore(), provider}, p.ReconcileAccounts(), box.Now
			r.Providers, r.Credentials, r.Limit = []reconcile.Provider{model{w, provider, env}}, apiSecrets{w, p}, queryLimit
			result, err := r.Run(ctx)
			w.tally.Overdue += result.Overdue
			w.tally.Answered += result.Answered
			if err != nil && cleared {
				w.complainf("a run of the reconciler without faults: %v", err)
			}
		})
		if hasEnded {
			w.environments[provider] = env
		}
	}
}

func (w *world) hasDue(provider string) bool {
	store := oneProvider{w.store, provider}
	due, err := store.DueQueries(context.Background(), w.now, 1)
	held, heldErr := store.DueHeld(context.Background(), w.now, 1)
	return len(due)+len(held) > 0 || err != nil || heldErr != nil
}

// oneProvider is a store that lists the due queries of one provider.
type oneProvider struct {
	reconcile.Store

	provider string
}

// listed is more than all held callbacks of a history.
const listed = 1000

func (s oneProvider) DueQueries(ctx context.Context, now time.Time, limit int) ([]reconcile.DueQuery, error) {
	due, err := s.Store.DueQueries(ctx, now, limit)
	isOther := func(d reconcile.DueQuery) bool { return d.ID.Provider() != s.provider }
	return slices.DeleteFunc(due, isOther), err //nolint:wrapcheck // a wrapper of the store
}

func (s oneProvider) DueHeld(ctx context.Context, now time.Time, limit int) ([]reconcile.DueHeld, error) {
	due, err := s.Store.DueHeld(ctx, now, listed)
	var own []reconcile.DueHeld
	for _, d := range due {
		if (inbox.Receipt{Key: d.Key}).Provider() == s.provider && len(own) < limit {
			own = append(own, d)
		}
	}
	return own, err //nolint:wrapcheck // a wrapper of the store
}

// apiSecrets are the secrets of the providers' APIs.
type apiSecrets struct {
	w *world
	p *inboxtest.Process
}

// Credentials returns the stored version of the API key.
func (s apiSecrets) Credentials(_ context.Context, provider string) (map[string]json.RawMessage, error) {
	if s.w.isDown("secrets.GetSecretValue") {
		return nil, errors.New("outage of Secrets Manager")
	}
	entries := map[string]json.RawMessage{}
	if version := s.w.api[provider].storedKey; version > 0 {
		entries[traffic.Accounts(provider)[0]] = json.RawMessage(fmt.Sprint(version))
	}
	return entries, nil
}

// planAPIKeys plans what happens to the keys of the APIs: they are stored late, or change
// at the provider before the secret follows.
func (w *world) planAPIKeys() {
	for _, provider := range traffic.ProviderNames() {
		api := &providerAPI{usedKey: 1, storedKey: 1}
		w.api[provider] = api
		if w.disabled&BadAnswers != 0 {
			continue
		}
		if w.chance(5) {
			api.storedKey, w.hadNoKey[provider] = 0, true
			w.after(w.between(0, w.clear.Sub(w.now)), func() { w.notef("the API key of %s is stored", provider); api.storedKey = api.usedKey })
		}
		if w.chance(10) {
			w.after(w.between(0, w.clear.Sub(w.now)), func() {
				w.notef("%s changes its API key", provider)
				api.usedKey++
				w.after(w.between(0, 5*time.Hour), func() { w.notef("the new API key of %s is stored", provider); api.storedKey = api.usedKey })
			})
		}
	}
}
