package redrive

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// SQS implements [Queue] with two SQS queues.
type SQS struct {
	Client         *sqs.Client
	EventsURL      string
	DeadLettersURL string
}

var _ Queue = SQS{}

// Receive implements [Queue]. It polls for a second: a short poll asks only some
// of the servers of SQS, so that its empty response means nothing.
func (q SQS) Receive(ctx context.Context) ([]Message, error) {
	out, err := q.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &q.DeadLettersURL,
		MaxNumberOfMessages:         10,
		VisibilityTimeout:           int32(VisibilityTimeout / time.Second),
		WaitTimeSeconds:             1,
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, err
	}
	var messages []Message
	for _, message := range out.Messages {
		system := func(name types.MessageSystemAttributeName) string { return message.Attributes[string(name)] }
		sent, _ := strconv.ParseInt(system(types.MessageSystemAttributeNameSentTimestamp), 10, 64)
		receives, _ := strconv.Atoi(system(types.MessageSystemAttributeNameApproximateReceiveCount))
		messages = append(messages, Message{
			ID:         aws.ToString(message.MessageId),
			Handle:     aws.ToString(message.ReceiptHandle),
			Body:       aws.ToString(message.Body),
			Attributes: message.MessageAttributes,
			System:     message.Attributes,
			Group:      system(types.MessageSystemAttributeNameMessageGroupId),
			Trace:      system(types.MessageSystemAttributeNameAWSTraceHeader),
			SentAt:     time.UnixMilli(sent).UTC(),
			Receives:   receives,
		})
	}
	return messages, nil
}

// Send implements [Queue].
func (q SQS) Send(ctx context.Context, message Message) error {
	input := &sqs.SendMessageInput{
		QueueUrl:          &q.EventsURL,
		MessageBody:       &message.Body,
		MessageAttributes: message.Attributes,
	}
	if message.Group != "" {
		input.MessageGroupId = &message.Group
	}
	if message.Trace != "" {
		input.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {DataType: aws.String("String"), StringValue: &message.Trace},
		}
	}
	_, err := q.Client.SendMessage(ctx, input)
	return err
}

// Delete implements [Queue].
func (q SQS) Delete(ctx context.Context, message Message) error {
	_, err := q.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.DeadLettersURL, ReceiptHandle: &message.Handle})
	return err
}

// Return implements [Queue].
func (q SQS) Return(ctx context.Context, message Message) error {
	_, err := q.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.DeadLettersURL, ReceiptHandle: &message.Handle, VisibilityTimeout: 0,
	})
	return err
}
