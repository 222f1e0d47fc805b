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

// Error codes of entries and requests, by
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
// (read 2026-11-27).
var (
	// temporary are the errors after which a retry of the same entry can succeed.
	temporary = []string{
		"InternalFailure", "InternalException", "InternalServerError", "InternalServerException", "ServiceUnavailable",
		"ServiceUnavailableException", "ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException",
	}
	// denied are the errors for missing permissions.
	denied = []string{
		"AccessDenied", "AccessDeniedException", "InvalidAccountIdException",
		"NotAuthorizedForSourceException", "NotAuthorizedForDetailTypeException",
	}
	// invalid are the errors of a request for its content.
	invalid = []string{"InvalidArgument", "MalformedDetail", "ValidationError", "ValidationException"}
)

// put sends one request. It returns how many entries, counted from the first, are
// published. If EventBridge rejects the whole request for its content, put sends the
// first entry alone: either that is published, or it is the invalid one.
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
	return 0, fmt.Errorf("put events: %d of %d failed, and the response names none", out.FailedEntryCount, len(entries))
}

// isFinal reports whether an entry with the error code can never be published. A
// missing permission can be granted, so its error is final only if another entry
// was published: then it concerns this entry.
func isFinal(code string, out *eventbridge.PutEventsOutput) bool {
	switch {
	case slices.Contains(temporary, code):
		return false
	case slices.Contains(denied, code):
		return slices.ContainsFunc(out.Entries, func(entry types.PutEventsResultEntry) bool { return entry.ErrorCode == nil })
	}
	return true
}

// invalidCode returns the code of an error for the content, or "" of another error.
func invalidCode(err error) string {
	apiErr, ok := errors.AsType[smithy.APIError](err)
	if ok && slices.Contains(invalid, apiErr.ErrorCode()) {
		return apiErr.ErrorCode()
	}
	return ""
}
