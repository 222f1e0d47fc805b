package prove

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/cmd/payoutctl/internal/cli"

	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// listener receives the notifications of a topic in a temporary queue.
type listener struct {
	queues       *sqs.Client
	topics       *sns.Client
	url          string
	subscription string
	now          func() time.Time
}

// listen creates the queue and subscribes it. On an error it removes what it created.
func (d *drill) listen(ctx context.Context, topic string) (*listener, error) {
	l := &listener{queues: sqs.NewFromConfig(d.stack.AWS), topics: sns.NewFromConfig(d.stack.AWS), now: d.Now}
	created, err := l.queues.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName:  aws.String(d.stack.Name + "-drill-" + strings.ToLower(rand.Text()[:6])),
		Attributes: map[string]string{string(sqstypes.QueueAttributeNameMessageRetentionPeriod): "3600"},
	})
	if err != nil {
		return nil, err
	}
	l.url = aws.ToString(created.QueueUrl)
	if err := l.subscribe(ctx, topic); err != nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		return nil, errors.Join(err, l.close(clean))
	}
	return l, nil
}

func (l *listener) subscribe(ctx context.Context, topic string) error {
	name := sqstypes.QueueAttributeNameQueueArn
	out, err := l.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &l.url, AttributeNames: []sqstypes.QueueAttributeName{name},
	})
	if err != nil {
		return err
	}
	arn := out.Attributes[string(name)]
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
	subscription, err := l.topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return err
	}
	l.subscription = aws.ToString(subscription.SubscriptionArn)
	return nil
}

// receive returns the alarms that went off, by name, with the time of arrival.
func (l *listener) receive(ctx context.Context) (map[string]time.Time, error) {
	const waitSeconds = 5
	out, err := l.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &l.url, MaxNumberOfMessages: 10, WaitTimeSeconds: waitSeconds,
	})
	if err != nil {
		return nil, err
	}
	alarms := map[string]time.Time{}
	for _, message := range out.Messages {
		if name := alarmIn(aws.ToString(message.Body)); name != "" {
			alarms[name] = l.now()
		}
		// A message that is not deleted arrives again, which is harmless.
		_, _ = l.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &l.url, ReceiptHandle: message.ReceiptHandle})
	}
	return alarms, nil
}

// alarmIn returns the name of the alarm that a notification reports as on, or "".
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
		return cli.Failuref("delete the queue "+l.url+" and its subscription by hand", "clean up after the drill: %w", err)
	}
	return nil
}
