package redrive

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Filter selects messages. The zero value selects all readable messages.
type Filter struct {
	Causes   []Cause   // empty: all but Unreadable, unless IDs is set
	Provider string    // empty: any
	IDs      []string  // empty: any
	Before   time.Time // sent before; zero: any time
}

// Selects reports whether the filter selects a message.
func (f Filter) Selects(diagnosis Diagnosis) bool {
	switch {
	case len(f.IDs) > 0 && !slices.Contains(f.IDs, diagnosis.ID):
		return false
	case f.Provider != "" && diagnosis.Provider() != f.Provider:
		return false
	case !f.Before.IsZero() && !diagnosis.SentAt.Before(f.Before):
		return false
	case len(f.Causes) > 0:
		return slices.Contains(f.Causes, diagnosis.Cause)
	}
	return diagnosis.Cause != Unreadable || len(f.IDs) > 0
}

// Options are the options of a redrive or a removal.
type Options struct {
	Filter

	Limit    int              // maximum number of messages to read
	DryRun   bool             // only select
	Pace     <-chan time.Time // one message is moved for each value; nil: no limit
	Progress func(Progress)   // called after each selected message; may be nil
}

// Progress is the progress of a redrive or a removal.
type Progress struct {
	Seen            int  // messages that were read
	Chosen          int  // of those, selected
	Moved           int  // of those, sent or saved, and deleted
	MaybeDuplicated int  // of those, sent or saved, and perhaps not deleted
	More            bool // the queue has more messages
}

// Redrive sends the selected messages to the events queue, unchanged, and deletes
// each after it was sent. It stops at the first error. Each message is then in one
// of the queues, or the last one in both.
func (d *Redriver) Redrive(ctx context.Context, options Options) (Progress, error) {
	return d.move(ctx, options, func(ctx context.Context, diagnosis Diagnosis) error {
		if err := d.Queue.Send(ctx, diagnosis.Message); err != nil {
			return fmt.Errorf("send message %s: %w", diagnosis.ID, err)
		}
		return nil
	})
}

// Remove deletes each of the selected messages after save has saved it. It stops
// at the first error.
func (d *Redriver) Remove(ctx context.Context, options Options, save func(Diagnosis) error) (Progress, error) {
	return d.move(ctx, options, func(_ context.Context, diagnosis Diagnosis) error { return save(diagnosis) })
}

// move copies each selected message, and then deletes it.
func (d *Redriver) move(ctx context.Context, options Options, copyMessage func(context.Context, Diagnosis) error) (Progress, error) {
	var progress Progress
	more, err := d.walk(ctx, options.Limit, func(ctx context.Context, diagnosis Diagnosis) (bool, error) {
		progress.Seen++
		if !options.Selects(diagnosis) {
			return false, nil
		}
		progress.Chosen++
		deleted, err := d.moveMessage(ctx, options, diagnosis, copyMessage, &progress)
		if options.Progress != nil {
			options.Progress(progress)
		}
		return deleted, err
	})
	progress.More = more
	return progress, err
}

func (d *Redriver) moveMessage(
	ctx context.Context, options Options, diagnosis Diagnosis, copyMessage func(context.Context, Diagnosis) error, progress *Progress,
) (deleted bool, err error) {
	if options.DryRun {
		return false, nil
	}
	if err := wait(ctx, options.Pace); err != nil {
		return false, err
	}
	if err := copyMessage(ctx, diagnosis); err != nil {
		return false, err
	}
	if err := d.Queue.Delete(ctx, diagnosis.Message); err != nil {
		progress.MaybeDuplicated++
		return false, fmt.Errorf("delete message %s, which was sent or saved: %w", diagnosis.ID, err)
	}
	progress.Moved++
	return true, nil
}

func wait(ctx context.Context, pace <-chan time.Time) error {
	if pace == nil {
		return ctx.Err()
	}
	select {
	case <-pace:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
