package prove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"

	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// listener is a queue that hears what a topic says, for as long as a drill
// takes.
type listener struct {
	queues       *sqs.Client
	topics       *sns.Client
	url          string
	subscription string
	now          func() time.Time
}

// listen makes the queue and subscribes it; what was made of it is removed
// where that fails half-way.
func (d *drill) listen(ctx context.Context, topic string) (*listener, error) {
	suffix, err := send.NewNonce(d.Random)
	if err != nil {
		return nil, err
	}
	l := &listener{queues: sqs.NewFromConfig(d.stack.AWS), topics: sns.NewFromConfig(d.stack.AWS), now: d.Now}
	createQueueOutput, err := l.queues.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName:  aws.String(d.stack.Name + "-drill-" + suffix),
		Attributes: map[string]string{string(sqstypes.QueueAttributeNameMessageRetentionPeriod): "3600"},
	})
	if err != nil {
		return nil, err
	}
	l.url = aws.ToString(createQueueOutput.QueueUrl)
	if err := l.subscribe(ctx, topic); err != nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanWithin)
		defer cancel()
		return nil, errors.Join(err, l.close(clean))
	}
	return l, nil
}

func (l *listener) subscribe(ctx context.Context, topic string) error {
	name := sqstypes.QueueAttributeNameQueueArn
	queueAttributes, err := l.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &l.url, AttributeNames: []sqstypes.QueueAttributeName{name},
	})
	if err != nil {
		return err
	}
	arn := queueAttributes.Attributes[string(name)]
	policy, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []map[string]any{{
			"Effect": "Allow", "Principal": map[string]string{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
			"Resource": arn, "Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": topic}},
		}},
	})
	if err != nil {
		return fmt.Errorf("encode policy: %w", err)
	}
	if _, err := l.queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: &l.url, Attributes: map[string]string{string(sqstypes.QueueAttributeNamePolicy): string(policy)},
	}); err != nil {
		return err
	}
	subscribeOutput, err := l.topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return err
	}
	l.subscription = aws.ToString(subscribeOutput.SubscriptionArn)
	return nil
}

// hear waits a moment for alarms that went off, by name, with when they came.
func (l *listener) hear(ctx context.Context) (map[string]time.Time, error) {
	const moment = 5
	out, err := l.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &l.url, MaxNumberOfMessages: 10, WaitTimeSeconds: moment,
	})
	if err != nil {
		return nil, err
	}
	heard := map[string]time.Time{}
	for _, message := range out.Messages {
		if name := alarmIn(aws.ToString(message.Body)); name != "" {
			heard[name] = l.now()
		}
		// What is not deleted is heard again, which does no harm.
		_, _ = l.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &l.url, ReceiptHandle: message.ReceiptHandle})
	}
	return heard, nil
}

// alarmIn returns the name of the alarm that a notification says is on, or "".
func alarmIn(notification string) string {
	var envelope struct {
		Message string `json:"Message"`
	}
	if json.Unmarshal([]byte(notification), &envelope) != nil {
		return ""
	}
	var alarm struct {
		AlarmName     string `json:"AlarmName"`
		NewStateValue string `json:"NewStateValue"`
	}
	if json.Unmarshal([]byte(envelope.Message), &alarm) != nil || alarm.NewStateValue != "ALARM" {
		return ""
	}
	return alarm.AlarmName
}

// close removes the subscription and the queue.
func (l *listener) close(ctx context.Context) error {
	var errs []error
	if l.subscription != "" {
		_, err := l.topics.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &l.subscription})
		errs = append(errs, err)
	}
	_, err := l.queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &l.url})
	if err := errors.Join(append(errs, err)...); err != nil {
		return cli.Failuref("remove by hand the queue "+l.url+" and its subscription", "clean up after the drill: %w", err)
	}
	return nil
}
