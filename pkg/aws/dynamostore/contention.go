package dynamostore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"payout-callbacks/pkg/inbox"
)

// Codes of CancellationReason in DynamoDB's API.
const (
	causeNone      = "None"
	causeCondition = "ConditionalCheckFailed"
	causeConflict  = "TransactionConflict"
)

// conditionFailed returns which conditions of a transaction failed, which is an
// outcome, or the error. If one part failed for another reason, it is an error.
func conditionFailed(err error) (*inbox.ConditionFailed, error) {
	var cancelled *types.TransactionCanceledException
	if err == nil || !errors.As(err, &cancelled) || len(cancelled.CancellationReasons) != 2 {
		return nil, err
	}
	for _, reason := range cancelled.CancellationReasons {
		if code := codeOf(reason); code != causeNone && code != causeCondition {
			return nil, err
		}
	}
	receipt, record := cancelled.CancellationReasons[0], cancelled.CancellationReasons[1]
	failed := &inbox.ConditionFailed{
		ReceiptState:  stateFromItem(receipt.Item),
		ReceiptFailed: codeOf(receipt) == causeCondition,
		RecordFailed:  codeOf(record) == causeCondition,
	}
	if !failed.RecordFailed {
		return failed, nil
	}
	decoded, err := decodeRecord(record.Item)
	failed.Payout = inbox.PayoutItem{Record: decoded, Schedule: decodeSchedule(record.Item)}
	return failed, err
}

func codeOf(reason types.CancellationReason) string {
	if reason.Code == nil {
		return causeNone
	}
	return *reason.Code
}

// DynamoDB cancels a transaction that meets another one on the same payout, and
// rejects a write that meets one on the same receipt, when a second delivery comes
// while the first is applied. The SDK retries neither. The waits double from
// 10 ms, with jitter.
const (
	contentionTries = 6
	contentionWait  = 10 * time.Millisecond
)

// retryContention calls try until it returns something else than contention.
func retryContention(ctx context.Context, try func() error) error {
	wait := contentionWait
	for n := 1; ; n++ {
		err := try()
		if n == contentionTries || !isContention(err) {
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

func isContention(err error) bool {
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
		if codeOf(reason) == causeConflict {
			return true
		}
	}
	return false
}
