package inbox

import (
	"context"
	"time"
)

// WithReserve returns a context that ends earlier than ctx by the reserve, so that a
// Lambda function can still log and return: a function that Lambda ends at its
// timeout does neither. If ctx has no deadline, the returned context has none.
func WithReserve(ctx context.Context, reserve time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}
