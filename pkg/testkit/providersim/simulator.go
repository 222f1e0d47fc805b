package providersim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options are the outside of a simulator. All fields are optional.
type Options struct {
	Now          func() time.Time  // time.Now by default
	Rand         *rand.Rand        // for ids and nonces; by default different each time. The simulator owns it
	Client       *http.Client      // sends callbacks; by default it waits 30 s for an answer and follows no redirect
	CallbackURLs map[string]string // by type: Cregis "payout" and "sub-address-payout", Pivot "payout"; without a URL no callback is sent

	// NumericBlockTime has Cregis state the block_time of a sub-address payout as
	// a number, as the page says, and not as a string, as the SDK's model says.
	NumericBlockTime bool
}

// simulator is what the providers have in common: payouts with their plans, and
// the callbacks that wait.
type simulator struct {
	provider provider
	support  support
	urls     map[string]string
	client   *http.Client
	now      func() time.Time
	wake     chan struct{} // has an element when the callbacks that wait, or the clock, have changed

	mutex    sync.Mutex // guards what follows
	rand     *rand.Rand
	skipped  time.Duration
	speed    float64
	next     []Plan          // of the next orders
	planned  map[string]Plan // by reference
	payouts  []*payout       // as they were ordered
	waiting  []*delivery     // sorted by due and sequence
	sequence int
	fault    Fault // of all requests
	faults   int   // how many requests will have it; negative is all of them
	pause    time.Duration
}

// provider is what distinguishes the providers. Its methods are called with the
// mutex locked.
type provider interface {
	// callback returns the request that states the end; false if the provider
	// sends none.
	callback(p *payout, plan Plan, at time.Time) (request, bool)
	// status returns the status in the provider's words.
	status(p *payout, at time.Time) string
	// judge reports whether an answer to a callback is an acknowledgement, and
	// if not, whether and when the callback is sent again.
	judge(attempt Attempt, attempts int) (isAcknowledged bool, wait time.Duration, isRetried bool)
	// refuse returns the provider's answer for a fault; false for a fault that
	// has none.
	refuse(fault Fault) (answer, bool)
}

// payout is an order: a Cregis payout, or a Pivot request with its items.
type payout struct {
	id, account, kind, url string
	transfer               CregisOrder // of Cregis
	chain                  chainFacts  // of Cregis
	txid, height           string      // of Cregis
	items                  []PivotItem // of Pivot
	plan                   Plan
	ordered                time.Time
	ends                   []end
	faulty                 int // queries that had the plan's fault
	callbacks              []*delivery
}

// end is a planned or past end of a payout. A second one contradicts the first,
// or follows a status that was not final.
type end struct {
	at   time.Time
	plan Plan
}

func newSimulator(options Options, support support) *simulator {
	s := &simulator{
		support: support, urls: options.CallbackURLs, client: options.Client, now: options.Now, rand: options.Rand,
		wake: make(chan struct{}, 1), speed: 1, planned: map[string]Plan{},
	}
	if s.client == nil {
		s.client = &http.Client{
			Timeout:       30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.rand == nil {
		s.rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return s
}

// PlanNext gives a plan to the next order that has none by its reference. Several
// calls plan several orders.
func (s *simulator) PlanNext(plan Plan) error { return s.PlanFor("", plan) }

// PlanFor gives a plan to the order with a reference; to a Pivot bulk by the
// reference of any item. It replaces an earlier plan, and has no effect on an
// order that was placed before, see Finish.
func (s *simulator) PlanFor(reference string, plan Plan) error {
	if err := s.support.check(plan); err != nil {
		return fmt.Errorf("plan %s: %w", reference, err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if reference == "" {
		s.next = append(s.next, plan)
	} else {
		s.planned[reference] = plan
	}
	return nil
}

// Finish replaces the plan of an ordered payout. An end that is still to come is
// replaced with its callback; one in the past stays, and the new one follows or
// contradicts it. The id is a cid or a uuid.
func (s *simulator) Finish(id string, plan Plan) error {
	if err := s.support.check(plan); err != nil {
		return fmt.Errorf("finish payout %s: %w", id, err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p, ok := s.find(id)
	if !ok {
		return fmt.Errorf("finish payout %s: %w", id, errUnknownPayout)
	}
	now := s.time()
	isToCome := func(at time.Time) bool { return at.After(now) }
	p.ends = slices.DeleteFunc(p.ends, func(e end) bool { return isToCome(e.at) })
	p.callbacks = slices.DeleteFunc(p.callbacks, func(d *delivery) bool { return isToCome(d.ended) })
	s.waiting = slices.DeleteFunc(s.waiting, func(d *delivery) bool { return d.payout == p && isToCome(d.ended) })
	s.start(p, plan)
	return nil
}

// SetFault gives a fault to all requests of the API, orders included: to the
// next count requests, or with 0 until SetFault is called again. The empty fault
// ends it. Only faults that concern no single payout are allowed.
func (s *simulator) SetFault(fault Fault, count int, retryAfter time.Duration) error {
	if fault != "" && (!slices.Contains(refusals, fault) || !slices.Contains(s.support.faults, fault)) || count < 0 || retryAfter < 0 {
		return fmt.Errorf("set fault %q, count %d, retryAfter %s: not possible for all requests", fault, count, retryAfter)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.fault, s.faults, s.pause = fault, cmp.Or(count, -1), retryAfter
	return nil
}

// add takes an order. The mutex is locked.
func (s *simulator) add(p *payout, references ...string) {
	p.ordered, p.url = s.time(), cmp.Or(p.url, s.urls[p.kind])
	s.payouts = append(s.payouts, p)
	s.start(p, s.takePlan(references))
}

func (s *simulator) takePlan(references []string) Plan {
	for _, reference := range references {
		if plan, ok := s.planned[reference]; ok {
			delete(s.planned, reference)
			return plan
		}
	}
	if len(s.next) == 0 {
		return Plan{}
	}
	plan := s.next[0]
	s.next = s.next[1:]
	return plan
}

// start plans the end of a payout and its callback.
func (s *simulator) start(p *payout, plan Plan) {
	p.plan, p.faulty = plan, 0
	if plan.Status == Pending {
		return
	}
	at := s.time().Add(plan.After)
	p.ends = append(p.ends, end{at, plan})
	genuine := plan
	genuine.Forged, genuine.Altered = false, ""
	pushed, ok := s.provider.callback(p, genuine, at)
	if !ok || p.url == "" {
		return
	}
	sent := pushed
	if plan.Forged || plan.Altered != "" {
		sent, _ = s.provider.callback(p, plan, at)
	}
	due := at.Add(plan.Delay)
	for range plan.Copies + 1 {
		s.schedule(&delivery{payout: p, ended: at, due: due, request: sent, genuine: pushed, isLost: plan.Lost})
	}
	if plan.Overtake {
		s.overtake(p, at, due)
	}
}

// find returns the payout with a provider's id.
func (s *simulator) find(id string) (*payout, bool) {
	i := slices.IndexFunc(s.payouts, func(p *payout) bool { return p.id == id })
	if i < 0 {
		return nil, false
	}
	return s.payouts[i], true
}

// endAt returns the plan that a payout has followed up to a time, and since when.
func (p *payout) endAt(at time.Time) (last end, ok bool) {
	for _, end := range p.ends {
		if !end.at.After(at) {
			last, ok = end, true
		}
	}
	return last, ok
}

// query returns the time as of which a query about the payout is answered, and
// the fault of the answer. It reports false if the payout is not known yet. The
// mutex is locked.
func (s *simulator) query(p *payout) (asOf time.Time, fault Fault, ok bool) {
	now := s.time()
	if now.Before(p.ordered.Add(p.plan.Unknown)) {
		return now, "", false
	}
	if p.plan.Fault != "" && (p.plan.FaultCount == 0 || p.faulty < p.plan.FaultCount) {
		p.faulty++
		fault = p.plan.Fault
	}
	return now.Add(-p.plan.Stale), fault, true
}

// text returns random characters of an alphabet.
func (s *simulator) text(alphabet string, length int) string {
	text := make([]byte, length)
	for i := range text {
		text[i] = alphabet[s.rand.IntN(len(alphabet))]
	}
	return string(text)
}
