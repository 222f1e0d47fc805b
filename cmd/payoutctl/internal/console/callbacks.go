package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/telemetry"
)

// logLine is a line of a function's log.
type logLine struct {
	telemetry.Line

	Logged  int64         // when CloudWatch Logs received it, in milliseconds since 1970
	Latency time.Duration // of a callback, from acceptance to application; 0 while it is not applied
}

const (
	keptLines      = 5000            // of a function in memory, about 2 MB; as many are read at once
	overlap        = 5 * time.Second // is read again, because lines of functions that run at the same time can arrive late
	logPause       = 500 * time.Millisecond
	shownCallbacks = 100 // on the page
)

// logLines are the last lines of each function, by its name, the oldest first.
type logLines map[string][]logLine

// logs keeps the lines that were read, which pages share. They are not changed afterwards.
type logs struct {
	mu     sync.Mutex
	pid    int // of the process that runs the stack
	readAt time.Time
	lines  logLines
}

// readLogs returns the last lines of the functions of the local stack, and announces what
// is new. It reads them again after logPause.
func (c *Console) readLogs(ctx context.Context, stack cli.Stack) (logLines, error) {
	l := &c.logs
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.lines
	if stack.PID != l.pid {
		known = nil
	} else if c.session.Now().Sub(l.readAt) < logPause {
		return known, nil
	}
	lines, hasChanged := logLines{}, false
	messages := map[string]string{"consumer": telemetry.MessageDelivery, "publisher": telemetry.MessagePublish}
	for _, provider := range cli.ProviderNames() {
		messages[string(provider)] = telemetry.MessageCallback
	}
	for function, message := range messages {
		var err error
		if lines[function], err = readLog(ctx, stack, function, message, known[function]); err != nil {
			return nil, err
		}
		hasChanged = hasChanged || !slices.Equal(lines[function], l.lines[function])
	}
	if hasChanged {
		c.hub.announce()
	}
	l.pid, l.readAt, l.lines = stack.PID, c.session.Now(), lines
	return lines, nil
}

// readLog returns the last lines of a function with a message: those that are known, of
// which the overlap is read again, and what follows. A function that has not run has none.
func readLog(ctx context.Context, stack cli.Stack, function, message string, known []logLine) ([]logLine, error) {
	var since int64
	if len(known) > 0 {
		since = known[len(known)-1].Logged - overlap.Milliseconds()
	}
	out, err := cloudwatchlogs.NewFromConfig(stack.AWS).FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName:  aws.String("/aws/lambda/" + stack.Name + "/" + function), // as template.yaml names it
		FilterPattern: aws.String(`"` + message + `"`), StartTime: &since, Limit: aws.Int32(keptLines),
	})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); ok {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lines := slices.DeleteFunc(slices.Clone(known), func(line logLine) bool { return line.Logged >= since })
	for _, event := range out.Events {
		if line, ok := telemetry.ReadLine(aws.ToString(event.Message)); ok && line.Message == message {
			lines = append(lines, logLine{Line: line, Logged: aws.ToInt64(event.Timestamp)})
		}
	}
	return lines[max(0, len(lines)-keptLines):], nil
}

// callbacks returns the callbacks, newest first, with their latencies.
func (l logLines) callbacks() []logLine {
	applied := map[inbox.Key]time.Time{}
	for _, line := range l["consumer"] {
		if line.Error == "" && line.Outcome != string(inbox.ApplyDuplicate) {
			applied[line.Key()] = line.At
		}
	}
	var callbacks []logLine
	for _, provider := range cli.ProviderNames() {
		callbacks = append(callbacks, l[string(provider)]...)
	}
	slices.SortStableFunc(callbacks, func(a, b logLine) int { return b.At.Compare(a.At) })
	for n, line := range callbacks {
		if at, ok := applied[line.Key()]; ok && line.Verdict() == telemetry.VerdictAccepted {
			callbacks[n].Latency = max(at.Sub(line.At), time.Millisecond)
		}
	}
	return callbacks
}

// Note returns what the verdict does not say.
func (l logLine) Note() string {
	if note := cmp.Or(l.Reason, l.Outcome); note != l.Verdict() && note != string(inbox.AcceptedNew) {
		return note
	}
	return ""
}

// verdictClass returns the class of a verdict in the stylesheet.
func verdictClass(verdict string) string {
	return map[string]string{
		telemetry.VerdictAccepted: "good", telemetry.VerdictHeld: "waiting", telemetry.VerdictRefused: "bad", telemetry.VerdictUnavailable: "bad",
	}[verdict]
}

// Answer returns the answer that the provider received.
func (l logLine) Answer() callback.Reply {
	provider, err := cli.FindProvider(cli.Provider(l.Provider))
	if err != nil {
		return callback.Reply{}
	}
	verdict := callback.Verdict(l.Outcome)
	if v := l.Verdict(); v != telemetry.VerdictRefused && v != telemetry.VerdictUnavailable {
		verdict = callback.Acknowledged
	}
	return provider.Reply(verdict)
}

// IsStored reports whether the tables have the callback, so that pages show it.
func (l logLine) IsStored() bool {
	isQueued := l.Outcome == string(inbox.AcceptedQueueOnly) && l.Latency == 0
	return l.Receipt != "" && l.Verdict() != telemetry.VerdictUnavailable && !isQueued
}

// countVerdicts returns the number of callbacks with each verdict.
func countVerdicts(number func(verdict string) int) (counts []count) {
	for _, verdict := range telemetry.Verdicts() {
		counts = append(counts, count{Name: verdict, Class: verdictClass(verdict), Path: "/callbacks?verdict=" + verdict, N: number(verdict)})
	}
	return counts
}

// callbacks is the page of the last callbacks of the local stack.
func (c *Console) callbacks(r *http.Request, stack cli.Stack) (view, error) {
	logs, err := c.readLogs(r.Context(), stack)
	if err != nil {
		return view{}, err
	}
	lines, numbers := logs.callbacks(), map[string]int{}
	for _, line := range lines {
		numbers[line.Verdict()]++
	}
	counts := append([]count{{Name: "all", Path: "/callbacks", N: len(lines)}}, countVerdicts(func(verdict string) int { return numbers[verdict] })...)
	filter := r.URL.Query().Get("verdict")
	if slices.Contains(telemetry.Verdicts(), filter) {
		lines = slices.DeleteFunc(lines, func(line logLine) bool { return line.Verdict() != filter })
	}
	return view{template: "callbacks.html", Title: "Callbacks", Live: true, Data: map[string]any{
		"Lines": lines[:min(len(lines), shownCallbacks)], "Matching": len(lines), "Counts": counts, "Filter": cmp.Or(filter, "all"),
	}}, nil
}
