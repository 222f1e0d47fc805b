package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// An account whose queries fail is paused: at once if its key or address is refused or
// it is limited, after maxFailures queries in a row if the provider is unavailable. The
// pause is what the provider asks for, or grows from minPause to maxPause.
const (
	maxFailures = 5
	minPause    = time.Minute
	maxPause    = 30 * time.Minute
)

// askAccount asks about the tasks of one account while this run has its lease.
func (r *run) askAccount(ctx context.Context, name string, tasks []task) {
	state, ok, err := r.Accounts.Acquire(ctx, name, r.Owner, r.Now(), r.Now().Add(leaseTime))
	switch {
	case err != nil:
		r.fail(fmt.Errorf("acquire account %s: %w", name, err))
		return
	case !ok:
		r.count(func(result *RunResult) { result.Busy++ })
		return
	}
	session := &session{run: r, name: name, state: state}
	defer session.release(ctx)
	if session.isPaused() {
		r.report(AccountReport{Account: name, Cause: state.Cause, Until: state.PausedUntil})
	}
	for _, group := range session.group(tasks) {
		if !r.timeLeft(ctx) {
			return
		}
		session.ask(ctx, group)
	}
}

// release ends the lease, also if the run's own time is over. A lease that cannot be
// released ends by itself.
func (s *session) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := s.Accounts.Release(ctx, s.name, s.Owner, s.state); err != nil {
		s.fail(fmt.Errorf("release account %s: %w", s.name, err))
	}
}

// report adds a report, once for each account and cause.
func (r *run) report(report AccountReport) {
	r.count(func(result *RunResult) {
		isSame := func(known AccountReport) bool { return known.Account == report.Account && known.Cause == report.Cause }
		if !slices.ContainsFunc(result.Failing, isSame) {
			result.Failing = append(result.Failing, report)
		}
	})
}

// session is what a run does with one account.
type session struct {
	*run

	name      string
	state     AccountState
	lastQuery time.Time
}

func (s *session) isPaused() bool { return s.Now().Before(s.state.PausedUntil) }

// group returns the tasks in groups about which one query answers, in the order of their
// first task.
func (s *session) group(tasks []task) [][]task {
	var groups [][]task
	numbers := map[string]int{}
	for _, t := range tasks {
		key := string(t.id)
		if provider, ok := s.provider(t.id.Provider()); ok && t.held == nil {
			key = provider.RequestKey(t.id)
		}
		n, ok := numbers[key]
		if !ok {
			n, groups = len(groups), append(groups, nil)
			numbers[key] = n
		}
		groups[n] = append(groups[n], t)
	}
	return groups
}

// ask claims the tasks of a group, asks about them, and records what came of it.
func (s *session) ask(ctx context.Context, tasks []task) {
	if held := tasks[0].held; held != nil {
		s.askHeld(ctx, *held)
		return
	}
	var claimed []claim
	for _, t := range tasks {
		if c, ok := s.claim(ctx, t); ok {
			claimed = append(claimed, c)
		}
	}
	if len(claimed) == 0 {
		return
	}
	answer := s.query(ctx, asked(claimed))
	isDurable := s.accept(ctx, answer)
	for _, c := range claimed {
		s.finish(ctx, c, answer, isDurable)
	}
}

// claim is a payout that this run may ask about.
type claim struct {
	record   payout.Record
	before   inbox.Schedule // as listed
	schedule inbox.Schedule // as claimed
}

// claim takes a due payout for this run. A payout that needs no query any more leaves the
// schedule; one without an id that is known by now is linked.
func (s *session) claim(ctx context.Context, t task) (claim, bool) {
	stored, err := s.Store.Payout(ctx, t.id)
	if err != nil && !errors.Is(err, inbox.ErrDamagedPayout) {
		s.fail(fmt.Errorf("read payout %s: %w", t.id, err))
		return claim{}, false
	}
	next := stored.Claimed(s.Now())
	item, won, err := s.Store.ClaimQuery(ctx, DueQuery{ID: t.id, At: t.at, Confirms: t.confirms}, next)
	switch {
	case errors.Is(err, inbox.ErrDamagedPayout):
		s.count(func(result *RunResult) { result.Damaged++ })
		return claim{}, false
	case err != nil:
		s.fail(fmt.Errorf("claim payout %s: %w", t.id, err))
		return claim{}, false
	case !won:
		return claim{}, false
	}
	c := claim{record: item.Record, before: stored.Schedule, schedule: next}
	// A payout with no tries left is still scheduled if a run stopped after its last claim.
	if !inbox.IsQueryNeeded(c.record, 0, s.Inbox.Queries[t.id.Provider()]) {
		s.reschedule(ctx, c, inbox.Schedule{AskedAt: stored.Schedule.AskedAt, Result: stored.Schedule.Result})
		return claim{}, false
	}
	if t.id.PayoutID() == "" && t.id.Reference() != "" {
		known, err := linker{s.Inbox, s.Store, s.Now}.linkToKnown(ctx, c.record)
		if err != nil || len(known) > 0 {
			s.fail(err)
			return claim{}, false
		}
	}
	return c, true
}

func asked(claimed []claim) []Asked {
	var payouts []Asked
	for _, c := range claimed {
		payouts = append(payouts, Asked{ID: c.record.ID, Reference: c.record.Value(payout.FieldReference)})
	}
	return payouts
}

func (s *session) reschedule(ctx context.Context, c claim, next inbox.Schedule) {
	if err := s.Store.FinishQuery(ctx, c.record.ID, c.schedule, next); err != nil {
		s.fail(fmt.Errorf("schedule payout %s: %w", c.record.ID, err))
	}
}

// finish states that a payout is overdue, if it is, and stores the outcome. A query that
// was not answered for a reason that concerns the account, or whose answer could not be
// made durable, gets its try back and is repeated soon.
func (s *session) finish(ctx context.Context, c claim, answer Answer, isDurable bool) {
	s.count(func(result *RunResult) { result.Outcomes[answer.Outcome]++ })
	next := c.schedule
	next.Result = string(answer.Outcome)
	switch {
	case answer.Outcome.concernsAccount() || !isDurable:
		next.Tries = c.before.Tries
		next.At = s.Now().Add(minPause).Truncate(time.Millisecond)
		if s.isPaused() {
			next.At = s.state.PausedUntil.Truncate(time.Millisecond)
		}
	default:
		s.stateOverdue(ctx, c, answer)
	}
	if !inbox.IsQueryNeeded(c.record, next.Tries, s.Inbox.Queries[c.record.ID.Provider()]) {
		next.At = time.Time{}
	}
	if next != c.schedule {
		s.reschedule(ctx, c, next)
	}
}

// overdueReason is why a payout is overdue whose query led to an outcome, "" if the
// outcome does not say so.
var overdueReason = map[Outcome]string{
	Answered:      "open",
	InProcess:     "open",
	NotFound:      "unknown-to-provider",
	ByReference:   "known-by-reference",
	NotAsked:      "unasked",
	NoCredentials: "unasked",
	NoID:          "unasked",
}

// stateOverdue accepts the statement that a payout is overdue, if its deadline has passed
// and it stays open with the answer.
func (s *session) stateOverdue(ctx context.Context, c claim, answer Answer) {
	reason := overdueReason[answer.Outcome]
	record := c.record
	if answer.Outcome == Answered && !slices.ContainsFunc(answer.Statements, func(s Statement) bool { return s.concerns(record.ID) }) {
		reason = overdueReason[NotFound] // the answer lists other items of the request
	}
	for _, statement := range answer.Statements {
		if statement.Held == nil && statement.Event.ID == record.ID {
			record, _ = record.Apply(statement.Event)
		}
	}
	isPast := record.Deadline != 0 && s.Now().UnixMilli() >= record.Deadline
	if reason == "" || !isPast || !record.IsOpen() || slices.Contains(record.Overdue, reason) {
		return
	}
	event := payout.Event{ID: record.ID, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: reason}
	if isNew, _ := s.acceptReceipt(ctx, inbox.NewReceipt(event, nil, "", s.Now())); isNew {
		s.count(func(result *RunResult) { result.Overdue++ })
	}
}

// accept hands the statements of an answer to the inbox, and reports whether all of them
// are durable.
func (s *session) accept(ctx context.Context, answer Answer) bool {
	isDurable := true
	for _, statement := range answer.Statements {
		isNew, ok := s.acceptReceipt(ctx, statement.receipt(s.Now()))
		if isNew {
			s.count(func(result *RunResult) { result.Accepted++ })
		}
		if isNew && statement.Held != nil {
			s.count(func(result *RunResult) { result.HeldAnswers[statement.Held.Provider]++ })
		}
		isDurable = isDurable && ok
	}
	return isDurable
}

// concerns reports whether a statement, understood or not, is about a payout.
func (s Statement) concerns(id payout.ID) bool {
	if s.Held == nil {
		return s.Event.ID == id
	}
	return s.Held.ProviderID == id.PayoutID() && s.Held.Type == id.Type() && (id.Reference() == "" || s.Held.Reference == id.Reference())
}

// receipt returns the receipt of a statement.
func (s Statement) receipt(now time.Time) inbox.Receipt {
	if s.Held != nil {
		return inbox.NewHeldReceipt(*s.Held, s.Body, "", now)
	}
	return inbox.NewReceipt(s.Event, s.Body, "", now)
}

// acceptReceipt makes a receipt durable, and reports whether it is new and whether it is
// durable.
func (s *session) acceptReceipt(ctx context.Context, receipt inbox.Receipt) (isNew, ok bool) {
	result, err := s.Inbox.Accept(ctx, receipt)
	if err != nil {
		s.fail(fmt.Errorf("accept receipt %s: %w", receipt.Key.Receipt, err))
		return false, false
	}
	return result.Acceptance != inbox.AcceptedDuplicate, true
}
