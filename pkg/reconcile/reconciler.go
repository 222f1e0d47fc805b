package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Limits of a run.
const (
	// leaseTime is how long a run may have an account; it is longer than the function's
	// timeout.
	leaseTime = 2 * time.Minute
	// releaseTimeout bounds the end of a lease, after the run's own time.
	releaseTimeout = 2 * time.Second
	// askTimeout bounds the query about one request, with all its pages.
	askTimeout = 20 * time.Second
	// reserve is the time before the deadline in which no more queries are started.
	reserve = askTimeout + 5*time.Second
)

// Reconciler asks providers about payouts. All fields are required except Interval. It is
// safe for concurrent use.
type Reconciler struct {
	Inbox       *inbox.Inbox
	Store       Store
	Accounts    Accounts
	Providers   []Provider
	Credentials Credentials
	Client      *http.Client  // see NewClient
	Limit       int           // of a run: see Store.DueQueries and Store.DueHeld
	Interval    time.Duration // between two queries of an account
	Owner       string        // names this process in leases
	Now         func() time.Time

	connections connections
}

// RunResult counts what a run found and did.
type RunResult struct {
	Due      int             `json:"due"`      // payouts whose query was due
	Held     int             `json:"held"`     // held callbacks whose query was due
	Outcomes map[Outcome]int `json:"outcomes"` // of those, by outcome
	Accepted int             `json:"accepted"` // statements of answers that are new
	// HeldAnswers counts, of these, statements that are not understood, by provider.
	HeldAnswers map[string]int  `json:"heldAnswers,omitempty"`
	Overdue     int             `json:"overdue"`           // payouts that this run states to be overdue
	Answered    int             `json:"answered"`          // held callbacks that an answer closed
	Damaged     int             `json:"damaged"`           // due payouts and callbacks that cannot be read, left for a person
	Failing     []AccountReport `json:"failing,omitempty"` // accounts that cannot be asked
	Busy        int             `json:"busy"`              // accounts that another run is asking about
}

// AccountReport says why an account cannot be asked.
type AccountReport struct {
	Account string    `json:"account"` // provider/account
	Cause   Outcome   `json:"cause"`
	Detail  string    `json:"detail,omitzero"`
	Until   time.Time `json:"until,omitzero"` // when it is asked again
}

// Run asks about payouts and held callbacks that are due, and hands the answers to the
// inbox. Accounts are asked side by side. In an account the earliest due comes first, and
// final payouts that are only confirmed come last. A run that ends at any step leaves every payout scheduled.
// Failures of single payouts do not stop it; it returns them joined. Run returns early,
// without an error, when its deadline is near.
func (r *Reconciler) Run(ctx context.Context) (RunResult, error) {
	now := r.Now()
	run := &run{Reconciler: r, result: RunResult{Outcomes: map[Outcome]int{}, HeldAnswers: map[string]int{}}}
	due, err := r.Store.DueQueries(ctx, now, r.Limit)
	if err != nil {
		return run.result, fmt.Errorf("list due payouts: %w", err)
	}
	held, err := r.dueHeld(ctx, now)
	if err != nil {
		return run.result, err
	}
	run.result.Due, run.result.Held = len(due), len(held)
	var running sync.WaitGroup
	for name, tasks := range groupByAccount(due, held) {
		running.Go(func() { run.askAccount(ctx, name, tasks) })
	}
	running.Wait()
	slices.SortFunc(run.result.Failing, func(a, b AccountReport) int { return cmp.Compare(a.Account, b.Account) })
	return run.result, run.failed.Join()
}

// dueHeld lists held callbacks, if any provider is asked.
func (r *Reconciler) dueHeld(ctx context.Context, now time.Time) ([]DueHeld, error) {
	for _, provider := range r.Providers {
		if r.asks(provider.Name()) {
			held, err := r.Store.DueHeld(ctx, now, r.Limit)
			if err != nil {
				return nil, fmt.Errorf("list held callbacks: %w", err)
			}
			return held, nil
		}
	}
	return nil, nil
}

func (r *Reconciler) asks(provider string) bool { return r.Inbox.Queries[provider].Asks() }

func (r *Reconciler) provider(name string) (Provider, bool) { return findProvider(r.Providers, name) }

// findProvider returns the provider with a name.
func findProvider[P interface{ Name() string }](providers []P, name string) (provider P, ok bool) {
	i := slices.IndexFunc(providers, func(p P) bool { return p.Name() == name })
	if i < 0 {
		return provider, false
	}
	return providers[i], true
}

// task is a payout or a held callback whose query is due.
type task struct {
	id       payout.ID // of a held callback: of its name
	at       time.Time
	confirms bool
	held     *DueHeld
}

// accountName returns the name of an account in the table of accounts.
func accountName(id payout.ID) string { return id.Provider() + "/" + id.Account() }

// groupByAccount returns the tasks by account, in the order of Run.
func groupByAccount(due []DueQuery, held []DueHeld) map[string][]task {
	groups := map[string][]task{}
	for _, d := range due {
		groups[accountName(d.ID)] = append(groups[accountName(d.ID)], task{id: d.ID, at: d.At, confirms: d.Confirms})
	}
	for _, d := range held {
		id := inbox.Receipt{Key: d.Key}.HeldID()
		groups[accountName(id)] = append(groups[accountName(id)], task{id: id, at: d.At, held: &d})
	}
	for _, tasks := range groups {
		slices.SortStableFunc(tasks, func(a, b task) int {
			switch {
			case a.confirms == b.confirms:
				return a.at.Compare(b.at)
			case a.confirms:
				return 1
			}
			return -1
		})
	}
	return groups
}

// run is one run of a reconciler.
type run struct {
	*Reconciler

	mu     sync.Mutex
	result RunResult
	failed inbox.Failures
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed.Add(err)
}

func (r *run) count(edit func(result *RunResult)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	edit(&r.result)
}

func (r *run) timeLeft(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(deadline) > reserve)
}
