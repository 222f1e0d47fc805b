package inboxtest

import (
	"context"
	"errors"

	"payout-callbacks/pkg/inbox"
)

type processQueue struct{ p *Process }

func (q processQueue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	err := q.p.call(ctx, "queue.Send",
		func() error { return q.p.Queue.Send(q.p.withoutTimeout(ctx), receipts...) },
		func() { _ = q.p.Queue.Send(q.p.withoutTimeout(ctx), receipts[len(receipts)/2:]...) })
	if !errors.Is(err, errRejected) {
		return err
	}
	sendErrs := inbox.SendError{}
	for i := range receipts {
		sendErrs[i] = inbox.ErrUnsendable
	}
	return sendErrs
}

func (q processQueue) Waiting(ctx context.Context) (int, error) {
	return query(ctx, q.p, "queue.Waiting", func() (int, error) { return q.p.Queue.Waiting(q.p.withoutTimeout(ctx)) })
}

type processDeadLetters struct{ p *Process }

func (d processDeadLetters) Receive(ctx context.Context, limit int) ([]inbox.DeadLetter, error) {
	return query(ctx, d.p, "deadLetters.Receive", func() ([]inbox.DeadLetter, error) { return d.p.DeadLetters.Receive(d.p.withoutTimeout(ctx), limit) })
}

func (d processDeadLetters) Delete(ctx context.Context, deadLetter inbox.DeadLetter) error {
	return d.p.Call(ctx, "deadLetters.Delete", func() error { return d.p.DeadLetters.Delete(d.p.withoutTimeout(ctx), deadLetter) })
}

func (d processDeadLetters) Return(ctx context.Context, deadLetter inbox.DeadLetter) error {
	return d.p.Call(ctx, "deadLetters.Return", func() error { return d.p.DeadLetters.Return(d.p.withoutTimeout(ctx), deadLetter) })
}
