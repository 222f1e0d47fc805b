package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"payout-callbacks/pkg/dynamostore"
)

// What is told of batches of the stream of payouts, beside Damaged, which here
// counts changes of payouts that could not be told of.
var (
	Published     = Metric{"Published", "Count", false}     // notices that are on the bus
	PublishFailed = Metric{"PublishFailed", "Count", false} // notices of a batch that comes again because the bus did not take one
)

// Published records one batch of the stream of payouts. Level error means that
// a person must act: a payout changed, or is gone, and nobody was told.
func (r *Recorder) Published(ctx context.Context, told dynamostore.Publication, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case len(told.Unclear)+len(told.Removed) > 0:
		level = slog.LevelError
	case told.Err != nil:
		level = slog.LevelWarn
	}
	r.line(ctx, level, "publish", []measured{
		{Published, len(told.Published)},
		{PublishFailed, told.Failed},
		{Damaged, len(told.Unclear)},
	},
		slog.Int("records", told.Records),
		slog.Any("notices", nonEmpty(told.Published)),
		slog.Any("removed", nonEmpty(told.Removed)),
		slog.Int64("dur_ms", took.Milliseconds()),
		slog.Any("err", errors.Join(append(told.Unclear, told.Err)...)))
}

// nonEmpty makes an empty list one that a line leaves out.
func nonEmpty(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}
