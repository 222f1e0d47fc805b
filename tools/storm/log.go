package main

import (
	"bytes"
	"encoding/json"
	"sync"

	"payout-callbacks/pkg/inbox"
)

// functionLog counts what the functions log. It is the output of a
// telemetry.Recorder.
type functionLog struct {
	mu         sync.Mutex
	applied    map[inbox.Key]int // how often a consumer applied a receipt
	counts     map[string]int    // by what is counted
	unreadable int               // lines
}

func newFunctionLog() *functionLog {
	return &functionLog{applied: map[inbox.Key]int{}, counts: map[string]int{}}
}

// Write reads one line.
func (l *functionLog) Write(text []byte) (int, error) {
	var line struct {
		Message   string            `json:"message"`
		Outcome   inbox.ApplyResult `json:"outcome"`
		Accepted  string            `json:"accepted"`
		Payout    string            `json:"payout"`
		Receipt   string            `json:"receipt"`
		Resent    int               `json:"ReceiptsResent"`
		Recovered int               `json:"DeadLettersRecovered"`
	}
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&line)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.unreadable++
	case line.Message == "callback" && line.Accepted != "":
		l.counts["accepted "+line.Accepted]++
	case line.Message == "sweep":
		l.counts["receipts resent"] += line.Resent
		l.counts["dead letters recovered"] += line.Recovered
	case line.Message == "delivery":
		l.counts["delivered "+string(line.Outcome)]++
		switch line.Outcome {
		case inbox.ApplyChanged, inbox.ApplyUnchanged, inbox.ApplyConflict, inbox.ApplyHeld:
			l.applied[inbox.Key{Payout: line.Payout, Receipt: line.Receipt}]++
		}
	}
	return len(text), nil
}
