package telemetry

import (
	"encoding/json"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// Line is a line about a callback, about a message that the consumer received, or about a
// batch of notifications, for a program that reads logs.
type Line struct {
	At        time.Time `json:"timestamp"`
	Message   string    `json:"message"` // one of the Message constants
	Provider  string    `json:"provider"`
	Outcome   string    `json:"outcome"`
	Payout    payout.ID `json:"payout"`
	Receipt   string    `json:"receipt"`
	Reason    string    `json:"reason"`    // why a callback is held
	Error     string    `json:"err"`       // "" without an error
	Published int       `json:"Published"` // notifications of a batch
}

// Messages of lines.
const (
	MessageCallback = "callback"
	MessageDelivery = "delivery"
	MessagePublish  = "publish"
)

// ReadLine reads a line. It reports false for a text that is not JSON.
func ReadLine(text string) (Line, bool) {
	var line Line
	err := json.Unmarshal([]byte(text), &line)
	return line, err == nil
}

// Key returns the key of the receipt that the line is about.
func (l Line) Key() inbox.Key { return inbox.Key{Payout: string(l.Payout), Receipt: l.Receipt} }

// Verdicts about callbacks, in a word.
const (
	VerdictAccepted    = "accepted"
	VerdictDuplicate   = "duplicate"
	VerdictHeld        = "held"
	VerdictRefused     = "refused"
	VerdictUnavailable = "unavailable" // the provider sends it again
)

// Verdicts lists the verdicts.
func Verdicts() []string {
	return []string{VerdictAccepted, VerdictDuplicate, VerdictHeld, VerdictRefused, VerdictUnavailable}
}

// Verdict returns the verdict about the callback that the line is about.
func (l Line) Verdict() string {
	switch l.Outcome {
	case string(inbox.AcceptedDuplicate):
		return VerdictDuplicate
	case string(inbox.Held):
		return VerdictHeld
	case string(callback.Unavailable):
		return VerdictUnavailable
	case string(inbox.AcceptedNew), string(inbox.AcceptedStoreOnly), string(inbox.AcceptedQueueOnly):
		return VerdictAccepted
	}
	return VerdictRefused
}
