package redrive

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Filter chooses letters. Its zero value chooses all that are ours.
type Filter struct {
	Causes   []Cause   // any of these; none of them: all but foreign ones, unless IDs names them
	Provider string    // this one, or any
	IDs      []string  // these messages, or any
	Before   time.Time // first sent before this, or ever
}

// Chooses reports whether the filter chooses a letter.
func (f Filter) Chooses(diagnosed Diagnosis) bool {
	switch {
	case len(f.IDs) > 0 && !slices.Contains(f.IDs, diagnosed.ID):
		return false
	case f.Provider != "" && diagnosed.Provider() != f.Provider:
		return false
	case !f.Before.IsZero() && !diagnosed.SentAt.Before(f.Before):
		return false
	case len(f.Causes) > 0:
		return slices.Contains(f.Causes, diagnosed.Cause)
	}
	return diagnosed.Cause != Unreadable || len(f.IDs) > 0
}

// Order is what is to be redriven and how.
type Options struct {
	Filter
	Limit    int              // letters looked at, at most
	DryRun   bool             // choose only
	Pace     <-chan time.Time // one letter is sent for each value; nil does not wait
	Progress func(Progress)   // after each letter that was chosen; may be nil
}

// Done is how far a redrive, or a removal, has come.
type Progress struct {
	Seen            int  // letters looked at
	Chosen          int  // of those, chosen
	Moved           int  // of those, safely elsewhere and deleted here
	MaybeDuplicated int  // of those, safely elsewhere and perhaps here as well
	More            bool // there are more than were looked at
}

// Redrive sends the chosen letters back to the events queue, as they came, and
// deletes each after it was sent. It stops at the first failure, with every
// letter in one of the queues or, the last one, in both.
func (d *Redriver) Redrive(ctx context.Context, order Options) (Progress, error) {
	return d.move(ctx, order, func(ctx context.Context, diagnosed Diagnosis) error {
		if err := d.Queue.Send(ctx, diagnosed.Message); err != nil {
			return fmt.Errorf("send message %s: %w", diagnosed.ID, err)
		}
		return nil
	})
}

// Remove takes the chosen letters out of the queue, each after save has made it
// safe. It fails on the first one of which that is not so.
func (d *Redriver) Remove(ctx context.Context, order Options, save func(Diagnosis) error) (Progress, error) {
	return d.move(ctx, order, func(_ context.Context, diagnosed Diagnosis) error { return save(diagnosed) })
}

// take makes each chosen letter safe, and then deletes it.
func (d *Redriver) move(ctx context.Context, order Options, secure func(context.Context, Diagnosis) error) (Progress, error) {
	var done Progress
	more, err := d.walk(ctx, order.Limit, func(ctx context.Context, diagnosed Diagnosis) (bool, error) {
		done.Seen++
		if !order.Chooses(diagnosed) {
			return false, nil
		}
		done.Chosen++
		gone, err := d.moveMessage(ctx, order, diagnosed, secure, &done)
		if order.Progress != nil {
			order.Progress(done)
		}
		return gone, err
	})
	done.More = more
	return done, err
}

func (d *Redriver) moveMessage(ctx context.Context, order Options, diagnosed Diagnosis, secure func(context.Context, Diagnosis) error, done *Progress) (bool, error) {
	if order.DryRun {
		return false, nil
	}
	if err := wait(ctx, order.Pace); err != nil {
		return false, err
	}
	if err := secure(ctx, diagnosed); err != nil {
		return false, err
	}
	if err := d.Queue.Delete(ctx, diagnosed.Message); err != nil {
		done.MaybeDuplicated++
		return false, fmt.Errorf("delete message %s, which is safe elsewhere: %w", diagnosed.ID, err)
	}
	done.Moved++
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
