package inbox

import "time"

// Hand is by whose hand something was changed: who, why and when. It is kept
// with what was changed, for people, and no part of any meaning.
type ChangedBy struct {
	By     string
	Reason string
	At     time.Time // UTC, to the millisecond
}

// NewHand returns who changes something now.
func NewChangedBy(by, reason string, now time.Time) ChangedBy {
	return ChangedBy{By: by, Reason: reason, At: toMillis(now)}
}

// Note is the hand as the note of a decision, whose receipt has a time of its own.
func (h ChangedBy) Note() string { return h.By + ": " + h.Reason }
