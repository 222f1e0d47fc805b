package redrive

import (
	"context"
	"fmt"
	"time"
)

// Hidden is how long a letter stays out of sight of others while it is looked
// at: long enough for ten of them at one a second, short enough that after a
// crash the sweeper does not miss them for long.
const Hidden = 30 * time.Second

// returnWithin bounds putting letters back, after an interruption too.
const returnWithin = 20 * time.Second

// Desk is where letters are looked at. It is safe for concurrent use.
type Redriver struct {
	Queue    Queue
	Receipts Receipts
}

// visit looks at one letter and reports whether it took it out of the queue.
type visit func(ctx context.Context, found Diagnosis) (gone bool, err error)

// Walk shows each letter in sight once, at most so many of them, and puts all
// of them back. It reports whether it stopped at that bound. Memory grows with
// the number of letters by their ids and handles only.
func (d *Redriver) Walk(ctx context.Context, most int, look func(Diagnosis) error) (more bool, err error) {
	return d.walk(ctx, most, func(_ context.Context, diagnosed Diagnosis) (bool, error) { return false, look(diagnosed) })
}

// walk visits letters until none is left that it has not seen: those that stay
// are kept out of sight until the end, or it would meet them again and again. A
// walk that is longer than that meets them again all the same; it ends once they
// come round twice and nothing else does.
func (d *Redriver) walk(ctx context.Context, most int, visit visit) (more bool, err error) {
	kept := map[string]string{} // handle of the last delivery, by id
	seen := map[string]bool{}
	again := map[string]bool{} // met again since the last one that was new
	defer func() { d.returnAll(ctx, kept) }()
	for {
		messages, err := d.Queue.Receive(ctx)
		if err != nil {
			return false, fmt.Errorf("receive dead letters: %w", err)
		}
		for _, message := range messages {
			kept[message.ID] = message.Handle
		}
		news := false
		for _, m := range messages {
			switch {
			case seen[m.ID]:
				news = news || !again[m.ID]
				again[m.ID] = true
				continue
			case len(seen) == most:
				return true, nil
			}
			news = true
			clear(again)
			seen[m.ID] = true
			if err := d.visit(ctx, m, visit, kept); err != nil {
				return false, err
			}
		}
		if !news {
			return false, nil
		}
	}
}

func (d *Redriver) visit(ctx context.Context, message Message, visit visit, kept map[string]string) error {
	diagnosed, err := diagnose(ctx, d.Receipts, message)
	if err != nil {
		return err
	}
	gone, err := visit(ctx, diagnosed)
	if gone {
		delete(kept, message.ID)
	}
	return err
}

// returnAll puts back what is still there. What fails comes back by itself when
// it was hidden for long enough, or was taken by somebody else since.
func (d *Redriver) returnAll(ctx context.Context, kept map[string]string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnWithin)
	defer cancel()
	for id, handle := range kept {
		_ = d.Queue.Return(ctx, Message{ID: id, Handle: handle})
	}
}
