package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"payout-callbacks/pkg/inbox"
)

// Limits of SQS for one SendMessageBatch.
const (
	maxEntries = 10
	maxBytes   = 1 << 20
)

// maxGroup is the limit of SQS for the length of a message group id.
const maxGroup = 128

// Send implements inbox.Queue. It sends one receipt with SendMessage, several in
// batches.
func (q *Queue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	failed := inbox.SendError{}
	var entries []types.SendMessageBatchRequestEntry
	size := 0
	for i, receipt := range receipts {
		text, err := Encode(receipt)
		if err != nil {
			failed[i] = fmt.Errorf("%w: %w", inbox.ErrUnsendable, err)
			continue
		}
		if len(entries) == maxEntries || size+len(text) > maxBytes {
			if err := q.sendBatch(ctx, entries, failed); err != nil {
				return err
			}
			entries, size = nil, 0
		}
		size += len(text)
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id:             aws.String(strconv.Itoa(i)),
			MessageBody:    &text,
			MessageGroupId: aws.String(messageGroup(receipt)),
		})
	}
	if err := q.sendBatch(ctx, entries, failed); err != nil {
		return err
	}
	return failed.ErrorOrNil()
}

// sendBatch sends the entries, whose ids are indexes of receipts, and adds those
// that SQS rejects to failed. If SQS rejects the whole request for its content, it
// sends each entry alone, so that a bad message fails no other.
func (q *Queue) sendBatch(ctx context.Context, entries []types.SendMessageBatchRequestEntry, failed inbox.SendError) error {
	if len(entries) < 2 {
		return q.sendEach(ctx, entries, failed)
	}
	out, err := q.Client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.EventsURL, Entries: entries})
	switch {
	case contentCode(err) != "":
		return q.sendEach(ctx, entries, failed)
	case err != nil:
		return err
	}
	for _, entry := range entries {
		if err := entryError(out, *entry.Id); err != nil {
			i, _ := strconv.Atoi(*entry.Id) // Send wrote it
			failed[i] = err
		}
	}
	return nil
}

// entryError returns the error that the response has for an entry, or nil if the
// message was sent.
func entryError(out *sqs.SendMessageBatchOutput, id string) error {
	for _, entry := range out.Failed {
		if aws.ToString(entry.Id) != id {
			continue
		}
		err := fmt.Errorf("SQS answers %s", aws.ToString(entry.Code))
		if entry.SenderFault {
			return fmt.Errorf("%w: %w", inbox.ErrUnsendable, err)
		}
		return err
	}
	if slices.ContainsFunc(out.Successful, func(entry types.SendMessageBatchResultEntry) bool { return aws.ToString(entry.Id) == id }) {
		return nil
	}
	return errors.New("the response of SQS does not name the message")
}

func (q *Queue) sendEach(ctx context.Context, entries []types.SendMessageBatchRequestEntry, failed inbox.SendError) error {
	for _, entry := range entries {
		_, err := q.Client.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl:       &q.EventsURL,
			MessageBody:    entry.MessageBody,
			MessageGroupId: entry.MessageGroupId,
		})
		switch {
		case contentCode(err) != "":
			i, _ := strconv.Atoi(*entry.Id) // Send wrote it
			failed[i] = fmt.Errorf("%w: SQS answers %s", inbox.ErrUnsendable, contentCode(err))
		case err != nil:
			return err
		}
	}
	return nil
}

// contentCodes are the errors by which SQS rejects a request for its content. After
// any other error, another message would fail as well.
var contentCodes = []string{
	"InvalidMessageContents", "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter",
	"InvalidAttributeValue", "BatchRequestTooLong", "ValidationError", "ValidationException",
}

// contentCode returns the code of an error for the content, or "" of another error.
func contentCode(err error) string {
	apiErr, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	code := apiErr.ErrorCode()
	code = code[strings.LastIndex(code, ".")+1:] // older codes begin with AWS.SimpleQueueService
	if !slices.Contains(contentCodes, code) {
		return ""
	}
	return code
}

// messageGroup returns the message group id of a receipt. On a standard queue it
// is not about order: it keeps one busy account from delaying the others.
func messageGroup(receipt inbox.Receipt) string {
	name := receipt.Provider() + "." + url.PathEscape(receipt.Account())
	return name[:min(len(name), maxGroup)]
}
