package drain

import (
	"context"
	"strconv"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/memory"
)

// What the template and SQS say of the queue.
const (
	visibility  = 180 * time.Second
	retention   = 4 * 24 * time.Hour
	maxReceives = 10
	maxInFlight = 120_000
)

// queue is a standard queue with a dead-letter queue behind it, as
// memory.Queue is, but each step takes the same time however many messages
// there are, and it forgets what is too old.
type queue struct {
	now  func() time.Time
	each int

	lines    []*line // one for each account, served in turn
	turn     int
	waiting  int
	flight   []*message // delivered, in the order in which they come back
	inFlight int
	dead     []*message
	decided  map[string]*message // dead letters that the sweeper has in its hands
	handles  int
	expired  int
}

type line struct {
	account  string
	messages []*message
}

type message struct {
	receipt  inbox.Receipt
	foreign  bool // not ours to read
	sentAt   time.Time
	backAt   time.Time
	receives int
	done     bool
}

var (
	_ inbox.Queue       = (*queue)(nil)
	_ inbox.DeadLetters = (*queue)(nil)
)

// Send implements inbox.Queue.
func (q *queue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	refused := inbox.SendErrors{}
	for place, receipt := range receipts {
		if err := memory.SQSRefusal(receipt); err != nil {
			refused[place] = err
			continue
		}
		q.enqueue(&message{receipt: receipt, sentAt: q.now()})
	}
	return refused.AsError()
}

func (q *queue) enqueue(m *message) {
	q.waiting++
	account := m.receipt.Account()
	for _, one := range q.lines {
		if one.account == account {
			one.messages = append(one.messages, m)
			return
		}
	}
	q.lines = append(q.lines, &line{account: account, messages: []*message{m}})
}

// Waiting implements inbox.Queue.
func (q *queue) Waiting(context.Context) (int, error) { return q.waiting, nil }

// deliver hands out up to most messages and takes them out of sight.
func (q *queue) deliver(most int) []*message {
	var taken []*message
	for q.waiting > 0 && len(taken) < most && (q.inFlight+1)*q.each <= maxInFlight {
		m := q.next()
		if q.now().Sub(m.sentAt) >= retention {
			q.expired++
			continue
		}
		m.receives++
		m.backAt = q.now().Add(visibility)
		q.inFlight++
		taken = append(taken, m)
	}
	q.flight = append(q.flight, taken...)
	return taken
}

// next takes the first message of the account whose turn it is.
func (q *queue) next() *message {
	for {
		q.turn++
		one := q.lines[q.turn%len(q.lines)]
		if len(one.messages) > 0 {
			m := one.messages[0]
			one.messages[0] = nil
			one.messages = one.messages[1:]
			q.waiting--
			return m
		}
	}
}

// delete removes a delivered message.
func (q *queue) delete(m *message) {
	m.done = true
	m.receipt = inbox.Receipt{}
	q.inFlight--
}

// comeBack puts in sight what was delivered and not deleted in time, or takes
// it for dead.
func (q *queue) comeBack() {
	for len(q.flight) > 0 && (q.flight[0].done || !q.flight[0].backAt.After(q.now())) {
		m := q.flight[0]
		q.flight[0] = nil
		q.flight = q.flight[1:]
		switch {
		case m.done:
			continue
		case m.receives >= maxReceives:
			q.dead = append(q.dead, m)
		default:
			q.enqueue(m)
		}
		q.inFlight--
	}
}

// Receive implements inbox.DeadLetters. What is received is decided about at
// once, and does not come back by itself.
func (q *queue) Receive(ctx context.Context, most int) ([]inbox.DeadLetter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var letters []inbox.DeadLetter
	for _, m := range q.dead[:min(most, len(q.dead))] {
		q.handles++
		handle := strconv.Itoa(q.handles)
		q.decided[handle] = m
		letters = append(letters, inbox.DeadLetter{Receipt: m.receipt, Foreign: m.foreign, Handle: handle})
	}
	q.dead = q.dead[len(letters):]
	return letters, nil
}

// Delete implements inbox.DeadLetters.
func (q *queue) Delete(ctx context.Context, letter inbox.DeadLetter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	delete(q.decided, letter.Handle)
	return nil
}

// Return implements inbox.DeadLetters.
func (q *queue) Return(ctx context.Context, letter inbox.DeadLetter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.dead = append(q.dead, q.decided[letter.Handle])
	delete(q.decided, letter.Handle)
	return nil
}

// deadLetters is how many there are.
func (q *queue) deadLetters() int { return len(q.dead) + len(q.decided) }

// receipts returns what all messages carry.
func (q *queue) receipts() []inbox.Receipt {
	var all []inbox.Receipt
	for _, one := range q.lines {
		for _, m := range one.messages {
			all = append(all, m.receipt)
		}
	}
	for _, m := range q.flight {
		if !m.done {
			all = append(all, m.receipt)
		}
	}
	for _, m := range q.dead {
		all = append(all, m.receipt)
	}
	return all
}
