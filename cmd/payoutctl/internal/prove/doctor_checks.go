package prove

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/cmd/payoutctl/internal/send"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
)

func (d *doctor) identity(ctx context.Context) (finding, error) {
	if d.stack.Local {
		return ok("user of the local stack, with all permissions"), nil
	}
	who, err := sts.NewFromConfig(d.stack.AWS).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return finding{}, err
	}
	return ok("%s", aws.ToString(who.Arn)), nil
}

// The limits of clock skew. AWS rejects requests at five minutes; printed ages are
// wrong before that.
const (
	clockWarn = 5 * time.Second
	clockFail = 4 * time.Minute
)

// clock compares the clock of this machine with that of the API.
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
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return bad(unknown, "", "the API's answer has no date"), nil //nolint:nilerr // the finding reports it
	}
	switch skew := d.Now().Sub(date).Abs(); {
	case skew > clockFail:
		return bad(failing, "set this machine's clock (NTP): AWS rejects requests at five minutes", "%s off", skew.Round(time.Second)), nil
	case skew > clockWarn:
		return bad(warn, "set this machine's clock (NTP)", "%s off", skew.Round(time.Second)), nil
	default:
		return ok("in sync with AWS"), nil
	}
}

// url sends an unsigned callback. Its refusal proves that gateway, function and keys
// work, and it stores nothing.
func (d *doctor) url(ctx context.Context, provider cli.Provider, base string) (finding, error) {
	signer, err := cli.FindProvider(provider)
	if err != nil {
		return finding{}, err
	}
	out := send.Callback{
		Provider: signer, Kind: signer.Types()[0], Unsigned: true, Want: callback.Unauthenticated,
		Body: func() ([]byte, error) { return []byte(`{"payoutctl":"doctor"}`), nil },
	}
	got, err := send.NewSender(d.stack, base, out, "").Send(ctx)
	if err != nil {
		const next = "check the API and its DNS name: the provider gets the same error"
		return bad(failing, next, "%s does not answer", out.URL(base)), nil //nolint:nilerr // the finding reports it
	}
	switch {
	case got.AsExpected:
		return ok("refuses an unsigned callback: %s", got.URL), nil
	case got.Verdict == callback.Unavailable:
		return bad(failing, "see the log of the function of "+string(provider)+": keys are missing, or the tables and queues are unavailable", "answers 503"), nil
	case got.Code == http.StatusTooManyRequests:
		return bad(warn, "", "answers 429: throttled"), nil
	}
	return bad(failing, "does the URL belong to this stack?", "answers an unsigned callback with %d instead of %d", got.Code, signer.Reply(callback.Unauthenticated).Code), nil
}

// sweepRecent is the maximum age of the last sweep. A sweep runs every minute, and its
// metric takes a few minutes to appear.
const sweepRecent = 10 * time.Minute

func (d *doctor) lastSweep(ctx context.Context) (finding, error) {
	if d.stack.Local {
		return bad(unknown, "run a sweep: "+d.Program()+" sweep", "the emulator stores no metrics"), nil
	}
	out, err := cloudwatch.NewFromConfig(d.stack.AWS).GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("PayoutCallbacks/" + d.stack.Name), MetricName: aws.String("Sweeps"),
		StartTime: aws.Time(d.Now().Add(-sweepRecent)), EndTime: aws.Time(d.Now()), Period: aws.Int32(60),
		Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
	})
	switch {
	case err != nil:
		return finding{}, err
	case len(out.Datapoints) == 0:
		return bad(failing, d.Program()+" sweep, and see the sweeper's log", "no successful sweep within %s", sweepRecent), nil
	}
	return ok("%s within %s", cli.Count(len(out.Datapoints), "sweep"), sweepRecent), nil
}

// queue checks the number of waiting messages.
func (d *doctor) queue(url string, check func(waiting int64) finding) func(context.Context) (finding, error) {
	return func(ctx context.Context) (finding, error) {
		depth, err := MeasureQueue(ctx, d.stack, url)
		if err != nil {
			return finding{}, err
		}
		return check(*depth.Waiting), nil
	}
}

// deepBacklog is a number of messages that takes the consumer minutes.
const deepBacklog = 10_000

func (d *doctor) backlog(waiting int64) finding {
	if waiting > deepBacklog {
		return bad(warn, "does the consumer run, and is ConsumerConcurrency high enough?", "%s", cli.Count(int(waiting), "message"))
	}
	return ok("%s", cli.Count(int(waiting), "message"))
}

func (d *doctor) deadLetters(waiting int64) finding {
	if waiting > 0 {
		return bad(warn, d.Program()+" dlq list", "%s", cli.Count(int(waiting), "message"))
	}
	return ok("none")
}

func (d *doctor) unapplied(ctx context.Context) (finding, error) {
	for receipt, err := range d.stack.Reader().Unapplied(ctx, inbox.Received) {
		if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
			return finding{}, err
		}
		waits := d.Now().Sub(receipt.AcceptedAt)
		if waits > inbox.FirstDue+display.SweepGrace {
			return bad(failing, d.Program()+" receipts received", "the oldest has waited %s", cli.FormatAge(waits)), nil
		}
		return ok("the oldest has waited %s", cli.FormatAge(waits)), nil
	}
	return ok("none"), nil
}

func (d *doctor) held(ctx context.Context) (finding, error) {
	return needsOperator(d.stack.Reader().Unapplied(ctx, inbox.Held), "callback", d.Program()+" receipts held")
}

func (d *doctor) conflicted(ctx context.Context) (finding, error) {
	conflicted := d.stack.Reader().List(ctx, dynamostore.Filter{Status: payout.Conflicted})
	return needsOperator(conflicted, "payout", d.Program()+" payouts --status conflicted")
}

// needsOperator reports how many items there are. Counting stops at maxCount.
func needsOperator[T any](items iter.Seq2[T, error], noun, next string) (finding, error) {
	const maxCount = 100
	n := 0
	for _, err := range items {
		if err != nil && !errors.Is(err, inbox.ErrDamagedReceipt) {
			return finding{}, err
		}
		if n++; n == maxCount {
			return bad(warn, next, "%d or more need an operator", n), nil
		}
	}
	if n == 0 {
		return ok("none"), nil
	}
	return bad(warn, next, "%s to check", cli.Count(n, noun)), nil
}

func (d *doctor) alarms(ctx context.Context) (finding, error) {
	all, err := listAlarms(ctx, d.stack)
	if err != nil {
		return finding{}, err
	}
	return checkAlarms(d.stack, all), nil
}

// listAlarms lists the alarms of the stack.
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

// checkAlarms reports alarms that notify nobody, and alarms that are on.
func checkAlarms(stack cli.Stack, all []cwtypes.MetricAlarm) finding {
	topic := stack.Outputs[cli.OutputTopic]
	var silent, on, noData []string
	for _, alarm := range all {
		name := strings.TrimPrefix(aws.ToString(alarm.AlarmName), stack.Name+"-")
		if !aws.ToBool(alarm.ActionsEnabled) || !slices.Contains(alarm.AlarmActions, topic) {
			silent = append(silent, name)
		}
		switch alarm.StateValue {
		case cwtypes.StateValueAlarm:
			on = append(on, name)
		case cwtypes.StateValueInsufficientData:
			noData = append(noData, name)
		}
	}
	slices.Sort(silent)
	slices.Sort(on)
	slices.Sort(noData)
	switch {
	case len(all) == 0:
		return bad(failing, "deploy the template of this version", "the stack has no alarms")
	case topic == "":
		return bad(failing, "deploy the template of this version", "the stack has no alarm topic")
	case len(silent) > 0:
		return bad(failing, "aws cloudwatch enable-alarm-actions, or deploy the template again", "notify nobody: %s", strings.Join(silent, ", "))
	case len(on) > 0:
		return bad(warn, "see docs/OPERATIONS.md for each alarm", "%s on: %s", cli.Count(len(on), "alarm"), strings.Join(on, ", "))
	}
	return checkQuiet(stack.Local, len(all), noData)
}

// checkQuiet distinguishes quiet alarms from alarms without data, which cannot go off
// yet.
func checkQuiet(local bool, all int, noData []string) finding {
	const next = "new alarms need a few minutes; after that, check that the functions run and log their metrics"
	switch {
	case local:
		return bad(unknown, "", "%s; the emulator computes no metrics, so none goes off by itself", cli.Count(all, "alarm"))
	case len(noData) == all:
		return bad(unknown, next, "none of %s has data yet", cli.Count(all, "alarm"))
	case len(noData) > 0:
		return bad(warn, next, "%d of %s with no data yet: %s", len(noData), cli.Count(all, "alarm"), strings.Join(noData, ", "))
	}
	return ok("%s, all quiet", cli.Count(all, "alarm"))
}

func (d *doctor) subscribers(ctx context.Context) (finding, error) {
	topic, err := d.stack.Output(cli.OutputTopic)
	if err != nil {
		return finding{}, err
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
		return bad(warn, "confirm the subscription with the link in the message", "%s, and %d not confirmed", cli.Count(confirmed, "subscriber"), pending)
	case confirmed > 0:
		return ok("%s", cli.Count(confirmed, "subscriber"))
	case pending > 0:
		return bad(failing, "confirm the subscription with the link in the message", "none: %s not confirmed", cli.Count(pending, "subscription"))
	case local:
		return bad(unknown, "", "none, as expected of a local stack")
	}
	return bad(failing, next, "none")
}
