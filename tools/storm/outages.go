package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// outages cut and restore the connections while callbacks are sent.
type outages struct {
	dynamodb, sqs *proxy
	random        *rand.Rand
	counts        map[string]int // by kind
}

func newOutages(ctx context.Context, at endpoints, seed uint64) (*outages, error) {
	dynamodb, err := newProxy(ctx, at.dynamodb.Host)
	if err != nil {
		return nil, err
	}
	sqs, err := newProxy(ctx, at.sqs.Host)
	return &outages{dynamodb: dynamodb, sqs: sqs, random: rand.New(rand.NewPCG(seed, 2)), counts: map[string]int{}}, err
}

// outage is a kind of fault and how long it lasts at most.
type outage struct {
	name          string
	dynamodb, sqs mode
	longest       time.Duration
}

// The first round keeps this order, so that a short run has the worst faults.
// Outages of both are short, because no callback is accepted in them. DynamoDB
// alone is cut for long enough that messages become dead letters.
var kinds = []outage{
	{"both cut", cut, cut, 700 * time.Millisecond},
	{"DynamoDB cut", cut, pass, 5 * time.Second},
	{"SQS cut", pass, cut, 2 * time.Second},
	{"both mute", mute, mute, 700 * time.Millisecond},
	{"DynamoDB mute", mute, pass, 2 * time.Second},
	{"SQS mute", pass, mute, 2 * time.Second},
	{"connections reset", pass, pass, 0},
}

// run causes outages until ctx ends, and leaves none.
func (o *outages) run(ctx context.Context) {
	defer o.set(pass, pass)
	for order := []int{0, 1, 2, 3, 4, 5, 6}; ; order = o.random.Perm(len(kinds)) {
		for _, n := range order {
			if !sleep(ctx, o.between(300*time.Millisecond, 2*time.Second)) {
				return
			}
			kind := kinds[n]
			o.counts[kind.name]++
			if kind.longest == 0 {
				o.dynamodb.resetAll()
				o.sqs.resetAll()
				continue
			}
			o.set(kind.dynamodb, kind.sqs)
			if !sleep(ctx, o.between(kind.longest/4, kind.longest)) {
				return
			}
			o.set(pass, pass)
		}
	}
}

func (o *outages) set(dynamodb, sqs mode) {
	o.dynamodb.set(dynamodb)
	o.sqs.set(sqs)
}

func (o *outages) between(least, most time.Duration) time.Duration {
	return least + time.Duration(o.random.Int64N(int64(most-least)))
}
