package inbox

import (
	"context"
	"time"
)

// WithReserve returns a context that ends before ctx does, so that a function
// keeps the reserve of the time that Lambda gives it: a function that runs into
// its timeout says nothing. Where ctx has no deadline, neither has the result.
func WithReserve(ctx context.Context, reserve time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}
