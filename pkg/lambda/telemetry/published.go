package telemetry

import (
	"context"
	"errors"
	"time"

	"payout-callbacks/pkg/lambda/publisher"
)

// What is told of batches of the stream of payouts, beside Damaged, which here
// counts changes of payouts that could not be told of.
var (
	Published     = Metric{"Published", "Count", false}     // notices that are on the bus
	PublishFailed = Metric{"PublishFailed", "Count", false} // notices of a batch that comes again because the bus did not take one
)

// Published records one batch of the stream of payouts. Level error means that
// a person must act: a payout changed, or is gone, and nobody was told.
func (r *Recorder) RecordPublish(ctx context.Context, result publisher.Result, took time.Duration) {
	level := info
	switch {
	case len(result.Skipped)+len(result.Removed) > 0:
		level = fault
	case result.Err != nil:
		level = warn
	}
	r.line(ctx, level, "publish", []measured{
		{Published, len(result.Published)},
		{PublishFailed, result.Failed},
		{CorruptRecords, len(result.Skipped)},
	},
		number("records", result.Records),
		list("notices", result.Published),
		list("removed", result.Removed),
		millis(took),
		failure(errors.Join(append(result.Skipped, result.Err)...)))
}
