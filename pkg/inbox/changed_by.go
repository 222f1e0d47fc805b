package inbox

import "time"

// ChangedBy says who changed something by hand, why and when. It is stored with
// what was changed, for people, and no program decides by it.
type ChangedBy struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"` // UTC, to the millisecond
}

// NewChangedBy returns the ChangedBy of a change at the time now.
func NewChangedBy(by, reason string, now time.Time) ChangedBy {
	return ChangedBy{By: by, Reason: reason, At: toMillis(now)}
}

// Note returns actor and reason as the note of a resolution's receipt, which has a
// time of its own.
func (c ChangedBy) Note() string { return c.By + ": " + c.Reason }
