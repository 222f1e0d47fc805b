// Package telemetry tells what happened: one line of JSON per callback,
// delivery or sweep, which is log and metric at once (CloudWatch's embedded
// metric format).
//
// What may stand in a line is listed in [Fields] and nowhere else: names of
// providers, ids, outcomes, reasons, durations and errors. Bodies, headers,
// keys, addresses, amounts and notes never do. The payout's id is the one thing
// that leads from a callback to everything that became of it; of what a
// provider wrote, it holds the account, the payout's id and our reference.
package telemetry

import (
	"context"
	"io"
	"sync"
	"time"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/consumer"
)

// Recorder writes the lines. It is safe for concurrent use.
type Recorder struct {
	namespace string
	now       func() time.Time

	writing sync.Mutex
	out     io.Writer
}

// NewRecorder returns a recorder that writes to w, a function's standard output.
func NewRecorder(w io.Writer, namespace string, now func() time.Time) *Recorder {
	return &Recorder{out: w, namespace: namespace, now: now}
}

// Callback records what became of one callback. Level error means that a
// person must act: nothing was acknowledged although it may have been authentic.
func (r *Recorder) RecordCallback(ctx context.Context, provider string, result callback.Result, took time.Duration) {
	level, outcome := info, string(result.Verdict)
	switch {
	case result.Verdict == callback.Unavailable:
		level = fault
	case result.Verdict != callback.Acknowledged:
		level = warn
	case result.Receipt.State == inbox.Held:
		level, outcome = warn, string(inbox.Held)
	case result.Err != nil:
		level, outcome = warn, string(result.Acceptance)
	default:
		outcome = string(result.Acceptance)
	}
	acknowledged := result.Verdict == callback.Acknowledged
	// Whoever has a callback can replay it: what is known already neither sets an
	// alarm off nor keeps it quiet. A held callback counts although the answer is
	// 503: its put may have been done without an answer, and then each further
	// delivery is a duplicate.
	known := result.Acceptance == inbox.AcceptedDuplicate
	r.line(ctx, level, "callback", []measured{
		countIf(Callbacks, true),
		countIf(Acknowledged, acknowledged && !known),
		countIf(Unavailable, result.Verdict == callback.Unavailable),
		countIf(Refused, !acknowledged && result.Verdict != callback.Unavailable),
		countIf(Held, result.Receipt.State == inbox.Held && !known),
		countIf(Duplicates, known),
		countIf(AcceptedStoreOnly, result.Acceptance == inbox.AcceptedStoreOnly),
		countIf(AcceptedQueueOnly, result.Acceptance == inbox.AcceptedQueueOnly),
		countIf(PreviousKey, result.Sender.Previous && !known),
	},
		text("provider", provider),
		text("outcome", outcome),
		text("payout", result.Receipt.Key.Payout),
		text("receipt", result.Receipt.Key.Receipt),
		text("accepted", result.Acceptance),
		text("reason", result.Receipt.Reason),
		text("key_id", result.Sender.KeyID),
		text("claimed_account", result.Claimed),
		millis(took),
		failure(result.Err))
}

// Batch records what became of the messages of one batch: a line for each, and
// one with the counts.
func (r *Recorder) RecordBatch(ctx context.Context, deliveries []consumer.Delivery, took time.Duration) {
	counts := map[Metric]int{}
	for _, delivery := range deliveries {
		r.delivery(ctx, delivery)
		switch {
		case delivery.Err != nil:
			counts[Failures]++
		case delivery.Outcome == inbox.ApplyConflict:
			counts[Conflicts]++
		case delivery.Outcome == inbox.ApplyDuplicate:
			counts[Redeliveries]++
		}
	}
	r.line(ctx, info, "batch", []measured{
		{Deliveries, len(deliveries)},
		{Failures, counts[Failures]},
		{Conflicts, counts[Conflicts]},
		{Redeliveries, counts[Redeliveries]},
	},
		millis(took))
}

func (r *Recorder) delivery(ctx context.Context, delivery consumer.Delivery) {
	level, outcome := info, string(delivery.Outcome)
	switch {
	case delivery.Unreadable:
		level, outcome = fault, "foreign"
	case delivery.Err != nil:
		level, outcome = warn, "failed"
	case delivery.Outcome == inbox.ApplyConflict:
		level = warn
	}
	provider := delivery.Receipt.Provider()
	if provider == "" {
		provider = "unknown"
	}
	r.line(ctx, level, "delivery", nil,
		text("provider", provider),
		text("outcome", outcome),
		text("payout", delivery.Receipt.Key.Payout),
		text("receipt", delivery.Receipt.Key.Receipt),
		text("delivery", delivery.MessageID),
		failure(delivery.Err))
}

// Sweep records one run of the sweeper. A run that could not even list what is
// due tells no age: nothing due and nothing known are not the same.
func (r *Recorder) RecordSweep(ctx context.Context, result inbox.SweepResult, took time.Duration, err error) {
	level := info
	if err != nil || result.Damaged > 0 || result.Unreadable > 0 || result.Unsendable > 0 {
		level = fault
	}
	var items []measured
	if err == nil || result != (inbox.SweepResult{}) {
		items = []measured{
			{ReceiptsDue, result.Due},
			{ReceiptsResent, result.Resent},
			{Unsendable, result.Unsendable},
			{DeadLettersRecovered, result.Recovered},
			{UnreadableDeadLetters, result.Unreadable},
			{CorruptRecords, result.Damaged},
		}
		if !result.AgeUnknown {
			items = append(items, measured{OldestUnappliedAge, int(result.OldestAge.Seconds())})
		}
	}
	if err == nil {
		items = append(items, measured{Sweeps, 1})
	}
	r.line(ctx, level, "sweep", items,
		truth("skipped", result.Skipped),
		millis(took),
		failure(err))
}

// NoKeys records that a function started without keys to verify with.
func (r *Recorder) RecordMissingKeys(ctx context.Context, provider string, err error) {
	r.line(ctx, fault, "no keys", nil, text("provider", provider), failure(err))
}

// UnusableKeys records an entry of a provider's secret that cannot be used.
func (r *Recorder) UnusableKeys(ctx context.Context, provider string, flaw error) {
	r.line(ctx, fault, "unusable keys", nil, text("provider", provider), failure(flaw))
}

// Fields lists everything that may stand in a line, metrics aside.
func Fields() []string {
	return []string{
		"timestamp", "level", "message", "_aws", "request_id", "dur_ms", "err",
		"provider",            // its name
		"outcome", "accepted", // words of this program
		"reason",            // why a callback is held, one of callback.Reason
		"payout", "receipt", // the key of a receipt
		"key_id",             // six digits of a hash
		"claimed_account",    // account that a refused callback names; unproven
		"delivery",           // SQS's id of a message
		"skipped",            // whether a sweep left everything to a full queue
		"records",            // how many changes of payouts a batch had
		"notices", "removed", // ids of notices and of payouts
	}
}
