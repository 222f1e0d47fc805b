package inboxtest

import (
	"context"
	"errors"
	"time"

	"payout-callbacks/pkg/inbox"
)

// Fault is one way in which a call to a store or a queue goes wrong.
type Fault uint8

// The faults. That a call was made and is reported as failed is the one that
// most programs never meet before it costs them something.
const (
	None         Fault = iota
	Fails              // nothing happened, and the caller is told so
	Misreported        // it happened, and the caller is told that it failed
	Partial            // of several receipts that were to be sent some are sent, and the caller is told that it failed
	TimesOut           // nothing happened, and the caller waited for it in vain
	TimesOutLate       // it happened, and the caller waited for the answer in vain
	Refuses            // the queue answers, and refuses the receipts for what they are
	StopsBefore        // the process ends before the call
	StopsAfter         // it happened, and the process ends before it learns so
)

var faultNames = [...]string{
	"goes well", "fails", "is applied and reported failed", "is applied in part and reported failed",
	"times out", "is applied and times out", "is refused", "is never made: the process stops", "is the last: the process stops",
}

// String says what becomes of the call.
func (f Fault) String() string { return faultNames[f] }

var (
	errFault   = errors.New("fault")
	errRefused = errors.New("refused")
)

// Process is one run of a function whose calls go wrong as Decide says: a way
// to see what a fault at each place leaves behind. A process that has stopped
// changes nothing any more, whatever the code in it still tries; what it
// returns is to be thrown away. It is not safe for concurrent use.
type Process struct {
	Store       inbox.Store
	Queue       inbox.Queue
	DeadLetters inbox.DeadLetters
	Decide      func(call string) Fault // asked before each call

	stopped  bool
	expired  bool
	deadline time.Time
	expire   context.CancelFunc
}

// Context returns the context of the process, and the function that releases it.
func (p *Process) Context(parent context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	p.deadline = time.Now().Add(limit)
	ctx, cancel := context.WithDeadline(parent, p.deadline)
	p.expire = cancel
	return ctx, cancel
}

// Inbox returns an inbox whose calls are the process's.
func (p *Process) Inbox(now func() time.Time) *inbox.Inbox {
	return &inbox.Inbox{Store: processStore{p}, Queue: processQueue{p}, DeadLetters: processDeadLetters{p}, Now: now}
}

// Stopped reports whether the process has come to its end before its time.
func (p *Process) Stopped() bool { return p.stopped }

// Call makes a call of the process, as Decide says.
func (p *Process) Call(ctx context.Context, name string, act func() error) error {
	return p.call(ctx, name, act, func() {})
}

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
		return errRefused
	}
	return errFault
}

// ask makes a call that has an answer; of one that failed there is none.
func ask[T any](ctx context.Context, p *Process, name string, act func() (T, error)) (T, error) {
	var answer, none T
	err := p.Call(ctx, name, func() (err error) { answer, err = act(); return err })
	if err != nil {
		return none, err
	}
	return answer, nil
}

// untimed takes the clock of the test's own machine out of a call: however slow
// that is, only a fault may end a call's time.
func (p *Process) untimed(ctx context.Context) context.Context {
	if p.expired {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// timeOut ends the call's own time where it has some, and otherwise that of
// the whole process.
func (p *Process) timeOut(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); p.expire != nil && (!ok || !deadline.Before(p.deadline.Add(-reserve))) {
		p.expired = true
		p.expire()
	}
	return context.DeadlineExceeded
}

// reserve covers what a function keeps of its time for itself.
const reserve = 5 * time.Second

type processStore struct{ p *Process }

func (s processStore) Create(ctx context.Context, receipt inbox.Receipt) (inbox.Existing, error) {
	return ask(ctx, s.p, "store.Create", func() (inbox.Existing, error) { return s.p.Store.Create(s.p.untimed(ctx), receipt) })
}

func (s processStore) Apply(ctx context.Context, change inbox.Change) (*inbox.ConditionFailed, error) {
	return ask(ctx, s.p, "store.Apply", func() (*inbox.ConditionFailed, error) { return s.p.Store.Apply(s.p.untimed(ctx), change) })
}

func (s processStore) Due(ctx context.Context, now time.Time, limit int) ([]inbox.DueReceipt, error) {
	return ask(ctx, s.p, "store.Due", func() ([]inbox.DueReceipt, error) { return s.p.Store.Due(s.p.untimed(ctx), now, limit) })
}

func (s processStore) OldestClaimed(ctx context.Context) (acceptedAt time.Time, ok bool, err error) {
	err = s.p.Call(ctx, "store.OldestClaimed", func() (err error) {
		acceptedAt, ok, err = s.p.Store.OldestClaimed(s.p.untimed(ctx))
		return err
	})
	return acceptedAt, ok && err == nil, err
}

func (s processStore) Claim(ctx context.Context, due inbox.DueReceipt, next time.Time) (inbox.Receipt, bool, error) {
	won := false
	receipt, err := ask(ctx, s.p, "store.Claim", func() (receipt inbox.Receipt, err error) {
		receipt, won, err = s.p.Store.Claim(s.p.untimed(ctx), due, next)
		return receipt, err
	})
	return receipt, won && err == nil, err
}

type processQueue struct{ p *Process }

func (q processQueue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	err := q.p.call(ctx, "queue.Send",
		func() error { return q.p.Queue.Send(q.p.untimed(ctx), receipts...) },
		func() { _ = q.p.Queue.Send(q.p.untimed(ctx), receipts[len(receipts)/2:]...) })
	if !errors.Is(err, errRefused) {
		return err
	}
	refused := inbox.SendErrors{}
	for place := range receipts {
		refused[place] = inbox.ErrUnsendable
	}
	return refused
}

func (q processQueue) Waiting(ctx context.Context) (int, error) {
	return ask(ctx, q.p, "queue.Waiting", func() (int, error) { return q.p.Queue.Waiting(q.p.untimed(ctx)) })
}

type processDeadLetters struct{ p *Process }

func (l processDeadLetters) Receive(ctx context.Context, most int) ([]inbox.DeadLetter, error) {
	return ask(ctx, l.p, "letters.Receive", func() ([]inbox.DeadLetter, error) { return l.p.DeadLetters.Receive(l.p.untimed(ctx), most) })
}

func (l processDeadLetters) Delete(ctx context.Context, deadLetter inbox.DeadLetter) error {
	return l.p.Call(ctx, "letters.Delete", func() error { return l.p.DeadLetters.Delete(l.p.untimed(ctx), deadLetter) })
}

func (l processDeadLetters) Return(ctx context.Context, deadLetter inbox.DeadLetter) error {
	return l.p.Call(ctx, "letters.Return", func() error { return l.p.DeadLetters.Return(l.p.untimed(ctx), deadLetter) })
}
