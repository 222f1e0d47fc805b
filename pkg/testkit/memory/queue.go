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

// Queue is a standard queue with a dead-letter queue behind it: it delivers at
// least once, in any order, and whatever is received MaxReceives times without
// being deleted is moved behind.
type Queue struct {
	Now         func() time.Time
	Rand        *rand.Rand    // chooses what is delivered next; nil for the order of sending
	Visibility  time.Duration // how long a delivered message stays out of sight
	MaxReceives int

	mu    sync.Mutex
	live  []Message
	dead  []Message
	count int
}

// Message is one message and where it stands.
type Message struct {
	inbox.DeadLetter // the receipt, or that it is foreign

	Receives  int       // how often it was delivered
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
	refused := inbox.SendErrors{}
	for place, receipt := range receipts {
		if err := CheckMessage(receipt); err != nil {
			refused[place] = err
			continue
		}
		q.add(inbox.DeadLetter{Receipt: receipt})
	}
	return refused.ErrorOrNil()
}

// SendForeign enqueues a message that is not ours to read.
func (q *Queue) SendUnreadable() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.add(inbox.DeadLetter{Unreadable: true})
}

// Bury puts a letter into the dead-letter queue.
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

// Deliver hands out up to most messages and takes them out of sight.
func (q *Queue) Deliver(most int) []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.live = slices.DeleteFunc(q.live, func(m Message) bool {
		spent := m.Receives >= q.MaxReceives && !m.visibleAt.After(q.Now())
		if spent {
			q.dead = append(q.dead, m)
		}
		return spent
	})
	return q.take(q.live, most)
}

// Done deletes a delivered message.
func (q *Queue) Ack(handle string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.live = remove(q.live, handle)
}

// Back puts a delivered message back in sight after a while.
func (q *Queue) Nack(handle string, after time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	reschedule(q.live, handle, q.Now().Add(after))
}

// Depth returns the number of messages in the queue and in its dead-letter queue.
func (q *Queue) Depth() (live, dead int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.live), len(q.dead)
}

// Everything returns all messages, dead ones included.
func (q *Queue) Messages() []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append(slices.Clone(q.live), q.dead...)
}

// Lose drops every message that waits, as no queue should.
func (q *Queue) DropAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.live = nil
}

// Receive implements inbox.DeadLetters.
func (q *Queue) Receive(ctx context.Context, most int) ([]inbox.DeadLetter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var deadLetters []inbox.DeadLetter
	for _, message := range q.take(q.dead, most) {
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

// visible returns the places of the messages that may be delivered now.
func (q *Queue) visible(messages []Message) []int {
	var places []int
	for i := range messages {
		if !messages[i].visibleAt.After(q.Now()) {
			places = append(places, i)
		}
	}
	return places
}

func (q *Queue) take(messages []Message, most int) []Message {
	places := q.visible(messages)
	if q.Rand != nil {
		q.Rand.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	}
	var taken []Message
	for _, place := range places[:min(most, len(places))] {
		messages[place].Receives++
		messages[place].visibleAt = q.Now().Add(q.Visibility)
		taken = append(taken, messages[place])
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
