package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// Drill triggers the alarms.
type Drill struct {
	Only          []string      `help:"Only this alarm, such as held. Can be repeated." placeholder:"ALARM"`
	Wiring        bool          `help:"Send nothing: set the state of each alarm with the API, which proves only that its notification arrives."`
	Wait          time.Duration `help:"How long to wait for alarms that input triggers." default:"25m" placeholder:"DURATION"`
	YesProduction bool          `help:"Allow a stack whose name contains neither staging, stage, dev nor test: subscribers are paged, and drill payouts stay."`
	cli.ChangeFlags
}

// Help gives examples.
func (Drill) Help() string {
	return `Triggers each alarm of a staging stack, and reports which notifications reached the topic, and after how long. Input
triggers the alarms that it can: an unknown status (held), two final statuses (conflicted), forged callbacks (refused),
an unreadable message (dead-letters). The state of the others is set with the API, which proves only the wiring from the
alarm to the topic. Alarms that are on already are skipped.

At the end, also after an interruption, the drill removes its temporary queue and subscription and the unreadable
message, and restores the states. Its payout and its held callback remain; the report names them. Subscribers of the
topic are paged: inform them first.

	payoutctl --stack payouts-staging drill --only held --only conflicted --wait 10m --reason "new pager"
	payoutctl --stack payouts-staging drill --wiring --reason "quarterly drill"

Needs the permissions cloudwatch:DescribeAlarms and cloudwatch:SetAlarmState, sns:Subscribe and sns:Unsubscribe on the topic,
sqs:CreateQueue, sqs:ReceiveMessage, sqs:DeleteMessage and sqs:DeleteQueue on queues named STACK-drill-*,
secretsmanager:GetSecretValue on the secrets, sqs:SendMessage on the events queue, those of dlq export --delete, and
cloudformation:DescribeStacks. Exit code 1 if a notification did not arrive.`
}

var stagingName = regexp.MustCompile(`(?i)staging|stage|dev|test`)

// Run runs the drill.
func (c *Drill) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	if !stack.Local && !stagingName.MatchString(stack.Name) && !c.YesProduction {
		return cli.Usagef("use a staging stack; to drill this stack anyway, add --yes-production",
			"the name of stack %s contains neither staging, stage, dev nor test", stack.Name)
	}
	topic, err := stack.Output(cli.OutputTopic)
	if err != nil {
		return err
	}
	exercises, err := c.exercises(ctx, s, stack)
	if err != nil {
		return err
	}
	if err := s.Confirm(c.Yes, fmt.Sprintf("trigger %s of stack %s, which pages the subscribers", cli.Count(len(exercises), "alarm"), stack.Name)); err != nil {
		return err
	}
	d := &drill{Session: s, stack: stack, why: c.Reason, client: cloudwatch.NewFromConfig(stack.AWS)}
	return d.run(ctx, topic, exercises, c.Wait)
}

// exercise is one alarm and its result.
type exercise struct {
	Alarm   string  `json:"alarm"`
	Trigger trigger `json:"trigger"`
	Sent    string  `json:"sent,omitzero"`
	Arrived bool    `json:"arrived"`
	Seconds int     `json:"seconds,omitzero"` // until it arrived
	Note    string  `json:"note,omitzero"`

	was types.StateValue
	at  time.Time // when it was triggered
}

// trigger is how an alarm is triggered.
type trigger string

const (
	byInput trigger = "input" // by callbacks or messages: tests metric, alarm and topic
	bySet   trigger = "set"   // by the API: tests alarm and topic
	isOn    trigger = "on"    // not triggered: it is on already
)

// exercises lists the alarms to trigger.
func (c *Drill) exercises(ctx context.Context, s *cli.Session, stack cli.Stack) ([]*exercise, error) {
	all, err := listAlarms(ctx, stack)
	if err != nil {
		return nil, err
	}
	var list []*exercise
	for _, alarm := range all {
		item := &exercise{Alarm: strings.TrimPrefix(aws.ToString(alarm.AlarmName), stack.Name+"-"), Trigger: bySet, was: alarm.StateValue}
		if len(c.Only) > 0 && !slices.Contains(c.Only, item.Alarm) {
			continue
		}
		if _, ok := inputs()[item.Alarm]; ok && !c.Wiring {
			item.Trigger = byInput
		}
		if item.was == types.StateValueAlarm {
			item.Trigger, item.Note = isOn, "on already: see docs/OPERATIONS.md"
		}
		list = append(list, item)
	}
	slices.SortFunc(list, func(a, b *exercise) int { return cmp.Compare(a.Alarm, b.Alarm) })
	for _, name := range c.Only {
		if !slices.ContainsFunc(list, func(e *exercise) bool { return e.Alarm == name }) {
			return nil, cli.Usagef("see them with: "+s.Program()+" drill --help", "stack %s has no alarm %s-%s", stack.Name, stack.Name, name)
		}
	}
	if len(list) == 0 {
		return nil, cli.Failuref("deploy the template of this version", "stack %s has no alarms", stack.Name)
	}
	return list, nil
}

// drill is one run.
type drill struct {
	*cli.Session

	stack  cli.Stack
	why    string
	client *cloudwatch.Client

	left     []string // what remains, with the command that removes it
	messages []string // ids of messages to delete
}

// cleanupTimeout bounds the cleanup, which also runs after an interruption.
const cleanupTimeout = time.Minute

func (d *drill) run(ctx context.Context, topic string, exercises []*exercise, wait time.Duration) (err error) {
	listener, err := d.listen(ctx, topic)
	if err != nil {
		return err
	}
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		err = errors.Join(err, d.restore(clean, exercises), listener.close(clean), d.removeMessages(clean))
		for _, text := range d.left {
			d.Notef("remains: %s", text)
		}
	}()
	for _, item := range exercises {
		if err := d.triggerAlarm(ctx, item); err != nil {
			return err
		}
	}
	if err := d.await(ctx, listener, exercises, wait); err != nil {
		return err
	}
	if err := cli.PrintList(d.Session, exerciseHeader, exercises, addExercise, func(e *exercise) any { return e }); err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(exercises), func(e *exercise) bool { return e.Arrived })
	if len(missing) > 0 {
		return cli.Negativef("check the alarm's action; a longer --wait may help", "%s did not reach the topic", cli.Count(len(missing), "alarm"))
	}
	return nil
}

// triggerAlarm triggers one alarm.
func (d *drill) triggerAlarm(ctx context.Context, e *exercise) error {
	if e.Trigger == isOn {
		return nil
	}
	e.at = d.Now()
	if e.Trigger == byInput {
		sent, err := inputs()[e.Alarm](d, ctx)
		if err != nil {
			return fmt.Errorf("drill %s: %w", e.Alarm, err)
		}
		e.Sent = sent
		d.Notef("%s: sent %s", e.Alarm, sent)
		if sent != "" && !d.stack.Local {
			return nil
		}
		// Only AWS turns a function's log into metrics.
		e.Trigger, e.Note = bySet, "the emulator computes no metrics"
		if sent == "" {
			e.Note = "no keys are stored to sign input with"
		}
	}
	return d.set(ctx, e.Alarm, types.StateValueAlarm)
}

func (d *drill) set(ctx context.Context, alarm string, state types.StateValue) error {
	_, err := d.client.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName:   aws.String(d.stack.Name + "-" + alarm),
		StateValue:  state,
		StateReason: aws.String("drill, not an incident; " + cli.FormatChange(d.Now(), "payoutctl drill", d.why)),
	})
	return err
}

// restore sets changed states back. CloudWatch would do so itself with the next
// datapoint, if there is one.
func (d *drill) restore(ctx context.Context, exercises []*exercise) error {
	var errs []error
	for _, e := range exercises {
		if e.Trigger == bySet && !e.at.IsZero() {
			errs = append(errs, d.set(ctx, e.Alarm, e.was))
		}
	}
	return errors.Join(errs...)
}

// await receives notifications until all have arrived or the time is over, at least
// once.
func (d *drill) await(ctx context.Context, listener *listener, exercises []*exercise, wait time.Duration) error {
	progress := d.StartProgress()
	for deadline, first := d.Now().Add(wait), true; first || d.Now().Before(deadline); first = false {
		waiting := slices.DeleteFunc(slices.Clone(exercises), func(e *exercise) bool { return e.Arrived || e.Trigger == isOn })
		if len(waiting) == 0 {
			return nil
		}
		progress("waiting for %s of %d", cli.Count(len(waiting), "alarm"), len(exercises))
		received, err := listener.receive(ctx)
		if err != nil {
			return err
		}
		for _, item := range waiting {
			if at, ok := received[d.stack.Name+"-"+item.Alarm]; ok {
				item.Arrived, item.Seconds = true, int(max(at.Sub(item.at), 0).Seconds())
			}
		}
	}
	return nil
}

var exerciseHeader = []string{"ALARM", "TRIGGER", "ARRIVED", "PROVES", "NOTE"}

func addExercise(t *cli.Table, e *exercise) {
	arrived := cli.Cell{Text: "no", Colour: cli.Red}
	if e.Arrived {
		arrived = cli.Cell{Text: "after " + cli.FormatAge(time.Duration(e.Seconds)*time.Second), Colour: cli.Green}
	}
	sent := e.Sent
	if sent == "" && e.Trigger == bySet {
		sent = "state set by API"
	}
	proves := map[trigger]string{byInput: "metric, alarm, topic", bySet: "alarm, topic", isOn: "nothing"}[e.Trigger]
	t.Add(cli.Cell{Text: e.Alarm}, cli.Cell{Text: sent}, arrived, cli.Cell{Text: proves}, cli.Cell{Text: e.Note})
}
