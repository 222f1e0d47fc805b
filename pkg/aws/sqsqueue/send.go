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

// Bounds of SQS on one SendMessageBatch.
const (
	maxEntries = 10
	maxBytes   = 1 << 20
)

// maxGroup is the length of a message group's name, SQS's own bound.
const maxGroup = 128

// Send implements inbox.Queue. One receipt is one SendMessage.
func (q *Queue) Send(ctx context.Context, receipts ...inbox.Receipt) error {
	refused := inbox.SendErrors{}
	var entries []types.SendMessageBatchRequestEntry
	size := 0
	for place, receipt := range receipts {
		text, err := Encode(receipt)
		if err != nil {
			refused[place] = fmt.Errorf("%w: %w", inbox.ErrUnsendable, err)
			continue
		}
		if len(entries) == maxEntries || size+len(text) > maxBytes {
			if err := q.sendBatch(ctx, entries, refused); err != nil {
				return err
			}
			entries, size = nil, 0
		}
		size += len(text)
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id:             aws.String(strconv.Itoa(place)),
			MessageBody:    &text,
			MessageGroupId: aws.String(group(receipt)),
		})
	}
	if err := q.sendBatch(ctx, entries, refused); err != nil {
		return err
	}
	return refused.ErrorOrNil()
}

// sendBatch sends the entries, whose ids are their places, and adds those that
// SQS refuses to refused. Where SQS refuses the whole request for what is in it,
// each entry is sent alone: a single bad message refuses no other.
func (q *Queue) sendBatch(ctx context.Context, entries []types.SendMessageBatchRequestEntry, refused inbox.SendErrors) error {
	if len(entries) < 2 { //nolint:mnd // a batch
		return q.sendEach(ctx, entries, refused)
	}
	out, err := q.Client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.EventsURL, Entries: entries})
	switch {
	case contentCode(err) != "":
		return q.sendEach(ctx, entries, refused)
	case err != nil:
		return err
	}
	for _, entry := range entries {
		if err := entryError(out, *entry.Id); err != nil {
			place, _ := strconv.Atoi(*entry.Id) // we wrote it
			refused[place] = err
		}
	}
	return nil
}

// entryError returns nil where the answer says that the entry was taken.
func entryError(out *sqs.SendMessageBatchOutput, id string) error {
	for _, failed := range out.Failed {
		if aws.ToString(failed.Id) != id {
			continue
		}
		err := fmt.Errorf("SQS answers %s", aws.ToString(failed.Code))
		if failed.SenderFault {
			return fmt.Errorf("%w: %w", inbox.ErrUnsendable, err)
		}
		return err
	}
	if slices.ContainsFunc(out.Successful, func(taken types.SendMessageBatchResultEntry) bool { return aws.ToString(taken.Id) == id }) {
		return nil
	}
	return errors.New("SQS does not answer about the message")
}

func (q *Queue) sendEach(ctx context.Context, entries []types.SendMessageBatchRequestEntry, refused inbox.SendErrors) error {
	for _, entry := range entries {
		_, err := q.Client.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl:       &q.EventsURL,
			MessageBody:    entry.MessageBody,
			MessageGroupId: entry.MessageGroupId,
		})
		switch {
		case contentCode(err) != "":
			place, _ := strconv.Atoi(*entry.Id) // we wrote it
			refused[place] = fmt.Errorf("%w: SQS answers %s", inbox.ErrUnsendable, contentCode(err))
		case err != nil:
			return err
		}
	}
	return nil
}

// contentCodes are the errors by which SQS refuses a request for the messages in
// it. What it refuses for who asks, or how often, is not among them: another
// message would be refused as well.
var contentCodes = []string{
	"InvalidMessageContents", "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter",
	"InvalidAttributeValue", "BatchRequestTooLong", "ValidationError", "ValidationException",
}

// contentCode returns the code of such an error, and "" of any other.
func contentCode(err error) string {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return ""
	}
	code := answer.ErrorCode()
	code = code[strings.LastIndex(code, ".")+1:] // older answers begin with AWS.SimpleQueueService
	if !slices.Contains(contentCodes, code) {
		return ""
	}
	return code
}

// group names the message group of a receipt. On a standard queue it orders
// nothing; it keeps one noisy account from delaying the others.
func group(receipt inbox.Receipt) string {
	name := receipt.Provider() + "." + url.PathEscape(receipt.Account())
	return name[:min(len(name), maxGroup)]
}
