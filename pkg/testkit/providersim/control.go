package providersim

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Payout is an ordered payout as GET /simulator/payouts shows it.
type Payout struct {
	ID         string     `json:"id"` // a cid or a uuid
	Account    string     `json:"account"`
	Type       string     `json:"type"`
	References []string   `json:"references"`
	Amount     string     `json:"amount,omitempty"`   // absent of a bulk
	Currency   string     `json:"currency,omitempty"` // in the provider's word; absent of a bulk
	Status     string     `json:"status"`             // the provider's word; of a single Pivot payout "request/item"
	Ordered    time.Time  `json:"ordered"`
	Ended      *time.Time `json:"ended,omitempty"` // absent while it is in progress
	Plan       Plan       `json:"plan"`
	Callbacks  []Callback `json:"callbacks"`
}

// Callback is a callback of a payout.
type Callback struct {
	URL      string    `json:"url"`
	Body     string    `json:"body"`  // as it is sent
	State    string    `json:"state"` // waiting, lost, acknowledged, or failed: then only a push sends it again
	Due      time.Time `json:"due"`   // of the next attempt, or of the last
	IsPushed bool      `json:"pushed,omitempty"`
	Attempts []Attempt `json:"attempts"`
}

// Answer formats the answer to the last attempt.
func (c Callback) Answer() string {
	if len(c.Attempts) == 0 {
		return ""
	}
	last := c.Attempts[len(c.Attempts)-1]
	return strings.TrimSpace(fmt.Sprintf("%d %s%s", last.Code, last.Body, last.Error))
}

// Payouts returns what was ordered, in that order.
func (s *simulator) Payouts() []Payout {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.time()
	payouts := make([]Payout, 0, len(s.payouts))
	for _, p := range s.payouts {
		view := Payout{
			ID: p.id, Account: p.account, Type: p.kind, Status: s.provider.status(p, now), Ordered: p.ordered, Plan: p.plan,
			References: p.references(), Callbacks: make([]Callback, 0, len(p.callbacks)),
		}
		view.Amount, view.Currency = p.amount()
		if last, ok := p.endAt(now); ok {
			view.Ended = &last.at
		}
		for _, d := range p.callbacks {
			view.Callbacks = append(view.Callbacks, Callback{
				p.url, string(d.request.body), d.state, d.due, d.isPushed, append([]Attempt{}, d.attempts...),
			})
		}
		payouts = append(payouts, view)
	}
	return payouts
}

func (p *payout) references() []string {
	if len(p.items) == 0 {
		return []string{p.transfer.Reference}
	}
	var references []string
	for _, item := range p.items {
		references = append(references, item.Reference)
	}
	return references
}

// amount returns the amount and currency of a payout, and nothing of a bulk.
func (p *payout) amount() (value, currency string) {
	switch len(p.items) {
	case 0:
		return p.transfer.Amount, p.chain.name
	case 1:
		return p.items[0].Amount.Value, p.items[0].Amount.Currency
	}
	return "", ""
}

// serveControl adds the API for a person. Unknown fields are refused with 400.
//
//	POST /simulator/plan     {"plan": {…}} for the next order, with "reference" for
//	                         that order, with "id" for a payout that is ordered
//	POST /simulator/order    {"account": "…", "reference": "…", "amount": "1.1", "plan": {…}} orders a payout to a
//	                         demo recipient
//	POST /simulator/fault    {"fault": "limited", "faultCount": 3, "retryAfter": "30s"} for all requests
//	GET  /simulator/payouts  what was ordered, its state, and its callbacks
//	POST /simulator/push     {"id": "…"} sends the last callback again
//	POST /simulator/skip     moves the clock to the next callback
func (s *simulator) serveControl(mux *http.ServeMux, order func(account, reference, amount string) error) {
	mux.HandleFunc("GET /simulator/payouts", func(w http.ResponseWriter, r *http.Request) {
		answer{code: http.StatusOK, body: s.Payouts()}.write(w, r)
	})
	mux.HandleFunc("POST /simulator/skip", func(w http.ResponseWriter, r *http.Request) {
		answer{code: http.StatusOK, body: map[string]time.Time{"now": s.Skip()}}.write(w, r)
	})
	mux.HandleFunc("POST /simulator/plan", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			ID        string `json:"id"`
			Reference string `json:"reference"`
			Plan      *Plan  `json:"plan"`
		}
		control(w, r, &request, func() error {
			switch {
			case request.Plan == nil:
				return errors.New("plan: is required")
			case request.ID != "" && request.Reference != "":
				return errors.New("id and reference: give one of them")
			case request.ID != "":
				return s.Finish(request.ID, *request.Plan)
			}
			return s.PlanFor(request.Reference, *request.Plan)
		})
	})
	mux.HandleFunc("POST /simulator/order", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Account   string `json:"account"`
			Reference string `json:"reference"`
			Amount    string `json:"amount"`
			Plan      Plan   `json:"plan"`
		}
		control(w, r, &request, func() error {
			if request.Reference == "" {
				return errors.New("reference: is required")
			}
			if err := s.PlanFor(request.Reference, request.Plan); err != nil {
				return err
			}
			err := order(request.Account, request.Reference, request.Amount)
			if err != nil {
				s.mutex.Lock()
				defer s.mutex.Unlock()
				delete(s.planned, request.Reference)
			}
			return err
		})
	})
	mux.HandleFunc("POST /simulator/push", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			ID string `json:"id"`
		}
		control(w, r, &request, func() error { return s.Push(request.ID) })
	})
	mux.HandleFunc("POST /simulator/fault", func(w http.ResponseWriter, r *http.Request) {
		var request Plan // its fields fault, faultCount, and retryAfter
		control(w, r, &request, func() error { return s.SetFault(request.Fault, request.FaultCount, request.RetryAfter) })
	})
}

// control reads a request and acts on it: 204, 400 with the cause, or 404 for an
// unknown payout.
func control(w http.ResponseWriter, r *http.Request, request any, act func() error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err == nil {
		err = decodeStrictly(body, request)
	}
	if err == nil {
		err = act()
	}
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	code := http.StatusBadRequest
	if errors.Is(err, errUnknownPayout) {
		code = http.StatusNotFound
	}
	answer{code: code, body: map[string]string{"error": err.Error()}}.write(w, r)
}
