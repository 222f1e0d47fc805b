package redrive

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
)

// Message is a message of the dead-letter queue.
type Message struct {
	ID         string
	Handle     string // receipt handle of this delivery
	Body       string
	Attributes map[string]types.MessageAttributeValue
	System     map[string]string // system attributes of SQS
	Group      string            // message group, or ""
	Trace      string            // X-Ray header, or ""
	SentAt     time.Time
	Receives   int
}

// Queue is the dead-letter queue together with its source, the events queue.
type Queue interface {
	// Receive receives messages, which stay invisible for [VisibilityTimeout]. It
	// returns no messages if none is visible.
	Receive(ctx context.Context) ([]Message, error)
	// Send sends a message to the events queue, unchanged. The message is durable
	// there once Send returns without an error; after an error it may be there.
	Send(ctx context.Context, message Message) error
	// Delete deletes a message from the dead-letter queue.
	Delete(ctx context.Context, message Message) error
	// Return makes a message visible again.
	Return(ctx context.Context, message Message) error
}

// Receipts returns the receipt of a message; see dynamostore.Reader.
type Receipts interface {
	Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error)
}

// Cause is why a message is in the dead-letter queue.
type Cause string

// The causes.
const (
	// Unreadable: the message does not decode. It needs a deploy that understands
	// it, or an operator who exports it.
	Unreadable Cause = "unreadable"
	// Absent: its receipt is not stored, so the message is the only copy. The
	// sweeper recovers it within a minute; a redrive does, too.
	Absent Cause = "absent"
	// Unapplied: its receipt is stored and not applied. The sweeper sends it.
	Unapplied Cause = "unapplied"
	// AlreadyHandled: its receipt is applied or held, so the message is not needed.
	AlreadyHandled Cause = "already-handled"
	// Damaged: its receipt is unreadable.
	Damaged Cause = "damaged"
)

// Causes returns all causes.
func Causes() []Cause { return []Cause{Unreadable, Absent, Unapplied, AlreadyHandled, Damaged} }

// Diagnosis is a message and the cause of its failure.
type Diagnosis struct {
	Message

	Cause   Cause
	Why     string        // the decoder's error for an unreadable message, without its text
	Receipt inbox.Receipt // that the message carries; zero if unreadable
}

// Provider returns the provider of the message's receipt, or "".
func (d Diagnosis) Provider() string { return d.Receipt.Provider() }

// diagnose finds the cause of a message.
func diagnose(ctx context.Context, receipts Receipts, message Message) (Diagnosis, error) {
	diagnosis := Diagnosis{Message: message}
	carried, err := sqsqueue.Decode(message.Body)
	if err != nil {
		diagnosis.Cause, diagnosis.Why = Unreadable, err.Error()
		return diagnosis, nil //nolint:nilerr // the error is the diagnosis
	}
	diagnosis.Receipt = carried
	stored, ok, err := receipts.Receipt(ctx, carried.Key)
	switch {
	case errors.Is(err, inbox.ErrDamagedReceipt):
		diagnosis.Cause = Damaged
	case err != nil:
		return diagnosis, err
	case !ok:
		diagnosis.Cause = Absent
	case stored.State == inbox.Received:
		diagnosis.Cause = Unapplied
	default:
		diagnosis.Cause = AlreadyHandled
	}
	return diagnosis, nil
}
