package redrive

import (
	"context"
	"fmt"
	"time"
)

// VisibilityTimeout is how long a received message is invisible to others: long
// enough for ten messages at one a second, and short enough that the sweeper gets
// them soon after a crash.
const VisibilityTimeout = 30 * time.Second

// returnTimeout bounds returning messages, also after an interruption.
const returnTimeout = 20 * time.Second

// Redriver reads and moves dead-letter messages. It is safe for concurrent use.
type Redriver struct {
	Queue    Queue
	Receipts Receipts
}

// visit handles a message, and reports whether it deleted it.
type visit func(ctx context.Context, diagnosis Diagnosis) (deleted bool, err error)

// Walk calls look once for each visible message, up to the limit, and returns all
// of them to the queue. More reports whether it stopped at the limit. Its memory
// grows by an id and a handle for each message.
func (d *Redriver) Walk(ctx context.Context, limit int, look func(Diagnosis) error) (more bool, err error) {
	return d.walk(ctx, limit, func(_ context.Context, diagnosis Diagnosis) (bool, error) { return false, look(diagnosis) })
}

// walk visits messages until it receives no new one. It returns the messages that
// remain only at the end, or it would receive them again and again. A walk that
// takes longer than the visibility timeout receives them again all the same, and
// ends once they come a second time without a new one in between.
func (d *Redriver) walk(ctx context.Context, limit int, visit visit) (more bool, err error) {
	kept := map[string]string{} // handle of the last delivery, by id
	seen := map[string]bool{}
	repeated := map[string]bool{} // received again since the last new message
	defer func() { d.returnAll(ctx, kept) }()
	for {
		messages, err := d.Queue.Receive(ctx)
		if err != nil {
			return false, fmt.Errorf("receive dead-letter messages: %w", err)
		}
		for _, message := range messages {
			kept[message.ID] = message.Handle
		}
		hasNew := false
		for _, message := range messages {
			switch {
			case seen[message.ID]:
				hasNew = hasNew || !repeated[message.ID]
				repeated[message.ID] = true
				continue
			case len(seen) == limit:
				return true, nil
			}
			hasNew = true
			clear(repeated)
			seen[message.ID] = true
			if err := d.visit(ctx, message, visit, kept); err != nil {
				return false, err
			}
		}
		if !hasNew {
			return false, nil
		}
	}
}

func (d *Redriver) visit(ctx context.Context, message Message, visit visit, kept map[string]string) error {
	diagnosis, err := diagnose(ctx, d.Receipts, message)
	if err != nil {
		return err
	}
	deleted, err := visit(ctx, diagnosis)
	if deleted {
		delete(kept, message.ID)
	}
	return err
}

// returnAll makes the kept messages visible. A message that it cannot return
// becomes visible after the visibility timeout.
func (d *Redriver) returnAll(ctx context.Context, kept map[string]string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTimeout)
	defer cancel()
	for id, handle := range kept {
		_ = d.Queue.Return(ctx, Message{ID: id, Handle: handle})
	}
}
