package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/functions"
	"payout-callbacks/pkg/payout"
)

// Shares of what is sent, of a hundred. The rest tells something new.
const (
	forgedShare        = 5
	redeliveredShare   = 30
	contradictoryShare = 2
)

// sort is what a callback is to the plan.
type sort string

const (
	fresh         sort = "new"
	redelivered   sort = "redelivered"
	contradictory sort = "contradictory"
	forged        sort = "forged"
)

// sent is one callback as it goes out.
type sent struct {
	sort   sort
	path   string
	body   []byte
	header http.Header
	key    inbox.Key // of the receipt that it must become; of a forged one, none
}

// The accounts that the callbacks are of, and their keys. They exist nowhere.
const (
	project  = "1382528827416576"
	merchant = "922e39ab-7565-49f6-b84f-fb56122821ae"
	wrongKey = "not the key of this account"
)

var accountKeys = map[string]callback.Keys{
	"cregis": {project: {Current: "f502a9ac9ca54327986f29c03b271491"}},
	"pivot":  {merchant: {Current: "3f1f6f0d7a119a526c1d4a0e0b7c9a54"}},
}

// planner decides what is sent. The same seed plans the same callbacks.
type planner struct {
	random    *rand.Rand
	providers map[string]functions.SigningProvider
	delivered []fact // that are not forged
	sent      []sent // the callback of each
	delayed   []fact // that await their end
	payouts   int
}

func newPlanner(seed uint64) *planner {
	p := &planner{random: rand.New(rand.NewPCG(seed, 1)), providers: map[string]functions.SigningProvider{}}
	for _, provider := range functions.Providers() {
		p.providers[provider.Name()] = provider
	}
	return p
}

// next plans one callback.
func (p *planner) next() (sent, error) {
	draw := p.random.IntN(100)
	switch {
	case draw < forgedShare:
		return p.forge()
	case draw < forgedShare+redeliveredShare && len(p.delivered) > 0:
		return p.redeliver()
	case draw < forgedShare+redeliveredShare+contradictoryShare && len(p.delivered) > 0:
		return p.deliver(contradictory, p.contradict(p.delivered[p.random.IntN(len(p.delivered))]))
	}
	return p.deliver(fresh, p.invent())
}

// forge signs what was never told with a key that is not the account's.
func (p *planner) forge() (sent, error) {
	f := p.invent()
	if len(p.delivered) > 0 && p.random.IntN(2) == 0 {
		f = p.delivered[p.random.IntN(len(p.delivered))]
	}
	f.amount = 900_000_000 + p.random.IntN(1000)
	body, header, err := p.providers[f.provider].Sign(f.body(p.random), wrongKey)
	return sent{sort: forged, path: f.path(), body: body, header: header}, err
}

// redeliver sends an earlier callback again: the same bytes, or, as a person's
// push at the provider does, under a fresh signature.
func (p *planner) redeliver() (sent, error) {
	n := p.random.IntN(len(p.delivered))
	if p.random.IntN(2) == 0 {
		again := p.sent[n]
		again.sort = redelivered
		return again, nil
	}
	return p.sign(redelivered, p.delivered[n])
}

func (p *planner) deliver(as sort, f fact) (sent, error) {
	callback, err := p.sign(as, f)
	p.delivered, p.sent = append(p.delivered, f), append(p.sent, callback)
	return callback, err
}

func (p *planner) sign(as sort, f fact) (sent, error) {
	provider := p.providers[f.provider]
	keys := accountKeys[f.provider]
	body, header, err := provider.Sign(f.body(p.random), keys[f.account()].Current)
	if err != nil {
		return sent{}, fmt.Errorf("sign: %w", err)
	}
	request := callback.NewRequest(f.kind, header, body)
	verified, err := provider.Verify(request, keys)
	if err != nil {
		return sent{}, fmt.Errorf("verify what was just signed: %w", err)
	}
	key := callback.NewReceipt(provider, verified, time.Time{}).Key
	return sent{sort: as, path: f.path(), body: body, header: header, key: key}, nil
}

// invent makes up a fact of a payout that nobody has heard of, or the end of
// one that was delayed.
func (p *planner) invent() fact {
	if len(p.delayed) > 0 && p.random.IntN(4) == 0 {
		last := len(p.delayed) - 1
		f := p.delayed[last]
		p.delayed = p.delayed[:last]
		f.status = "SUCCESS"
		return f
	}
	p.payouts++
	f := fact{number: p.payouts, amount: 1 + p.random.IntN(1_000_000), kind: payout.TypePayout}
	switch draw := p.random.IntN(100); {
	case draw < 45:
		f.provider, f.status = "cregis", pick(p.random, "6", "6", "6", "7", "2", "4")
	case draw < 55:
		f.provider, f.kind, f.status = "cregis", payout.TypeSubAddressPayout, "6"
	case draw < 58: // a status that is in no table: held
		f.provider, f.status = "cregis", "5"
	case draw < 90:
		f.provider, f.status = "pivot", pick(p.random, "SUCCESS", "SUCCESS", "FAILED", "DELAYED")
	default:
		f.provider, f.status, f.bulk = "pivot", "DONE", true
	}
	if f.status == "DELAYED" {
		p.delayed = append(p.delayed, f)
	}
	return f
}

// contradict tells the same payout with another end, or another amount.
func (p *planner) contradict(f fact) fact {
	opposite := map[string]string{"6": "7", "7": "6", "2": "6", "4": "6", "SUCCESS": "FAILED", "FAILED": "SUCCESS"}
	if other, ok := opposite[f.status]; ok && p.random.IntN(2) == 0 {
		f.status = other
		return f
	}
	f.amount++
	return f
}

func pick(random *rand.Rand, of ...string) string { return of[random.IntN(len(of))] }
