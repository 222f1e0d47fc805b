package redrive

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/pkg/aws/sqsqueue"
	"payout-callbacks/pkg/inbox"
)

// Letter is one message of the dead-letter queue, as it came.
type Message struct {
	ID         string
	Handle     string // of this delivery
	Body       string
	Attributes map[string]types.MessageAttributeValue
	System     map[string]string // all that SQS says of it: its sender, when it was first received, and more
	Group      string            // message group, or ""
	Trace      string            // X-Ray header, or ""
	SentAt     time.Time
	Receives   int
}

// Queue is the dead-letter queue, and the queue that it is behind.
type Queue interface {
	// Receive takes some letters out of sight for [Hidden]. An empty list means
	// that there are none in sight.
	Receive(ctx context.Context) ([]Message, error)
	// Send puts a letter into the events queue, unchanged. It is durable there
	// once Send returns without an error; after an error it may be there.
	Send(ctx context.Context, letter Message) error
	// Delete removes a letter from the dead-letter queue for good.
	Delete(ctx context.Context, letter Message) error
	// Return puts a letter back in sight.
	Return(ctx context.Context, letter Message) error
}

// Receipts is where a letter's receipt would be; see dynamostore.Reader.
type Receipts interface {
	Receipt(ctx context.Context, key inbox.Key) (inbox.Receipt, bool, error)
}

// Cause is why a letter is a dead one.
type Cause string

// The causes, and what each asks for.
const (
	// Foreign: it does not decode as ours. It needs a deploy that knows it, or
	// a person who takes it away.
	Unreadable Cause = "unreadable"
	// Absent: it is ours and no receipt is stored: it is the only copy. The
	// sweeper takes it in within a minute; redrive does as well.
	Absent Cause = "absent"
	// Unapplied: its receipt is stored and not applied. The sweeper sends it.
	Unapplied Cause = "unapplied"
	// Leftover: its receipt is applied, or held: the letter is of no more use.
	AlreadyHandled Cause = "already-handled"
	// Damaged: what is stored under its key cannot be read.
	Damaged Cause = "damaged"
)

// Causes lists the causes.
func Causes() []Cause { return []Cause{Unreadable, Absent, Unapplied, AlreadyHandled, Damaged} }

// Found is a letter with what is known of it.
type Diagnosis struct {
	Message

	Cause   Cause
	Why     string        // of a foreign one: what the decoder says; never its text
	Receipt inbox.Receipt // that it carries; zero of a foreign one
}

// Provider returns whose callback the letter is of, or "".
func (f Diagnosis) Provider() string { return f.Receipt.Provider() }

// diagnose says why a letter is where it is.
func diagnose(ctx context.Context, receipts Receipts, message Message) (Diagnosis, error) {
	diagnosed := Diagnosis{Message: message}
	carried, err := sqsqueue.Decode(message.Body)
	if err != nil {
		diagnosed.Cause, diagnosed.Why = Unreadable, err.Error()
		return diagnosed, nil //nolint:nilerr // that it cannot be read is what was asked
	}
	diagnosed.Receipt = carried
	stored, ok, err := receipts.Receipt(ctx, carried.Key)
	switch {
	case errors.Is(err, inbox.ErrDamagedReceipt):
		diagnosed.Cause = Damaged
	case err != nil:
		return diagnosed, err
	case !ok:
		diagnosed.Cause = Absent
	case stored.State == inbox.Received:
		diagnosed.Cause = Unapplied
	default:
		diagnosed.Cause = AlreadyHandled
	}
	return diagnosed, nil
}
