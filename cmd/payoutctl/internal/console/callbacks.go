package console

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

// The verdicts about a callback, as the console shows them.
const (
	accepted    = "accepted"
	duplicate   = "duplicate"
	held        = "held"
	refused     = "refused"
	unavailable = "unavailable" // the provider sends it again
)

// verdicts lists the verdicts.
func verdicts() []string { return []string{accepted, duplicate, held, refused, unavailable} }

// callbackLine is the log line of a callback, or of a delivery to the consumer.
type callbackLine struct {
	At       time.Time `json:"timestamp"`
	Message  string    `json:"message"` // callback or delivery
	Provider string    `json:"provider"`
	Outcome  string    `json:"outcome"`
	Payout   payout.ID `json:"payout"`
	Receipt  string    `json:"receipt"`
	Reason   string    `json:"reason"` // of a held callback
	Error    string    `json:"err"`

	Applied time.Time `json:"-"` // when it was applied; zero if it is not, or was before
}

func (l callbackLine) key() inbox.Key { return inbox.Key{Payout: string(l.Payout), Receipt: l.Receipt} }

// Verdict returns the verdict about a callback.
func (l callbackLine) Verdict() string {
	switch l.Outcome {
	case string(inbox.AcceptedDuplicate), string(inbox.Held), string(callback.Unavailable):
		return l.Outcome
	case string(inbox.AcceptedNew), string(inbox.AcceptedStoreOnly), string(inbox.AcceptedQueueOnly):
		return accepted
	}
	return refused
}

// Note returns what the verdict does not say.
func (l callbackLine) Note() string {
	if note := cmp.Or(l.Reason, l.Outcome); note != l.Verdict() && note != string(inbox.AcceptedNew) {
		return note
	}
	return ""
}

// verdictClass returns the class of a verdict in the stylesheet.
func verdictClass(verdict string) string {
	return map[string]string{accepted: "good", held: "waiting", refused: "bad", unavailable: "bad"}[verdict]
}

// Answer returns the answer that the provider received.
func (l callbackLine) Answer() callback.Reply {
	provider, err := cli.FindProvider(cli.Provider(l.Provider))
	if err != nil {
		return callback.Reply{}
	}
	verdict := callback.Verdict(l.Outcome)
	if v := l.Verdict(); v != refused && v != unavailable {
		verdict = callback.Acknowledged
	}
	return provider.Reply(verdict)
}

// Latency returns the time from acceptance to application, 0 while it is not applied.
func (l callbackLine) Latency() time.Duration {
	if l.Applied.IsZero() {
		return 0
	}
	return max(l.Applied.Sub(l.At), time.Millisecond)
}

// IsStored reports whether the tables have the callback, so that pages show it.
func (l callbackLine) IsStored() bool {
	isQueued := l.Outcome == string(inbox.AcceptedQueueOnly) && l.Applied.IsZero()
	return l.Receipt != "" && l.Verdict() != unavailable && !isQueued
}

// Path returns the path of the page that exports the callback.
func (l callbackLine) Path() string { return exportPath(l.key()) }

const (
	// keptCallbacks bounds the callbacks in memory: about 2 MB.
	keptCallbacks = 5000
	// leastReadPause is the least time between two readings of the logs.
	leastReadPause = 500 * time.Millisecond
	// overlap is read again each time, because lines of functions that run at the same time can arrive late.
	overlap = 5 * time.Second
	// logPage is how many lines are read at once. More than this in the overlap would not be read.
	logPage = 5000
)

// callbackLog is the last callbacks of the local stack, from its functions' logs. They
// are read while a page is open. It is safe for concurrent use.
type callbackLog struct {
	mu     sync.Mutex
	pid    int // of the process that runs the stack
	next   time.Time
	groups map[string]*logGroup
	lines  []callbackLine // oldest first
	// applied are the deliveries of the last minute. The line of a callback may be read after them.
	applied map[inbox.Key]time.Time
}

// logGroup is how far a log is read.
type logGroup struct {
	newest int64
	seen   map[string]int64 // lines of the overlap, with their times
}

// read reads what the logs have got since the last time, and reports whether that is
// anything.
func (l *callbackLog) read(ctx context.Context, stack cli.Stack, now time.Time) (hasChanged bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stack.PID != l.pid || l.groups == nil {
		l.pid, l.lines, l.next = stack.PID, nil, time.Time{}
		l.groups, l.applied = map[string]*logGroup{}, map[inbox.Key]time.Time{}
	}
	if now.Before(l.next) || stack.EndpointURL == "" {
		return false, nil
	}
	l.next = now.Add(leastReadPause)
	for _, function := range slices.Sorted(maps.Keys(callbackFunctions())) {
		lines, err := l.readGroup(ctx, stack, logGroupName(stack, function), callbackFunctions()[function])
		if err != nil {
			return hasChanged, err
		}
		for _, line := range lines {
			l.add(line)
		}
		hasChanged = hasChanged || len(lines) > 0
	}
	slices.SortStableFunc(l.lines, func(a, b callbackLine) int { return a.At.Compare(b.At) })
	l.lines = slices.Clone(l.lines[max(0, len(l.lines)-keptCallbacks):])
	for n := range l.lines {
		if line := &l.lines[n]; line.Applied.IsZero() && line.Verdict() == accepted {
			line.Applied = l.applied[line.key()]
		}
	}
	maps.DeleteFunc(l.applied, func(_ inbox.Key, at time.Time) bool { return now.Sub(at) > time.Minute })
	return hasChanged, nil
}

// callbackFunctions returns the message of the lines to read by the name of the function.
func callbackFunctions() map[string]string {
	messages := map[string]string{"consumer": "delivery"}
	for _, name := range cli.ProviderNames() {
		messages[string(name)] = "callback"
	}
	return messages
}

// readGroup returns the lines of a log that are not known yet.
func (l *callbackLog) readGroup(ctx context.Context, stack cli.Stack, name, message string) ([]callbackLine, error) {
	group := l.groups[name]
	if group == nil {
		group = &logGroup{seen: map[string]int64{}}
		l.groups[name] = group
	}
	since := max(0, group.newest-overlap.Milliseconds())
	events, err := readLog(ctx, stack, logQuery{Group: name, Text: `"` + message + `"`, Since: since, Limit: logPage})
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(group.seen, func(_ string, at int64) bool { return at < since })
	var lines []callbackLine
	for _, event := range events {
		var line callbackLine
		if group.seen[event.Message] != 0 || json.Unmarshal([]byte(event.Message), &line) != nil || line.Message != message {
			continue
		}
		group.seen[event.Message] = event.Timestamp
		group.newest = max(group.newest, event.Timestamp)
		lines = append(lines, line)
	}
	return lines, nil
}

// add adds the line of a callback, or the time of a delivery, of which the first counts.
func (l *callbackLog) add(line callbackLine) {
	if line.Message == "callback" {
		l.lines = append(l.lines, line)
	} else if _, ok := l.applied[line.key()]; !ok && line.Error == "" && line.Outcome != string(inbox.ApplyDuplicate) {
		l.applied[line.key()] = line.At
	}
}

// list returns the callbacks, newest first.
func (l *callbackLog) list() []callbackLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := slices.Clone(l.lines)
	slices.Reverse(lines)
	return lines
}

// watchCallbacks reads the logs while a page is open, and announces what is new.
func (c *Console) watchCallbacks(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	hasFailed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !c.hub.isWatched() {
			continue
		}
		stack, err := c.stack(ctx)
		if hasFailed != (err != nil) {
			hasFailed = !hasFailed
			c.hub.announce() // the pages show it
		}
		if err != nil {
			continue
		}
		if hasChanged, _ := c.callbackLog.read(ctx, stack, c.now()); hasChanged {
			c.hub.announce()
		}
	}
}

// shownCallbacks is how many callbacks the page lists.
const shownCallbacks = 100

// callbacks is the page of the last callbacks of the local stack.
func (c *Console) callbacks(r *http.Request, stack cli.Stack) (view, error) {
	if _, err := c.callbackLog.read(r.Context(), stack, c.now()); err != nil {
		return view{}, err
	}
	filter := r.URL.Query().Get("verdict")
	lines := c.callbackLog.list()
	counts := map[string]int{}
	for _, line := range lines {
		counts[line.Verdict()]++
	}
	shown := []count{{Name: "all", Path: "/callbacks", N: len(lines)}}
	for _, verdict := range verdicts() {
		shown = append(shown, count{Name: verdict, Path: "/callbacks?verdict=" + verdict, N: counts[verdict]})
	}
	if slices.Contains(verdicts(), filter) {
		lines = slices.DeleteFunc(lines, func(line callbackLine) bool { return line.Verdict() != filter })
	}
	return view{template: "callbacks.html", Title: "Callbacks", Live: true, Data: map[string]any{
		"Lines": lines[:min(len(lines), shownCallbacks)], "Matching": len(lines), "Counts": shown, "Filter": cmp.Or(filter, "all"),
	}}, nil
}

// activity is what the callbacks of a span show, in intervals of equal length.
type activity struct {
	Verdicts  map[string]int
	Callbacks []int // by interval, oldest first
	Latencies []int // by interval, in milliseconds: the median from acceptance to application; 0 without an application
}

// activity returns the callbacks of the last span before now.
func (c *Console) activity(ctx context.Context, stack cli.Stack, span time.Duration, intervals int) (activity, error) {
	now := c.now()
	if _, err := c.callbackLog.read(ctx, stack, now); err != nil {
		return activity{}, err
	}
	begin := now.Add(-span)
	shown := activity{Verdicts: map[string]int{}, Callbacks: make([]int, intervals), Latencies: make([]int, intervals)}
	latencies := make([][]int, intervals)
	for _, line := range c.callbackLog.list() {
		if line.At.Before(begin) {
			break
		}
		at := min(intervals-1, int(line.At.Sub(begin)*time.Duration(intervals)/span))
		shown.Verdicts[line.Verdict()]++
		shown.Callbacks[at]++
		if latency := line.Latency(); latency > 0 {
			latencies[at] = append(latencies[at], int(latency.Milliseconds()))
		}
	}
	for n, all := range latencies {
		if slices.Sort(all); len(all) > 0 {
			shown.Latencies[n] = all[len(all)/2]
		}
	}
	return shown, nil
}
