package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
)

// notification is the part of an event that this service needs (docs/EVENTS.md).
type notification struct {
	Schema    int    `json:"v"`
	Type      string `json:"type"`
	Payout    string `json:"payout"`
	Reference string `json:"reference"`
	Status    string `json:"status"`
	Expected  bool   `json:"expected"`
	Confirmed bool   `json:"confirmed"`
}

// decision is what this service does about a payout.
type decision string

const (
	closeOrder  decision = "close"  // the provider stated the same final status twice
	askAPerson  decision = "ask"    // nobody knows how it ends; ordering again would pay twice
	reviewOrder decision = "review" // money moved, or is about to, that nobody ordered
	nothingToDo decision = "nothing"
)

// decide returns what to do. It is a function of the event alone, so an event that is
// delivered twice, or late, leads to the same decision.
func decide(n notification) decision {
	switch {
	case n.Type == "PayoutOverdue":
		return askAPerson
	case !n.Expected:
		return reviewOrder
	case n.Confirmed:
		return closeOrder
	}
	return nothingToDo // its confirmation is on the way
}

// react handles an event of a rule for PayoutSucceeded, PayoutConfirmed and PayoutOverdue.
func react(ctx context.Context, event events.EventBridgeEvent) error {
	var n notification
	if err := json.Unmarshal(event.Detail, &n); err != nil || n.Schema != 1 || n.Payout == "" {
		return fmt.Errorf("notification of schema version %d, want 1: %w", n.Schema, err)
	}
	// Set an alarm on the lines with decision ask and review.
	slog.InfoContext(ctx, "payout", "decision", decide(n), "payout", n.Payout, "reference", n.Reference, "status", n.Status)
	return nil
}
