package eventbus

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"payout-callbacks/pkg/notification"
)

// Codes of entries that the bus did not take, by
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
// (read 2026-11-27).
var (
	// passing are the errors after which the same entry may be taken.
	passing = []string{
		"InternalFailure", "InternalException", "InternalServerError", "InternalServerException", "ServiceUnavailable",
		"ServiceUnavailableException", "ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException",
	}
	// denied are refusals of a permission.
	denied = []string{
		"AccessDenied", "AccessDeniedException", "InvalidAccountIdException",
		"NotAuthorizedForSourceException", "NotAuthorizedForDetailTypeException",
	}
	// invalid are the errors of a request for what is in it.
	invalid = []string{"InvalidArgument", "MalformedDetail", "ValidationError", "ValidationException"}
)

// put sends one request, and returns how many entries, counted from the first,
// are on the bus. Where the bus refuses the whole request for what is in it, it
// sends the first entry alone: that entry is taken, or it is the one that no bus
// takes.
func (b *Bus) put(ctx context.Context, entries []types.PutEventsRequestEntry) (int, error) {
	out, err := b.Client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	switch {
	case invalidCode(err) != "" && len(entries) > 1:
		return b.put(ctx, entries[:1])
	case invalidCode(err) != "":
		return 0, fmt.Errorf("put events: %w: %s", notification.ErrUnpublishable, invalidCode(err))
	case err != nil:
		return 0, err
	case out.FailedEntryCount == 0:
		return len(entries), nil
	}
	for n, result := range out.Entries {
		if result.ErrorCode == nil {
			continue
		}
		err := fmt.Errorf("put events: %d of %d failed: %s", out.FailedEntryCount, len(entries), *result.ErrorCode)
		if isFinal(*result.ErrorCode, out) {
			err = fmt.Errorf("%w: %w", notification.ErrUnpublishable, err)
		}
		return n, err
	}
	return 0, fmt.Errorf("put events: %d of %d failed, and the answer names none", out.FailedEntryCount, len(entries))
}

// isFinal reports whether the bus will never take an entry that it refused with
// the code. A permission can be granted: while it is refused for all entries,
// they wait. Where the bus took another entry, the refusal is of this one.
func isFinal(code string, out *eventbridge.PutEventsOutput) bool {
	switch {
	case slices.Contains(passing, code):
		return false
	case slices.Contains(denied, code):
		return slices.ContainsFunc(out.Entries, func(entry types.PutEventsResultEntry) bool { return entry.ErrorCode == nil })
	}
	return true
}

// invalidCode returns the code of such an error, and "" of any other.
func invalidCode(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) && slices.Contains(invalid, answer.ErrorCode()) {
		return answer.ErrorCode()
	}
	return ""
}
