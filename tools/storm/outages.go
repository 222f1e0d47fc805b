package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"time"

	"payout-callbacks/pkg/testkit/faultproxy"
)

// outages break and restore the connections while callbacks are sent.
type outages struct {
	dynamodb, sqs *endpoint
	random        *rand.Rand
}

func newOutages(seed uint64) (*outages, error) {
	dynamodb, err := newEndpoint("AWS_ENDPOINT_URL_DYNAMODB", faultproxy.DynamoDB)
	if err != nil {
		return nil, err
	}
	sqs, err := newEndpoint("AWS_ENDPOINT_URL_SQS", faultproxy.SQS)
	return &outages{dynamodb: dynamodb, sqs: sqs, random: rand.New(rand.NewPCG(seed, 2))}, err
}

// endpoint is a service behind a proxy.
type endpoint struct {
	direct, broken string // its URL, and the proxy's
	service        string
	proxy          *faultproxy.Proxy
}

// newEndpoint serves a proxy of the service whose endpoint is in the variable. The
// endpoint must be on this machine.
func newEndpoint(variable, service string) (*endpoint, error) {
	direct := os.Getenv(variable)
	proxy, err := faultproxy.New(direct)
	if err != nil {
		return nil, fmt.Errorf("%s, which make storm sets to the local stack: %w", variable, err)
	}
	return &endpoint{direct: direct, broken: httptest.NewServer(proxy).URL, service: service, proxy: proxy}, nil
}

// outage is a kind of fault and how long it lasts at most.
type outage struct {
	dynamodb, sqs faultproxy.Fault
	longest       time.Duration
}

const (
	pass = faultproxy.None
	cut  = faultproxy.Fails
	mute = faultproxy.TimesOutLate
)

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
	defer o.set(outage{})
	for order := []int{0, 1, 2, 3, 4, 5}; ; order = o.random.Perm(len(kinds)) {
		for _, n := range order {
			if !sleep(ctx, o.between(300*time.Millisecond, 2*time.Second)) {
				return
			}
			kind := kinds[n]
			o.set(kind)
			if !sleep(ctx, o.between(kind.longest/4, kind.longest)) {
				return
			}
			o.set(outage{})
		}
	}
}

func (o *outages) set(kind outage) {
	_ = o.dynamodb.proxy.Set(o.dynamodb.service, kind.dynamodb) // both exist
	_ = o.sqs.proxy.Set(o.sqs.service, kind.sqs)
}

func (o *outages) between(least, most time.Duration) time.Duration {
	return least + time.Duration(o.random.Int64N(int64(most-least)))
}
