package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"payout-callbacks/pkg/lambda/publisher"
)

// RecordPublish records one batch of the stream of payouts. Its level is error
// if a person must act: a change was not published, or a payout was deleted.
func (r *Recorder) RecordPublish(ctx context.Context, result publisher.Result, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case len(result.Skipped)+len(result.Removed) > 0:
		level = slog.LevelError
	case result.Err != nil:
		level = slog.LevelWarn
	}
	r.write(ctx, level, MessagePublish, []measurement{
		{Published, len(result.Published)},
		{PublishFailed, result.Failed},
		{CorruptRecords, len(result.Skipped)},
	},
		slog.Int("records", result.Records),
		list("notifications", result.Published),
		list("removed", result.Removed),
		duration(took),
		failure(errors.Join(append(result.Skipped, result.Err)...)))
}
