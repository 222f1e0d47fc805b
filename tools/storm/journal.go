package main

import (
	"bytes"
	"encoding/json"
	"sync"

	"payout-callbacks/pkg/inbox"
)

// journal reads what the functions log, which is how anybody learns what they
// did. It is an io.Writer for a telemetry.Recorder.
type journal struct {
	mu          sync.Mutex
	accepted    map[inbox.Acceptance]int // callbacks, by how they were accepted
	applied     map[inbox.Key]int        // how often a consumer said that it applied a receipt
	failed      int                      // deliveries that were to be delivered again
	redelivered int                      // deliveries of what was applied before
	sent        int                      // by the sweeper, again
	recovered   int                      // by the sweeper, from the dead letters
	damaged     int                      // lines that were not understood
}

func newJournal() *journal {
	return &journal{accepted: map[inbox.Acceptance]int{}, applied: map[inbox.Key]int{}}
}

type line struct {
	Name      string           `json:"message"`
	Outcome   string           `json:"outcome"`
	Accepted  inbox.Acceptance `json:"accepted"`
	Payout    string           `json:"payout"`
	Receipt   string           `json:"receipt"`
	Sent      int              `json:"ReceiptsResent"`
	Recovered int              `json:"DeadLettersRecovered"`
}

// Write takes one line, as slog writes them.
func (j *journal) Write(text []byte) (int, error) {
	var l line
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&l)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.damaged++
	}
	switch l.Name {
	case "callback":
		j.accepted[l.Accepted]++
	case "delivery":
		j.delivery(l)
	case "sweep":
		j.sent += l.Sent
		j.recovered += l.Recovered
	}
	return len(text), nil
}

func (j *journal) delivery(l line) {
	switch inbox.ApplyResult(l.Outcome) {
	case inbox.ApplyChanged, inbox.ApplyUnchanged, inbox.ApplyConflict, inbox.ApplyHeld:
		j.applied[inbox.Key{Payout: l.Payout, Receipt: l.Receipt}]++
	case inbox.ApplyDuplicate:
		j.redelivered++
	default:
		j.failed++
	}
}
