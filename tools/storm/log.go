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
	accepted   map[inbox.Acceptance]int
	applied    map[inbox.Key]int // how often a consumer applied a receipt
	failed     int               // deliveries that are delivered again
	duplicates int               // deliveries of an applied receipt
	resent     int               // receipts
	recovered  int               // dead letters
	unreadable int               // lines
}

func newFunctionLog() *functionLog {
	return &functionLog{accepted: map[inbox.Acceptance]int{}, applied: map[inbox.Key]int{}}
}

// Write reads one line.
func (l *functionLog) Write(text []byte) (int, error) {
	var line struct {
		Message   string            `json:"message"`
		Outcome   inbox.ApplyResult `json:"outcome"`
		Accepted  inbox.Acceptance  `json:"accepted"`
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
	case line.Message == "callback":
		l.accepted[line.Accepted]++
	case line.Message == "sweep":
		l.resent += line.Resent
		l.recovered += line.Recovered
	case line.Message != "delivery":
	case line.Outcome == inbox.ApplyDuplicate:
		l.duplicates++
	case line.Outcome == inbox.ApplyChanged, line.Outcome == inbox.ApplyUnchanged, line.Outcome == inbox.ApplyConflict, line.Outcome == inbox.ApplyHeld:
		l.applied[inbox.Key{Payout: line.Payout, Receipt: line.Receipt}]++
	default:
		l.failed++
	}
	return len(text), nil
}
