package memory

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"payout-callbacks/pkg/inbox"
)

// Queue is a standard queue with a dead-letter queue: it delivers at least once, in
// any order, and moves a message to the dead-letter queue that was received
// MaxReceives times without being deleted.
type Queue struct {
	Now         func() time.Time
	Rand        *rand.Rand    // chooses the order of delivery; nil for the order of sending
	Visibility  time.Duration // visibility timeout of a delivered message
	MaxReceives int

	mu    sync.Mutex
	live  []Message
	dead  []Message
	count int
}

// Message is a message and its state in the queue.
type Message struct {
	inbox.DeadLetter // the receipt, or that it is unreadable

	Receives  int       // number of deliveries
	visibleAt time.Time // when it may be delivered again
}

// VisibleAt returns when the message may be delivered again.
func (m Message) VisibleAt() time.Time { return m.visibleAt }

var (
	_ inbox.Queue       = (*Queue)(nil)
	_ inbox.DeadLetters = (*Queue)(nil)
)

// Send implements inbox.Queue.
func (q *Queue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	sendErrs := inbox.SendError{}
	for i, receipt := range receipts {
		if err := CheckMessage(receipt); err != nil {
			sendErrs[i] = err
			continue
		}
		q.add(inbox.DeadLetter{Receipt: receipt})
	}
	return sendErrs.ErrorOrNil()
}

// SendUnreadable enqueues a message that does not decode as a receipt.
func (q *Queue) SendUnreadable() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(inbox.DeadLetter{Unreadable: true})
}

// DeadLetter adds a message to the dead-letter queue.
func (q *Queue) DeadLetter(deadLetter inbox.DeadLetter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(deadLetter)
	last := len(q.live) - 1
	q.live, q.dead = q.live[:last], append(q.dead, q.live[last])
}

func (q *Queue) add(deadLetter inbox.DeadLetter) {
	q.count++
	deadLetter.Handle = strconv.Itoa(q.count)
	q.live = append(q.live, Message{DeadLetter: deadLetter})
}

// Waiting implements inbox.Queue.
func (q *Queue) Waiting(context.Context) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.visible(q.live)), nil
}

// Deliver returns up to limit messages and hides them for the visibility timeout.
func (q *Queue) Deliver(limit int) []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.live = slices.DeleteFunc(q.live, func(m Message) bool {
		isDead := m.Receives >= q.MaxReceives && !m.visibleAt.After(q.Now())
		if isDead {
			q.dead = append(q.dead, m)
		}
		return isDead
	})
	return q.take(q.live, limit)
}

// Ack deletes a delivered message.
func (q *Queue) Ack(handle string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.live = remove(q.live, handle)
}

// Nack makes a delivered message visible again after a delay.
func (q *Queue) Nack(handle string, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	reschedule(q.live, handle, q.Now().Add(delay))
}

// Depth returns the number of messages in the queue and in its dead-letter queue.
func (q *Queue) Depth() (live, dead int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.live), len(q.dead)
}

// Messages returns all messages, those of the dead-letter queue included.
func (q *Queue) Messages() []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append(slices.Clone(q.live), q.dead...)
}

// DropAll loses all messages of the queue, which a real queue should never do.
func (q *Queue) DropAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.live = nil
}

// Receive implements inbox.DeadLetters.
func (q *Queue) Receive(ctx context.Context, limit int) ([]inbox.DeadLetter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var deadLetters []inbox.DeadLetter
	for _, message := range q.take(q.dead, limit) {
		deadLetters = append(deadLetters, message.DeadLetter)
	}
	return deadLetters, nil
}

// Delete implements inbox.DeadLetters.
func (q *Queue) Delete(ctx context.Context, deadLetter inbox.DeadLetter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dead = remove(q.dead, deadLetter.Handle)
	return nil
}

// Return implements inbox.DeadLetters.
func (q *Queue) Return(ctx context.Context, deadLetter inbox.DeadLetter) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	reschedule(q.dead, deadLetter.Handle, q.Now())
	return nil
}

// visible returns the indexes of the messages that may be delivered now.
func (q *Queue) visible(messages []Message) []int {
	var indexes []int
	for i := range messages {
		if !messages[i].visibleAt.After(q.Now()) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// take returns up to limit visible messages and hides them.
func (q *Queue) take(messages []Message, limit int) []Message {
	indexes := q.visible(messages)
	if q.Rand != nil {
		q.Rand.Shuffle(len(indexes), func(i, j int) { indexes[i], indexes[j] = indexes[j], indexes[i] })
	}
	var taken []Message
	for _, i := range indexes[:min(limit, len(indexes))] {
		messages[i].Receives++
		messages[i].visibleAt = q.Now().Add(q.Visibility)
		taken = append(taken, messages[i])
	}
	return taken
}

func remove(messages []Message, handle string) []Message {
	return slices.DeleteFunc(messages, func(m Message) bool { return m.Handle == handle })
}

func reschedule(messages []Message, handle string, at time.Time) {
	for i := range messages {
		if messages[i].Handle == handle {
			messages[i].visibleAt = at
		}
	}
}
