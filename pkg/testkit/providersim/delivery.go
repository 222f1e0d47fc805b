package providersim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

var (
	errUnknownPayout = errors.New("no such payout")
	errNoCallback    = errors.New("the payout has no callback")
)

// request is a callback as it is sent.
type request struct {
	header http.Header
	body   []byte
}

// delivery is a callback that waits, or has waited, to be sent.
type delivery struct {
	payout   *payout
	ended    time.Time // when what it states happened
	due      time.Time
	sequence int // orders deliveries that are due at the same time
	request  request
	genuine  request // what Push sends
	isLost   bool
	isPushed bool // by a person, so it is not repeated
	state    string
	attempts []Attempt
}

// Attempt is an attempt to send a callback, and its answer.
type Attempt struct {
	At    time.Time `json:"at"`
	Code  int       `json:"code,omitempty"`  // of the answer
	Body  string    `json:"body,omitempty"`  // its first 1,024 bytes
	Error string    `json:"error,omitempty"` // if there was no answer
}

// The states of a callback.
const (
	stateWaiting      = "waiting"
	stateLost         = "lost"
	stateAcknowledged = "acknowledged"
	stateFailed       = "failed" // for good: only Push sends it again
)

// Push sends the last callback of a payout again, as a person does from the
// provider's console: with its original timestamp, and genuine even where a plan
// forged or altered it. It is due at once, and is not repeated. The id is a cid
// or a uuid.
func (s *simulator) Push(id string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p, ok := s.find(id)
	if !ok {
		return fmt.Errorf("push payout %s: %w", id, errUnknownPayout)
	}
	now := s.time()
	past := slices.DeleteFunc(slices.Clone(p.callbacks), func(d *delivery) bool { return d.ended.After(now) })
	if len(past) == 0 {
		return fmt.Errorf("push payout %s: %w", id, errNoCallback)
	}
	last := past[len(past)-1]
	s.schedule(&delivery{payout: p, ended: last.ended, due: now, request: last.genuine, genuine: last.genuine, isPushed: true})
	return nil
}

// DeliverDue sends the callbacks that are due, in their order, and returns how
// many were sent; lost callbacks are not counted. A callback that is refused or
// cannot be delivered is no error: it is repeated as the provider does. The error
// is the context's; what was not answered then still waits.
func (s *simulator) DeliverDue(ctx context.Context) (sent int, err error) {
	for {
		d, ok := s.takeDue()
		if !ok {
			return sent, nil
		}
		if d.isLost {
			continue
		}
		attempt := s.send(ctx, d)
		if err := ctx.Err(); err != nil {
			s.mutex.Lock()
			s.enqueue(d)
			s.mutex.Unlock()
			return sent, fmt.Errorf("deliver callbacks: %w", err)
		}
		sent++
		s.record(d, attempt)
	}
}

// takeDue takes the first delivery that is due.
func (s *simulator) takeDue() (*delivery, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.waiting) == 0 || s.waiting[0].due.After(s.time()) {
		return nil, false
	}
	d := s.waiting[0]
	s.waiting = s.waiting[1:]
	if d.isLost {
		d.state = stateLost
	}
	return d, true
}

func (s *simulator) send(ctx context.Context, d *delivery) Attempt {
	s.mutex.Lock()
	attempt := Attempt{At: s.time()}
	s.mutex.Unlock()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.payout.url, bytes.NewReader(d.request.body))
	if err != nil {
		attempt.Error = err.Error()
		return attempt
	}
	request.Header = d.request.header.Clone()
	response, err := s.client.Do(request)
	if err != nil {
		attempt.Error = err.Error()
		return attempt
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1024))
	if err != nil {
		attempt.Error = err.Error()
		return attempt
	}
	attempt.Code, attempt.Body = response.StatusCode, string(body)
	return attempt
}

// record keeps the result of an attempt and plans the next.
func (s *simulator) record(d *delivery, attempt Attempt) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	d.attempts = append(d.attempts, attempt)
	isAcknowledged, wait, isRetried := s.provider.judge(attempt, len(d.attempts))
	switch {
	case isAcknowledged:
		d.state = stateAcknowledged
	case isRetried && !d.isPushed:
		d.due = attempt.At.Add(time.Duration(float64(wait) / s.speed))
		s.enqueue(d)
	default:
		d.state = stateFailed
	}
}

// schedule adds a callback of a payout. The mutex is locked.
func (s *simulator) schedule(d *delivery) {
	d.payout.callbacks = append(d.payout.callbacks, d)
	s.enqueue(d)
}

// enqueue makes a delivery wait.
func (s *simulator) enqueue(d *delivery) {
	s.sequence++
	d.sequence, d.state = s.sequence, stateWaiting
	s.waiting = append(s.waiting, d)
	s.sortWaiting()
	s.notify()
}

// overtake puts the earlier callbacks of a payout that would be sent before the
// time directly after it.
func (s *simulator) overtake(p *payout, ended, due time.Time) {
	for _, d := range p.callbacks {
		if slices.Contains(s.waiting, d) && d.ended.Before(ended) && !d.due.After(due) {
			s.sequence++
			d.due, d.sequence = due, s.sequence
		}
	}
	s.sortWaiting()
}

func (s *simulator) sortWaiting() {
	slices.SortFunc(s.waiting, func(a, b *delivery) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.sequence, b.sequence))
	})
}
