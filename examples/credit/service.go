package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
)

// books stores entries and orders; see ledger.
type books interface {
	read(ctx context.Context, payout string) (entry, error)
	order(ctx context.Context, reference string) (order, error)
	write(ctx context.Context, before, next entry) error
}

type service struct{ books books }

// event handles an event from a rule. After an error, Lambda tries twice again,
// and then sends the event to the dead-letter queue.
func (s service) event(ctx context.Context, event events.EventBridgeEvent) error {
	var n notification
	if err := json.Unmarshal(event.Detail, &n); err != nil {
		return fmt.Errorf("decode notification: %w", err)
	}
	// A later schema version has another meaning.
	if n.Schema != 1 || n.Payout == "" || n.Version < 1 {
		return fmt.Errorf("notification of schema version %d, want 1", n.Schema)
	}
	return s.handle(ctx, n)
}

// messages handles a batch of a queue that receives events from a rule. Only the
// failed messages are delivered again.
func (s service) messages(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, message := range batch.Records {
		var event events.EventBridgeEvent
		err := json.Unmarshal([]byte(message.Body), &event)
		if err == nil {
			err = s.event(ctx, event)
		}
		if err != nil {
			slog.ErrorContext(ctx, "message", "id", message.MessageId, "err", err)
			response.BatchItemFailures = append(response.BatchItemFailures,
				events.SQSBatchItemFailure{ItemIdentifier: message.MessageId})
		}
	}
	return response, nil
}

const maxAttempts = 5

// handle applies a notification to the entry of its payout.
func (s service) handle(ctx context.Context, n notification) error {
	for range maxAttempts {
		before, err := s.books.read(ctx, n.Payout)
		if err != nil {
			return fmt.Errorf("read entry: %w", err)
		}
		ordered, err := s.books.order(ctx, n.Reference)
		if err != nil {
			return fmt.Errorf("read order: %w", err)
		}
		after, changed := before.apply(n, ordered)
		if changed {
			err = s.books.write(ctx, before, after)
		}
		switch {
		case errors.Is(err, errRaced):
			continue
		case err != nil:
			return fmt.Errorf("write entry: %w", err)
		case after.Review:
			// Set an alarm on this line. It is logged also if nothing changed: the
			// response of an earlier write may have been lost.
			slog.ErrorContext(ctx, "review", "payout", after.Payout, "status", after.Status)
		}
		return nil
	}
	return errRaced
}
