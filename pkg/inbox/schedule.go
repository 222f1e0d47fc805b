package inbox

import (
	"hash/fnv"
	"slices"
	"time"

	"payout-callbacks/pkg/payout"
)

// Schedule says when the provider is asked about a payout, or about the payout of a held
// callback. It is stored with what it is about and is not part of it: it depends on the
// clock, and losing it costs a query, not a fact.
type Schedule struct {
	At       time.Time // when the query is due; zero if no query is needed
	Confirms bool      // the payout has a final status: queries about others come first
	Tries    int       // queries since the last change that asked for one
	AskedAt  time.Time // when the provider was last asked
	Result   string    // what the last query led to, in one low-cardinality word
}

// QueryMode says about which payouts a provider is asked.
type QueryMode string

// The modes, as the parameters spell them.
const (
	QueriesOff  QueryMode = "off"
	QueriesOpen QueryMode = "open" // payouts without a final status
	QueriesAll  QueryMode = "all"  // also final ones, to confirm them
)

// Asks reports whether the provider is asked at all.
func (m QueryMode) Asks() bool { return m == QueriesOpen || m == QueriesAll }

// The delays before a first query.
const (
	afterChange  = 10 * time.Second // a batch whose totals changed, a conflict, a held callback
	afterFinal   = 2 * time.Minute
	afterPending = 10 * time.Minute
	maxJitter    = 30 * time.Second
)

// DefaultDue is the time after which a payout should be final, if the expectation does
// not state a deadline.
const DefaultDue = 10 * time.Minute

// backOff lists the delays between queries; the last one repeats.
var backOff = []time.Duration{
	10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// A final payout is confirmed for about seven days: maxConfirmTries queries. A conflict
// whose end is known is asked about once.
const (
	maxConfirmTries  = 13
	maxConflictTries = 1
)

// MaxHeldAge is the age at which a held callback is no longer asked about.
const MaxHeldAge = 7 * 24 * time.Hour

// Claimed returns the schedule of a payout that is asked about now: the next query is due
// after the back-off, with a jitter of at most a tenth. A payout that is open at its
// deadline is asked about then, so that it is overdue in time.
func (p PayoutItem) Claimed(now time.Time) Schedule {
	delay := backOff[min(p.Schedule.Tries, len(backOff)-1)]
	next := now.Add(delay + jitter(p.Record.ID, delay))
	if deadline := time.UnixMilli(p.Record.Deadline); p.Record.IsOpen() && deadline.After(now) {
		next = earliest(next, deadline.Add(jitter(p.Record.ID, 10*maxJitter)))
	}
	return Schedule{
		At: toMillis(next), Confirms: p.Record.Status().IsFinal(), Tries: p.Schedule.Tries + 1, AskedAt: toMillis(now), Result: p.Schedule.Result,
	}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Rebuilt returns the schedule of a payout whose record is rebuilt now: a query is due
// at once if any mode needs it. A run drops a query that the mode of its provider does
// not need.
func (s Schedule) Rebuilt(record payout.Record, now time.Time) Schedule {
	rebuilt := Schedule{AskedAt: s.AskedAt, Result: s.Result}
	if IsQueryNeeded(record, 0, QueriesAll) {
		rebuilt.At, rebuilt.Confirms = toMillis(now), record.Status().IsFinal()
	}
	return rebuilt
}

// jitter spreads queries: the same ID always has the same part of a tenth of the delay.
func jitter(id payout.ID, delay time.Duration) time.Duration {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // never fails
	return delay / 10 * time.Duration(hash.Sum32()%1000) / 1000
}

// need is why a payout is asked about.
type need int

const (
	noNeed           need = iota
	needDeadline          // expected and open: asked at the deadline
	needTotals            // a batch that is not confirmed
	needSide              // conflicted, and ended
	needEnd               // open, after a callback
	needConfirmation      // final, not confirmed
)

// queryNeed returns why the provider is asked about a payout. A payout that only a
// listing stated is asked about through its batch. A conflict is left to a person once the
// end of the payout is known; until then the provider is asked as about an open payout.
func queryNeed(record payout.Record, mode QueryMode) need {
	status := record.Status()
	canAsk := canAsk(record.ID, mode)
	switch {
	case isLeftAlone(record, status):
		return noNeed
	case status == payout.Conflicted && record.HasEnded():
		return needIf(canAsk, needSide)
	case record.ID.Type() == payout.TypeBatch && canAsk && status != payout.Expected:
		return needIf(!record.IsConfirmed(), needTotals)
	case status.IsFinal():
		return needIf(canAsk && mode == QueriesAll && !record.IsConfirmed(), needConfirmation)
	case record.IsExpected():
		return needDeadline
	}
	return needIf(canAsk, needEnd)
}

// isLeftAlone reports whether nobody asks about a payout, whatever the mode: nobody states
// that it was ordered, it is linked to another, or a person has ended it.
func isLeftAlone(record payout.Record, status payout.Status) bool {
	isOrdered := record.IsExpected() || slices.Contains(record.Sources, payout.SourceCallback)
	isLinked := len(record.Claims[payout.FieldLinkedTo].Seen) > 0
	isClosed := len(record.Resolutions) > 0 || slices.Contains(record.Sources, payout.SourceResolution)
	return !isOrdered || isLinked || isClosed && status.IsFinal()
}

// canAsk reports whether the provider is asked about a payout with this ID.
func canAsk(id payout.ID, mode QueryMode) bool {
	return mode.Asks() && id.PayoutID() != ""
}

func needIf(condition bool, why need) need {
	if condition {
		return why
	}
	return noNeed
}

// IsQueryNeeded reports whether a payout with this record and this number of tries must
// be scheduled.
func IsQueryNeeded(record payout.Record, tries int, mode QueryMode) bool {
	switch queryNeed(record, mode) {
	case noNeed:
		return false
	case needSide:
		return tries < maxConflictTries
	case needTotals:
		return tries < maxConfirmTries || !record.Status().IsFinal()
	case needConfirmation:
		return tries < maxConfirmTries
	case needDeadline, needEnd:
	}
	return true
}

// nextSchedule returns the schedule of a payout into which a receipt of this source is
// merged. If the payout is asked about for another reason than before, or if the provider's
// callback or our own side changes what it shows or its deadline, a first query is
// scheduled. Otherwise the schedule stays: an answer that ends nothing must not start the
// back-off again.
func nextSchedule(before PayoutItem, after payout.Record, source payout.Source, mode QueryMode, now time.Time) Schedule {
	old, why := before.Schedule, queryNeed(after, mode)
	next := Schedule{AskedAt: old.AskedAt, Result: old.Result}
	if why == noNeed {
		return next
	}
	next.Confirms = after.Status().IsFinal()
	isSame := why == queryNeed(before.Record, mode)
	isAnswer := source == payout.SourceQuery || source == payout.SourceReconciler
	isUnchanged := after.ShowsSame(before.Record) && after.Deadline == before.Record.Deadline
	isMissing := old.At.IsZero() && IsQueryNeeded(after, old.Tries, mode)
	if isSame && (isAnswer || isUnchanged) && !isMissing {
		old.Confirms = next.Confirms && !old.At.IsZero()
		return old
	}
	next.At = firstQuery(after, why, mode, now)
	if isSame && !old.At.IsZero() {
		next.At = earliest(next.At, old.At)
	}
	return next
}

// firstQuery returns when the first query about a payout is due.
func firstQuery(record payout.Record, why need, mode QueryMode, now time.Time) time.Time {
	if why == needDeadline {
		return toMillis(now.Add(untilDeadline(record, mode, now) + jitter(record.ID, 10*maxJitter)))
	}
	delay := map[need]time.Duration{needTotals: afterChange, needSide: afterChange, needEnd: afterPending, needConfirmation: afterFinal}[why]
	return toMillis(now.Add(delay + min(maxJitter, jitter(record.ID, delay))))
}

// untilDeadline returns the time until the first query about an expected payout. A
// payout whose provider calls us is in progress and is asked about like any other, if its
// deadline is later.
func untilDeadline(record payout.Record, mode QueryMode, now time.Time) time.Duration {
	if record.Deadline == 0 {
		return afterPending
	}
	delay := max(0, time.UnixMilli(record.Deadline).Sub(now))
	if slices.Contains(record.Sources, payout.SourceCallback) && canAsk(record.ID, mode) {
		return min(delay, afterPending)
	}
	return delay
}
