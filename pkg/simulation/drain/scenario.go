package drain

import (
	"errors"
	"fmt"
	"time"
)

// Scenario is one load, one outage and one setting of the template. All fields
// but Broken and BusyShare are required.
type Scenario struct {
	Rate        int           `json:"callbacksPerSecond"`
	Outage      time.Duration `json:"-"`
	Broken      bool          `json:"broken"`              // the consumer runs, and never answers; otherwise it is paused
	Concurrency int           `json:"consumerConcurrency"` // ConsumerConcurrency
	SweepLimit  int           `json:"sweepLimit"`          // SweepLimit
	Batch       time.Duration `json:"-"`                   // how long a consumer takes for up to ten messages
	Request     time.Duration `json:"-"`                   // how long the sweeper takes for a request
	BusyShare   int           `json:"busyShare"`           // percent of the callbacks that are the busy account's; the rest are a quiet one's
	Each        int           `json:"each"`                // how many receipts one stands for
}

// Result is what became of it. Times are counted from the end of the outage;
// Never means that it did not happen within ten days.
type Result struct {
	Scenario Scenario

	Accepted     int           // callbacks acknowledged
	Applied      int           // of those, applied in the end
	Drained      time.Duration // until all that was accepted before is applied
	QuietDrained time.Duration // the same of the quiet account's
	Emptied      time.Duration // until the queue was empty for the first time
	Buried       time.Duration // until no dead letter was left
	Oldest       time.Duration // greatest age at which a receipt was applied
	Resent       int           // sent by the sweeper
	Refused      int           // of all that was consumed, already applied: for nothing
	Deepest      int           // most messages in the queue, in flight included
	DeepestDead  int           // most dead letters
	Expired      int           // messages that the queue gave up after four days
	Adopted      int           // dead letters that the sweeper took in
	Wrong        []string      // promises that did not hold, see inboxtest.Check
}

// Never stands for a time that did not come.
const Never time.Duration = -1

// Scaled returns the scenario with so many receipts played by each that it
// takes a minute at most, as far as SweepLimit can be divided: 200,000 in the
// outage, or half of that if the consumer receives them again and again.
func (s Scenario) Scaled() Scenario {
	enough := 200_000
	if s.Broken {
		enough = 100_000
	}
	s.Each = 1
	for _, each := range []int{2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if s.SweepLimit%each == 0 && s.Rate*int(s.Outage/time.Second)/s.Each > enough {
			s.Each = each
		}
	}
	return s
}

// ErrScenario means that a scenario makes no sense.
var ErrScenario = errors.New("scenario makes no sense")

func (s Scenario) check() error {
	switch {
	case s.Rate < 1 || s.Concurrency < 1 || s.SweepLimit < 1 || s.Each < 1:
		return fmt.Errorf("%w: rate, concurrency, sweep limit and receipts for each are to be at least 1", ErrScenario)
	case s.Outage < 0 || s.Batch <= 0 || s.Request <= 0:
		return fmt.Errorf("%w: an outage cannot be negative, and batches and requests take some time", ErrScenario)
	case s.SweepLimit%s.Each != 0:
		return fmt.Errorf("%w: the sweep limit is not a multiple of the receipts that each stands for", ErrScenario)
	case s.BusyShare < 0 || s.BusyShare > 100:
		return fmt.Errorf("%w: a share is 0 to 100 percent", ErrScenario)
	}
	return nil
}
