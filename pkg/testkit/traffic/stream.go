package traffic

import (
	"math/rand/v2"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
)

// The keys of both providers in a [Stream]: the stored one of the first account,
// and that of another account, which is not stored.
const (
	streamKey callback.Key = "f502a9ac9ca54327986f29c03b271491"
	otherKey  callback.Key = "3f1f6f0d7a119a526c1d4a0e0b7c9a54"
)

// The shares of forged and redelivered callbacks in a [Stream], in percent. The
// others are new.
const (
	forgedShare      = 5
	redeliveredShare = 30
)

// Stream is an endless sequence of callbacks about many payouts: new, redelivered
// and forged ones. The same seed gives the same callbacks. It is not safe for
// concurrent use.
type Stream struct {
	random  *rand.Rand
	payouts int
	open    [][]Step // the callbacks of payouts that are not sent yet
	sent    []Request
}

// Request is one callback of a [Stream].
type Request struct {
	callback.Request

	Provider string
	IsForged bool
	Receipt  inbox.Receipt // that it must leave; empty for a forged callback

	callback Callback
}

// NewStream returns the stream of a seed.
func NewStream(seed uint64) *Stream { return &Stream{random: rand.New(rand.NewPCG(seed, 1))} }

// StreamKeys returns the keys with which a provider's callbacks are verified.
func StreamKeys(provider string) Keys {
	return Keys{Accounts(provider)[0]: {Current: streamKey}}
}

// Next returns the next callback.
func (s *Stream) Next() (Request, error) {
	draw := s.random.IntN(100)
	if draw >= forgedShare+redeliveredShare || len(s.sent) == 0 {
		request, err := s.sign(s.nextCallback())
		s.sent = append(s.sent, request)
		return request, err
	}
	earlier := s.sent[s.random.IntN(len(s.sent))]
	switch {
	case draw < forgedShare:
		request, err := Forge(s.random, earlier.Provider, earlier.Request, otherKey)
		return Request{Provider: earlier.Provider, Request: request, IsForged: true}, err
	case s.random.IntN(2) == 0: // a push from the provider's console
		return s.sign(earlier.callback)
	}
	return earlier, nil // the same bytes
}

// nextCallback returns the next callback of some payout. A dozen payouts overlap.
func (s *Stream) nextCallback() Callback {
	for {
		if len(s.open) < 12 {
			s.payouts++
			s.open = append(s.open, NewPayout(s.random, s.payouts))
		}
		n := s.random.IntN(len(s.open))
		step := s.open[n][0]
		if s.open[n] = s.open[n][1:]; len(s.open[n]) == 0 {
			s.open = append(s.open[:n], s.open[n+1:]...)
		}
		if step.Resolution == nil { // nobody resolves conflicts here
			return step.Callback
		}
	}
}

func (s *Stream) sign(c Callback) (Request, error) {
	now := time.UnixMilli(1687850657960 + s.random.Int64N(1e9))
	signed, err := c.Sign(s.random, now, streamKey)
	if err != nil {
		return Request{}, err
	}
	receipt, err := c.Receipt(signed, time.Time{})
	return Request{Request: signed, Provider: c.Provider, Receipt: receipt, callback: c}, err
}
