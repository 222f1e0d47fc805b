package prove

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/send"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/ops/redrive"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
)

// inputs returns what triggers alarms by input. Each function returns what it sent, or ""
// if it has no key to sign with. Alarms that need days (silence, previous key) are
// missing.
func inputs() map[string]func(*drill, context.Context) (string, error) {
	all := map[string]func(*drill, context.Context) (string, error){
		"held":         (*drill).sendUnknownStatus,
		"conflicted":   (*drill).sendConflict,
		"dead-letters": (*drill).sendUnreadable,
	}
	for _, p := range providers.All() {
		all[p.Name()+"-refused"] = func(d *drill, ctx context.Context) (string, error) { return d.forge(ctx, p) }
	}
	return all
}

// forgeries is enough for the ratio of refused callbacks on a stack with little
// traffic.
const forgeries = 20

func (d *drill) forge(ctx context.Context, p provider.Description) (string, error) {
	out := send.Callback{
		Provider: p, Kind: p.Types()[0], Want: callback.Unauthenticated,
		Body: func() ([]byte, error) { return []byte(`{"payoutctl":"drill"}`), nil },
	}
	for range forgeries {
		if _, err := d.deliver(ctx, out, callback.Key(rand.Text())); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d forged callbacks", forgeries), nil
}

func (d *drill) sendUnknownStatus(ctx context.Context) (string, error) {
	got, err := d.pay(ctx, "5")
	if err != nil || got.Payout == "" {
		return "", err
	}
	d.left = append(d.left, "held callback "+got.Payout+"; "+d.Program()+" dismiss '"+got.Payout+"' --reason drill")
	return "an unknown status", nil
}

func (d *drill) sendConflict(ctx context.Context) (string, error) {
	got, err := d.pay(ctx, "6", "7")
	if err != nil || got.Payout == "" {
		return "", err
	}
	d.left = append(d.left, "payout "+got.Payout+"; "+d.Program()+" show '"+got.Payout+"', then resolve")
	return "two final statuses", nil
}

// sendUnreadable sends an unreadable message to the events queue. SQS moves it to the
// dead-letter queue within seconds, and the cleanup deletes it.
func (d *drill) sendUnreadable(ctx context.Context) (string, error) {
	sent, err := sqs.NewFromConfig(d.stack.AWS).SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &d.stack.EventsQueueURL, MessageBody: aws.String("payoutctl drill"),
	})
	if err != nil {
		return "", err
	}
	d.messages = append(d.messages, aws.ToString(sent.MessageId))
	return "an unreadable message", nil
}

// removeMessages deletes the drill's own messages from the dead-letter queue, where
// they may arrive with a delay of seconds.
func (d *drill) removeMessages(ctx context.Context) error {
	if len(d.messages) == 0 {
		return nil
	}
	r, err := d.stack.Redriver()
	if err != nil {
		return err
	}
	options := redrive.Options{Filter: redrive.Filter{IDs: d.messages, Causes: []redrive.Cause{redrive.Unreadable}}, Limit: 10_000}
	removed := 0
	done, err := cli.Poll(ctx, time.Second, cleanupTimeout, func() (bool, error) {
		done, err := r.Remove(ctx, options, func(redrive.Diagnosis) error { return nil }) // there is nothing to save
		removed += done.Moved
		return removed >= len(d.messages), err
	})
	if errors.Is(err, context.DeadlineExceeded) || err == nil && !done {
		d.left = append(d.left, "message "+d.messages[0]+"; "+d.Program()+" dlq export --delete --message-id "+d.messages[0]+" --to FILE --reason drill")
		return nil
	}
	return err
}

// pay sends signed callbacks about a new payout of Cregis, and returns the last answer.
// It sends nothing if no key is stored.
func (d *drill) pay(ctx context.Context, statuses ...string) (got send.Answer, err error) {
	_, read, err := d.stack.ReadKeys(ctx, "cregis")
	if err != nil || len(read.Keys) == 0 {
		return got, err
	}
	account := slices.Min(slices.Collect(maps.Keys(read.Keys)))
	id := strconv.FormatInt(d.Now().UnixMilli(), 10)
	for _, status := range statuses {
		example := send.CregisPayout
		example.Fields = []send.Assignment{
			{"pid", account}, {"cid", id}, {"status", status}, {"amount", "0.01"},
			{"third_party_id", "drill-" + id}, {"remark", "payoutctl drill"},
		}
		out := send.Callback{Provider: cregis.Description(), Kind: example.Kind, Account: account, Want: callback.Acknowledged, Body: example.Body}
		if got, err = d.deliver(ctx, out, read.Keys[account].Current); err != nil {
			return got, err
		}
	}
	return got, nil
}

func (d *drill) deliver(ctx context.Context, out send.Callback, key callback.Key) (send.Answer, error) {
	got, err := send.NewSender(d.stack, d.stack.APIURL, out, key).Send(ctx)
	if err == nil && !got.AsExpected {
		err = cli.Negativef("", "a drill callback was answered with %d, want %s", got.Code, out.Want)
	}
	return got, err
}

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
