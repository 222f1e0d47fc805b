// Package telemetry writes what the functions did: one line of JSON for each
// callback, message, batch and sweep, which is log line and metrics at once
// (CloudWatch's embedded metric format).
//
// It promises that a line holds only the fields that [Fields] lists: names of
// providers, ids, outcomes, reasons, durations and errors. Bodies, headers, keys,
// addresses, amounts and notes are never written. The payout's id connects a
// callback with everything that follows it; of a provider's own text, it holds the
// account, the provider's payout id and our reference.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
)

// Recorder writes the lines. Level error means that a person must act, level warn
// that a fault is being dealt with. A Recorder is safe for concurrent use.
type Recorder struct {
	namespace string
	now       func() time.Time
	handler   slog.Handler
}

// NewRecorder returns a recorder that writes to w, a function's standard output.
func NewRecorder(w io.Writer, namespace string, now func() time.Time) *Recorder {
	return &Recorder{namespace: namespace, now: now, handler: newHandler(w)}
}

// RecordCallback records the result of one callback. Its level is error if a
// callback that may be authentic was not acknowledged.
func (r *Recorder) RecordCallback(ctx context.Context, provider string, result callback.Result, took time.Duration) {
	level, outcome := slog.LevelInfo, string(result.Verdict)
	switch {
	case result.Verdict == callback.Unavailable:
		level = slog.LevelError
	case result.Verdict != callback.Acknowledged:
		level = slog.LevelWarn
	case result.Receipt.State == inbox.Held:
		level, outcome = slog.LevelWarn, string(inbox.Held)
	case result.Err != nil:
		level, outcome = slog.LevelWarn, string(result.Acceptance)
	default:
		outcome = string(result.Acceptance)
	}
	r.write(ctx, level, MessageCallback, callbackCounts(result),
		text("provider", provider),
		text("outcome", outcome),
		text("payout", result.Receipt.Key.Payout),
		text("receipt", result.Receipt.Key.Receipt),
		text("accepted", result.Acceptance),
		text("reason", result.Receipt.Reason),
		text("key_id", result.Sender.KeyID),
		text("claimed_account", result.Claimed),
		duration(took),
		failure(result.Err))
}

// callbackCounts returns the metrics of one callback. Anybody who has a callback
// can replay it, so a duplicate neither raises an alarm nor clears it. A held
// callback counts although the answer is 503: it may have been stored without a
// response, and then each further delivery is a duplicate.
func callbackCounts(result callback.Result) []measurement {
	isAcknowledged := result.Verdict == callback.Acknowledged
	isDuplicate := result.Acceptance == inbox.AcceptedDuplicate
	return []measurement{
		countIf(Callbacks, true),
		countIf(Acknowledged, isAcknowledged && !isDuplicate),
		countIf(Unavailable, result.Verdict == callback.Unavailable),
		countIf(Refused, !isAcknowledged && result.Verdict != callback.Unavailable),
		countIf(Held, result.Receipt.State == inbox.Held && !isDuplicate),
		countIf(Duplicates, isDuplicate),
		countIf(AcceptedStoreOnly, result.Acceptance == inbox.AcceptedStoreOnly),
		countIf(AcceptedQueueOnly, result.Acceptance == inbox.AcceptedQueueOnly),
		countIf(PreviousKey, result.Sender.Previous && !isDuplicate),
	}
}

// RecordBatch records the deliveries of one batch: a line for each, and one with
// the counts.
func (r *Recorder) RecordBatch(ctx context.Context, deliveries []consumer.Delivery, took time.Duration) {
	counts := map[Metric]int{}
	var latencies []int64
	now := r.now()
	for _, delivery := range deliveries {
		r.recordDelivery(ctx, delivery)
		switch {
		case delivery.Err != nil:
			counts[Failures]++
			continue
		case delivery.Outcome == inbox.ApplyDuplicate:
			counts[Redeliveries]++
			continue
		case delivery.Outcome == inbox.ApplyConflict:
			counts[Conflicts]++
		}
		latencies = append(latencies, max(0, now.Sub(delivery.Receipt.AcceptedAt).Milliseconds())) // the clocks of two functions differ
	}
	measurements := []measurement{
		{Deliveries, len(deliveries)},
		{Failures, counts[Failures]},
		{Conflicts, counts[Conflicts]},
		{Redeliveries, counts[Redeliveries]},
	}
	if len(latencies) > 0 {
		measurements = append(measurements, measurement{ApplyLatency, latencies})
	}
	r.write(ctx, slog.LevelInfo, "batch", measurements, duration(took))
}

func (r *Recorder) recordDelivery(ctx context.Context, delivery consumer.Delivery) {
	level, outcome := slog.LevelInfo, string(delivery.Outcome)
	switch {
	case delivery.Unreadable:
		level, outcome = slog.LevelError, "unreadable"
	case delivery.Err != nil:
		level, outcome = slog.LevelWarn, "failed"
	case delivery.Outcome == inbox.ApplyConflict:
		level = slog.LevelWarn
	}
	provider := delivery.Receipt.Provider()
	if provider == "" {
		provider = "unknown"
	}
	r.write(ctx, level, MessageDelivery, nil,
		text("provider", provider),
		text("outcome", outcome),
		text("payout", delivery.Receipt.Key.Payout),
		text("receipt", delivery.Receipt.Key.Receipt),
		text("delivery", delivery.MessageID),
		failure(delivery.Err))
}

// RecordSweep records one sweep. A sweep that could not list what is due records
// no counts and no age: a zero would clear alarms.
func (r *Recorder) RecordSweep(ctx context.Context, result inbox.SweepResult, took time.Duration, err error) {
	level := slog.LevelInfo
	if err != nil || result.Damaged > 0 || result.Unreadable > 0 || result.Unsendable > 0 {
		level = slog.LevelError
	}
	var measurements []measurement
	if err == nil || result != (inbox.SweepResult{}) {
		measurements = []measurement{
			{ReceiptsDue, result.Due},
			{ReceiptsResent, result.Resent},
			{Unsendable, result.Unsendable},
			{DeadLettersRecovered, result.Recovered},
			{UnreadableDeadLetters, result.Unreadable},
			{CorruptRecords, result.Damaged},
		}
		if !result.AgeUnknown {
			measurements = append(measurements, measurement{OldestUnappliedAge, int(result.OldestAge.Seconds())})
		}
	}
	if err == nil {
		measurements = append(measurements, measurement{Sweeps, 1})
	}
	r.write(ctx, level, "sweep", measurements,
		slog.Bool("skipped", result.Skipped),
		duration(took),
		failure(err))
}

// RecordMissingKeys records that a function starts without keys.
func (r *Recorder) RecordMissingKeys(ctx context.Context, provider string, err error) {
	r.write(ctx, slog.LevelError, "no keys", nil, text("provider", provider), failure(err))
}

// RecordUnusableKeys records an entry of a provider's secret that cannot be used.
func (r *Recorder) RecordUnusableKeys(ctx context.Context, provider string, flaw error) {
	r.write(ctx, slog.LevelError, "unusable keys", nil, text("provider", provider), failure(flaw))
}

// Fields returns the names of all fields that a line may hold, besides metrics.
func Fields() []string {
	return []string{
		"timestamp", "level", "message", "_aws", "request_id", "dur_ms", "err",
		"provider",            // its name
		"outcome", "accepted", // values of this application
		"reason",            // why a callback is held, a callback.Reason
		"payout", "receipt", // the key of a receipt
		"key_id",                   // six digits of a hash
		"claimed_account",          // the account that a refused callback names; not verified
		"delivery",                 // SQS message id
		"skipped",                  // whether the sweep did nothing because the queue was full
		"records",                  // how many records a batch of the stream has
		"notifications", "removed", // ids of notifications and of payouts
		"account", // our account with a provider
		"field",   // the field of an expectation that is not valid
		// Counts of a run of the reconciler.
		"due", "held", "outcomes", "statements", "answered", "busy",
	}
}
