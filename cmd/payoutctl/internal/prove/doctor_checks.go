package prove

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/cmd/payoutctl/internal/send"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

func (d *doctor) identity(ctx context.Context) (finding, error) {
	if d.stack.Local {
		return ok("the local stack's user, who may do everything"), nil
	}
	who, err := sts.NewFromConfig(d.stack.AWS).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return finding{}, err
	}
	return ok("%s", aws.ToString(who.Arn)), nil
}

// How far the clock may be off. AWS refuses requests whose time is five minutes
// wrong; ages that are told here are wrong before that.
const (
	clockWarn = 5 * time.Second
	clockFail = 4 * time.Minute
)

// clock compares this machine's with that of whatever answers the callbacks.
func (d *doctor) clock(ctx context.Context) (finding, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, d.stack.APIURL, nil)
	if err != nil {
		return finding{}, err
	}
	response, err := send.NewClient(d.stack).Do(request)
	if err != nil {
		return finding{}, cli.Failuref("is the stack up?", "the API does not answer")
	}
	_ = response.Body.Close()
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return bad(unknown, "", "the API's answer tells no time"), nil //nolint:nilerr // that is what was found
	}
	switch away := d.Now().Sub(theirs).Abs(); {
	case away > clockFail:
		return bad(failing, "set this machine's clock (NTP): AWS refuses requests at five minutes", "%s away from AWS's", away.Round(time.Second)), nil
	case away > clockWarn:
		return bad(warn, "set this machine's clock (NTP)", "%s away from AWS's", away.Round(time.Second)), nil
	default:
		return ok("as AWS's"), nil
	}
}

// url sends what nobody signed, as the provider sends: to be refused it has to
// come through gateway, function and keys, and it leaves nothing.
func (d *doctor) url(ctx context.Context, provider, base string) (finding, error) {
	speaks, err := cli.FindProvider(provider)
	if err != nil {
		return finding{}, err
	}
	out := send.Callback{
		Provider: speaks, Kind: speaks.Types()[0], Unsigned: true, Want: callback.Unauthenticated,
		Body: func() ([]byte, error) { return []byte(`{"payoutctl":"doctor"}`), nil },
	}
	got, err := send.Sender{Client: send.NewClient(d.stack), URL: out.URL(base), Callback: out}.Send(ctx)
	if err != nil {
		const next = "is the API up, and its name in DNS? The provider meets the same"
		return bad(failing, next, "%s does not answer", out.URL(base)), nil //nolint:nilerr // that is what was found
	}
	switch {
	case got.AsExpected:
		return ok("refuses what is not signed: %s", got.URL), nil
	case got.Verdict == callback.Unavailable:
		return bad(failing, "look at the log of the function of "+provider+": no keys, or a store that is down", "answers 503"), nil
	case got.Code == http.StatusTooManyRequests:
		return bad(warn, "", "answers 429: throttled"), nil
	}
	return bad(failing, "is that URL this application's?", "answers %d to what is not signed, instead of %d", got.Code, speaks.Reply(callback.Unauthenticated).Code), nil
}

// sweepRecent is how long ago the last sweep may be: it is due every minute,
// and CloudWatch takes a few to show it.
const sweepRecent = 10 * time.Minute

func (d *doctor) lastSweep(ctx context.Context) (finding, error) {
	if d.stack.Local {
		return bad(unknown, "run one: "+d.Program()+" sweep", "the emulator keeps no metrics"), nil
	}
	metricStatistics, err := cloudwatch.NewFromConfig(d.stack.AWS).GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("PayoutCallbacks/" + d.stack.Name), MetricName: aws.String("Sweeps"),
		StartTime: aws.Time(d.Now().Add(-sweepRecent)), EndTime: aws.Time(d.Now()), Period: aws.Int32(60),
		Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
	})
	switch {
	case err != nil:
		return finding{}, err
	case len(metricStatistics.Datapoints) == 0:
		return bad(failing, d.Program()+" sweep, and look at the sweeper's log", "none has ended well within %s", sweepRecent), nil
	}
	return ok("%s within %s", cli.Count(len(metricStatistics.Datapoints), "sweep"), sweepRecent), nil
}

// queue looks at how many messages wait.
func (d *doctor) queue(url string, judge func(waiting int) finding) func(context.Context) (finding, error) {
	return func(ctx context.Context) (finding, error) {
		if url == "" {
			return finding{}, cli.Failuref("deploy the template of this version", "the stack does not tell it")
		}
		name := sqstypes.QueueAttributeNameApproximateNumberOfMessages
		queueAttributes, err := sqs.NewFromConfig(d.stack.AWS).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{name},
		})
		if err != nil {
			return finding{}, err
		}
		waiting, err := strconv.Atoi(queueAttributes.Attributes[string(name)])
		return judge(waiting), err
	}
}

// deep is a backlog that the consumer needs minutes for.
const deep = 10_000

func (d *doctor) backlog(waiting int) finding {
	if waiting > deep {
		return bad(warn, "is the consumer running, and ConsumerConcurrency enough?", "%s", cli.Count(waiting, "message"))
	}
	return ok("%s", cli.Count(waiting, "message"))
}

func (d *doctor) deadLetters(waiting int) finding {
	if waiting > 0 {
		return bad(warn, d.Program()+" dlq list", "%s", cli.Count(waiting, "message"))
	}
	return ok("none")
}

// enough is where counting stops.
const enough = 100

func (d *doctor) unapplied(ctx context.Context) (finding, error) {
	for receipt, err := range d.stack.Reader().Unapplied(ctx, inbox.Received) {
		if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
			return finding{}, err
		}
		waits := d.Now().Sub(receipt.AcceptedAt)
		if waits > inbox.FirstDue+display.SweepGrace {
			return bad(failing, d.Program()+" receipts received", "the oldest has waited for %s", cli.FormatAge(waits)), nil
		}
		return ok("the oldest has waited for %s", cli.FormatAge(waits)), nil
	}
	return ok("nothing waits"), nil
}

func (d *doctor) held(ctx context.Context) (finding, error) {
	return d.forAPerson(counted(d.stack.Reader().Unapplied(ctx, inbox.Held)))("callback", d.Program()+" receipts held")
}

func (d *doctor) conflicted(ctx context.Context) (finding, error) {
	return d.forAPerson(counted(d.stack.Reader().List(ctx, dynamostore.Filter{Status: payout.Conflicted})))(
		"payout", d.Program()+" payouts --status conflicted")
}

func counted[T any](items iter.Seq2[T, error]) (int, error) {
	n := 0
	for _, err := range items {
		if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
			return n, err
		}
		if n++; n == enough {
			break
		}
	}
	return n, nil
}

func (d *doctor) forAPerson(n int, err error) func(noun, next string) (finding, error) {
	return func(noun, next string) (finding, error) {
		switch {
		case err != nil:
			return finding{}, err
		case n == 0:
			return ok("none"), nil
		case n == enough:
			return bad(warn, next, "%d or more wait for a person", n), nil
		}
		return bad(warn, next, "%s for a person", cli.Count(n, noun)), nil
	}
}

func (d *doctor) alarms(ctx context.Context) (finding, error) {
	all, err := listAlarms(ctx, d.stack)
	if err != nil {
		return finding{}, err
	}
	return checkAlarms(d.stack, all), nil
}

// alarms lists the alarms of the stack.
func listAlarms(ctx context.Context, s cli.Stack) ([]cwtypes.MetricAlarm, error) {
	var all []cwtypes.MetricAlarm
	pages := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(s.AWS), &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(s.Name + "-"),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.MetricAlarms...)
	}
	return all, nil
}

// judgeAlarms says whether the alarms can be heard, and which ones sound.
func checkAlarms(stack cli.Stack, all []cwtypes.MetricAlarm) finding {
	topic := stack.Outputs[cli.OutputTopic]
	var mute, on, blind []string
	for _, alarm := range all {
		name := strings.TrimPrefix(aws.ToString(alarm.AlarmName), stack.Name+"-")
		if !aws.ToBool(alarm.ActionsEnabled) || !slices.Contains(alarm.AlarmActions, topic) {
			mute = append(mute, name)
		}
		switch alarm.StateValue {
		case cwtypes.StateValueAlarm:
			on = append(on, name)
		case cwtypes.StateValueInsufficientData:
			blind = append(blind, name)
		}
	}
	slices.Sort(mute)
	slices.Sort(on)
	slices.Sort(blind)
	switch {
	case len(all) == 0:
		return bad(failing, "deploy the template of this version", "there are none")
	case topic == "":
		return bad(failing, "deploy the template of this version", "the stack has no topic for them")
	case len(mute) > 0:
		return bad(failing, "aws cloudwatch enable-alarm-actions, or deploy the template again", "tell nobody: %s", strings.Join(mute, ", "))
	case len(on) > 0:
		return bad(warn, "docs/OPERATIONS.md says what to do for each", "%s on: %s", cli.Count(len(on), "alarm"), strings.Join(on, ", "))
	}
	return checkQuiet(stack.Local, len(all), blind)
}

// judgeQuiet says whether alarms that do not sound are quiet, or blind: an alarm
// that has no data yet has never been able to go off.
func checkQuiet(local bool, all int, blind []string) finding {
	const next = "new ones need a few minutes; if it stays so, look whether the functions run and log their metrics"
	switch {
	case local:
		return bad(unknown, "", "%s, and the emulator computes no metrics: none goes off by itself", cli.Count(all, "alarm"))
	case len(blind) == all:
		return bad(unknown, next, "none of %s has data yet", cli.Count(all, "alarm"))
	case len(blind) > 0:
		return bad(warn, next, "%d of %s with no data yet: %s", len(blind), cli.Count(all, "alarm"), strings.Join(blind, ", "))
	}
	return ok("%s, all quiet", cli.Count(all, "alarm"))
}

func (d *doctor) subscribers(ctx context.Context) (finding, error) {
	topic := d.stack.Outputs[cli.OutputTopic]
	if topic == "" {
		return finding{}, cli.Failuref("deploy the template of this version", "the stack does not tell its topic")
	}
	confirmed, pending := 0, 0
	pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(d.stack.AWS), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return finding{}, err
		}
		for _, subscription := range page.Subscriptions {
			if strings.HasPrefix(aws.ToString(subscription.SubscriptionArn), "arn:") {
				confirmed++
			} else {
				pending++
			}
		}
	}
	return checkSubscribers(d.stack.Local, confirmed, pending), nil
}

func checkSubscribers(local bool, confirmed, pending int) finding {
	const next = "subscribe your pager to the topic (output AlarmTopicArn), or set the parameter AlarmEmail"
	switch {
	case confirmed > 0 && pending > 0:
		return bad(warn, "confirm it by the link that was sent", "%s, and %d not confirmed", cli.Count(confirmed, "subscriber"), pending)
	case confirmed > 0:
		return ok("%s", cli.Count(confirmed, "subscriber"))
	case pending > 0:
		return bad(failing, "confirm it by the link that was sent", "nobody: %s not confirmed", cli.Count(pending, "subscription"))
	case local:
		return bad(unknown, "", "nobody, as nobody is paged for a stack on a laptop")
	}
	return bad(failing, next, "nobody: the topic has no subscribers")
}
