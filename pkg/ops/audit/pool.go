package audit

import (
	"context"
	"sync"
)

// parallel is how many requests are under way at once.
const parallel = 16

// pool runs a bounded number of tasks at once. The first error ends the context
// of the others, and no more are begun.
type pool struct {
	ctx               context.Context //nolint:containedctx // it is the pool's own, of one audit's pass
	cancel            context.CancelFunc
	receiptsWithIndex chan struct{}
	running           sync.WaitGroup

	mu  sync.Mutex
	err error
}

func newPool(ctx context.Context) *pool {
	ctx, cancel := context.WithCancel(ctx)
	return &pool{ctx: ctx, cancel: cancel, receiptsWithIndex: make(chan struct{}, parallel)}
}

// do begins a task once there is a place.
func (p *pool) do(task func() error) {
	select {
	case p.receiptsWithIndex <- struct{}{}:
	case <-p.ctx.Done():
		return
	}
	p.running.Go(func() {
		defer func() { <-p.receiptsWithIndex }()
		if err := task(); err != nil {
			p.fail(err)
		}
	})
}

func (p *pool) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	p.cancel()
}

// wait returns the first error once all tasks have come to their end.
func (p *pool) wait() error {
	p.running.Wait()
	p.cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}
