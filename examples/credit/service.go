package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
)

// books is where entries and orders are kept; see ledger.
type books interface {
	read(ctx context.Context, payout string) (entry, error)
	order(ctx context.Context, reference string) (order, error)
	write(ctx context.Context, before, next entry) error
}

type service struct{ books books }

// event takes one event from a rule. An error has Lambda try again, twice, and
// then leave the event in the dead-letter queue.
func (s service) event(ctx context.Context, event events.EventBridgeEvent) error {
	var heard notice
	if err := json.Unmarshal(event.Detail, &heard); err != nil {
		return fmt.Errorf("read notice: %w", err)
	}
	// A later schema version is one that this program would read wrongly.
	if heard.Schema != 1 || heard.Payout == "" || heard.Version < 1 {
		return fmt.Errorf("notice of schema version %d, this program knows 1", heard.Schema)
	}
	return s.hear(ctx, heard)
}

// messages takes events out of a queue that a rule fills. What failed is
// delivered again, and the rest is not.
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

const tries = 5

// hear brings the entry of a payout up to date.
func (s service) hear(ctx context.Context, heard notice) error {
	for range tries {
		before, err := s.books.read(ctx, heard.Payout)
		if err != nil {
			return fmt.Errorf("read entry: %w", err)
		}
		of, err := s.books.order(ctx, heard.Reference)
		if err != nil {
			return fmt.Errorf("read order: %w", err)
		}
		after, changed := before.hears(heard, of)
		if changed {
			err = s.books.write(ctx, before, after)
		}
		switch {
		case errors.Is(err, errRaced):
			continue
		case err != nil:
			return fmt.Errorf("write entry: %w", err)
		case after.Review:
			// An alarm on this line is how the person hears of it. It is written also
			// where nothing changed: a write may be done and its answer lost, and the
			// next try then finds it done.
			slog.ErrorContext(ctx, "review", "payout", after.Payout, "status", after.Status)
		}
		return nil
	}
	return errRaced
}
