package inboxtest

import (
	"context"
	"errors"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/reconcile"
)

// Fault is a way in which a call to a store or a queue fails.
type Fault uint8

// The faults.
const (
	None         Fault = iota
	Fails              // not done; the caller gets an error
	Misreported        // done; the caller gets an error
	Partial            // a part of several receipts is sent; the caller gets an error
	TimesOut           // not done; the caller gets a timeout
	TimesOutLate       // done; the caller gets a timeout
	Refuses            // the queue rejects the receipts because of their content
	StopsBefore        // the process stops before the call
	StopsAfter         // done; the process stops before it gets the response
)

var faultNames = [...]string{
	"succeeds", "fails", "is done and reported as failed", "is done in part and reported as failed",
	"times out", "is done and times out", "is rejected", "is not made: the process stops", "is the last: the process stops",
}

// String describes the fault.
func (f Fault) String() string { return faultNames[f] }

var (
	errFault    = errors.New("fault")
	errRejected = errors.New("rejected")
)

// Process is one run of a function whose calls fail as Decide says, so that a test can
// check what a fault at each call leaves behind. A process that has stopped makes no
// further changes, whatever its code still calls; discard its results. It is not safe
// for concurrent use.
type Process struct {
	Store       reconcile.Store
	Queue       inbox.Queue
	DeadLetters inbox.DeadLetters
	Accounts    reconcile.Accounts
	Decide      func(call string) Fault // returns the fault of each call

	stopped  bool
	expired  bool
	deadline time.Time
	expire   context.CancelFunc
}

// Context returns the context of the process, and its cancel function.
func (p *Process) Context(parent context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	p.deadline = time.Now().Add(limit)
	ctx, cancel := context.WithDeadline(parent, p.deadline)
	p.expire = cancel
	return ctx, cancel
}

// Inbox returns an inbox whose calls are made through the process.
func (p *Process) Inbox(now func() time.Time) *inbox.Inbox {
	return &inbox.Inbox{Store: processStore{p}, Queue: processQueue{p}, DeadLetters: processDeadLetters{p}, Now: now}
}

// ReconcileStore returns the store whose calls are made through the process.
func (p *Process) ReconcileStore() reconcile.Store { return processStore{p} }

// ReconcileAccounts returns the accounts whose calls are made through the process.
func (p *Process) ReconcileAccounts() reconcile.Accounts { return processAccounts{p} }

// Stopped reports whether a fault has stopped the process.
func (p *Process) Stopped() bool { return p.stopped }

// Call makes a call of the process, with the fault that Decide returns.
func (p *Process) Call(ctx context.Context, name string, act func() error) error {
	return p.call(ctx, name, act, func() {})
}

// call is Call for a call that can be done in part.
func (p *Process) call(ctx context.Context, name string, act func() error, part func()) error {
	if p.stopped {
		return errFault
	}
	fault := p.Decide(name)
	switch fault {
	case None:
		return act()
	case Misreported, TimesOutLate, StopsAfter:
		_ = act()
	case Partial:
		part()
	}
	p.stopped = fault == StopsBefore || fault == StopsAfter
	switch fault {
	case TimesOut, TimesOutLate:
		return p.timeOut(ctx)
	case Refuses:
		return errRejected
	}
	return errFault
}

// query makes a call that returns a value, zero if the call fails.
func query[T any](ctx context.Context, p *Process, name string, act func() (T, error)) (T, error) {
	var result, zero T
	err := p.Call(ctx, name, func() (err error) { result, err = act(); return err })
	if err != nil {
		return zero, err
	}
	return result, nil
}

// claim is query for a call that also reports whether it took effect.
func claim[T any](ctx context.Context, p *Process, name string, act func() (T, bool, error)) (T, bool, error) {
	isDone := false
	result, err := query(ctx, p, name, func() (result T, err error) {
		result, isDone, err = act()
		return result, err
	})
	return result, isDone && err == nil, err
}

// withoutTimeout removes the deadline from a call's context: however slow the test
// machine is, only a fault may time a call out.
func (p *Process) withoutTimeout(ctx context.Context) context.Context {
	if p.expired {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// timeOut times out the call, or the whole process if the call has no deadline of its
// own.
func (p *Process) timeOut(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); p.expire != nil && (!ok || !deadline.Before(p.deadline.Add(-reserve))) {
		p.expired = true
		p.expire()
	}
	return context.DeadlineExceeded
}

// reserve is the time before its deadline that a function keeps.
const reserve = 5 * time.Second
