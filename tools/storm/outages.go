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
}

func newOutages(seed uint64) (*outages, error) {
	dynamodb, err := newProxy("AWS_ENDPOINT_URL_DYNAMODB")
	if err != nil {
		return nil, err
	}
	sqs, err := newProxy("AWS_ENDPOINT_URL_SQS")
	return &outages{dynamodb: dynamodb, sqs: sqs, random: rand.New(rand.NewPCG(seed, 2))}, err
}

// outage is a kind of fault and how long it lasts at most.
type outage struct {
	dynamodb, sqs mode
	longest       time.Duration
}

// The first round keeps this order, so that a short run has the worst faults.
// Outages of both are short, because no callback is accepted in them. DynamoDB
// alone is cut for long enough that messages become dead letters.
var kinds = []outage{
	{cut, cut, 700 * time.Millisecond},
	{cut, pass, 5 * time.Second},
	{pass, cut, 2 * time.Second},
	{mute, mute, 700 * time.Millisecond},
	{mute, pass, 2 * time.Second},
	{pass, mute, 2 * time.Second},
}

// run causes outages until ctx ends, and leaves none.
func (o *outages) run(ctx context.Context) {
	defer o.set(pass, pass)
	for order := []int{0, 1, 2, 3, 4, 5}; ; order = o.random.Perm(len(kinds)) {
		for _, n := range order {
			if !sleep(ctx, o.between(300*time.Millisecond, 2*time.Second)) {
				return
			}
			kind := kinds[n]
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
