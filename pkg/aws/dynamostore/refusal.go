package dynamostore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
)

// Causes of a cancelled transaction, as DynamoDB codes them.
const (
	causeNone      = "None"
	causeCondition = "ConditionalCheckFailed"
	causeConflict  = "TransactionConflict"
)

// refusalOf tells a refused condition, which is an answer, from a failure. A
// transaction of which one part was refused and another failed, failed.
func conditionFailed(err error) (*inbox.ConditionFailed, error) {
	var cancelled *types.TransactionCanceledException
	if err == nil || !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 2 {
		return nil, err
	}
	for _, reason := range cancelled.CancellationReasons {
		if code := causeOf(reason); code != causeNone && code != causeCondition {
			return nil, err
		}
	}
	receipt, record := cancelled.CancellationReasons[0], cancelled.CancellationReasons[1]
	refusal := &inbox.ConditionFailed{
		ReceiptState:  stateOf(receipt.Item),
		ReceiptFailed: causeOf(receipt) == causeCondition,
		RecordFailed:  causeOf(record) == causeCondition,
	}
	if !refusal.RecordFailed {
		return refusal, nil
	}
	decoded, err := decodeRecord(record.Item)
	refusal.Record = decoded
	return refusal, err
}

func causeOf(reason types.CancellationReason) string {
	if reason.Code == nil {
		return causeNone
	}
	return *reason.Code
}

// A transaction that meets another one on the same payout is cancelled, and a
// single write that meets one on the same receipt is refused: a second delivery
// comes while the first is applied. The SDK tries neither again. The waits
// double from 10 ms, with jitter.
const (
	contentionTries = 6
	contentionWait  = 10 * time.Millisecond
)

func retryContention(ctx context.Context, try func() error) error {
	wait := contentionWait
	for n := 1; ; n++ {
		err := try()
		if n == contentionTries || !contended(err) {
			return err
		}
		timer := time.NewTimer(wait/2 + rand.N(wait)) //nolint:gosec // jitter needs no secrecy
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
		wait *= 2
	}
}

func contended(err error) bool {
	if _, ok := errors.AsType[*types.TransactionInProgressException](err); ok {
		return true
	}
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return true
	}
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return false
	}
	for _, reason := range cancelled.CancellationReasons {
		if causeOf(reason) == causeConflict {
			return true
		}
	}
	return false
}
