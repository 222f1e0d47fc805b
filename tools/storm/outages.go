package main

import (
	"context"
	"math/rand/v2"
	"time"

	"payout-callbacks/pkg/lambda/functions"
)

// outages cut and restore the connections as long as callbacks are sent.
type outages struct {
	dynamodb, sqs *proxy
	random        *rand.Rand
	happened      map[string]int // by what was lost and how
}

// outage is one of the things that happen, for so long at most.
type outage struct {
	name          string
	dynamodb, sqs faultPlan
	longest       time.Duration
}

// The first round goes in this order, so that a short storm has the worst of it.
// Both at once is short: there is no place left to put a callback. DynamoDB alone
// is cut for long enough that there are dead letters.
var kinds = []outage{
	{"both cut", cut, cut, 700 * time.Millisecond},
	{"DynamoDB cut", cut, fair, 5 * time.Second},
	{"SQS cut", fair, cut, 2 * time.Second},
	{"both mute", mute, mute, 700 * time.Millisecond},
	{"DynamoDB mute", mute, fair, 2 * time.Second},
	{"SQS mute", fair, mute, 2 * time.Second},
	{"connections snapped", fair, fair, 0},
}

// run goes on until ctx ends, and leaves fair weather.
func (o *outages) run(ctx context.Context) {
	defer o.set(fair, fair)
	for order := []int{0, 1, 2, 3, 4, 5, 6}; ; order = o.random.Perm(len(kinds)) {
		for _, n := range order {
			if !wait(ctx, o.between(300*time.Millisecond, 2*time.Second)) {
				return
			}
			kind := kinds[n]
			o.happened[kind.name]++
			if kind.longest == 0 {
				o.dynamodb.snap()
				o.sqs.snap()
				continue
			}
			o.set(kind.dynamodb, kind.sqs)
			if !wait(ctx, o.between(kind.longest/4, kind.longest)) {
				return
			}
			o.set(fair, fair)
		}
	}
}

func (o *outages) set(dynamodb, sqs faultPlan) {
	o.dynamodb.set(dynamodb)
	o.sqs.set(sqs)
}

func (o *outages) between(least, most time.Duration) time.Duration {
	return least + time.Duration(o.random.Int64N(int64(most-least)))
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, span time.Duration) bool {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// clients talk through the weather.
func (o *outages) clients(patient bool) functions.Clients {
	return clients(o.dynamodb.url(), o.sqs.url(), patient)
}
