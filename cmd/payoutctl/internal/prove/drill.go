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

// drillCommand makes the alarms go off.
type Drill struct {
	Only          []string      `help:"This alarm alone, like held. Repeat it for several." placeholder:"ALARM"`
	Wiring        bool          `help:"Send nothing: set the state of every alarm by API, which proves that it reaches somebody and no more."`
	Wait          time.Duration `help:"How long to wait for alarms that input sets off." default:"25m" placeholder:"SPAN"`
	YesProduction bool          `help:"Do it although the stack's name has no staging, dev or test in it: people will be paged, and drill payouts stay."`
	cli.ReasonFlags
}

// Help gives examples.
func (Drill) Help() string {
	return `Makes each alarm of a staging stack go off, and reports which of them reached the topic, and after how long. An alarm that
input can set off is set off by it: an unknown status (held), two final statuses (conflicted), forged callbacks (refused),
a message that is not ours (dead-letters). Of the others the state is set by API: that proves the wiring from the alarm to
the topic only, and the report says so. Alarms that are on already are left alone: they cannot go off.

For its duration it listens on a queue of its own, subscribed to the topic. Queue, subscription and the foreign message
are removed and states set back at the end, also after an interruption; what stays is the drill's payout and its held
callback, which the report names. Whoever is subscribed to the topic is paged for real: tell them.

Examples:

	payoutctl --stack payouts-staging drill --reason "quarterly drill"
	payoutctl --stack payouts-staging drill --only held --only conflicted --wait 10m --reason "new pager"
	payoutctl --stack payouts-staging drill --wiring --reason "new pager"

Needs the permissions cloudwatch:DescribeAlarms and cloudwatch:SetAlarmState, sns:Subscribe and sns:Unsubscribe on the topic,
sqs:CreateQueue, sqs:ReceiveMessage, sqs:DeleteMessage and sqs:DeleteQueue on queues named STACK-drill-*,
secretsmanager:GetSecretValue on the secrets, sqs:SendMessage on the events queue, those of dlq export --delete, and
cloudformation:DescribeStacks. Exit code 1 where one of them did not arrive.`
}

var stagingName = regexp.MustCompile(`(?i)staging|stage|dev|test`)

// Run drills.
func (c *Drill) Run(ctx context.Context, s *cli.Session) error {
	if err := c.Check(); err != nil {
		return err
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	if !stack.Local && !stagingName.MatchString(stack.Name) && !c.YesProduction {
		return cli.Usagef("use a staging stack; if this one is meant, add --yes-production",
			"stack %s does not look like one for drills: its name has no staging, dev or test in it", stack.Name)
	}
	topic := stack.Outputs[cli.OutputTopic]
	if topic == "" {
		return cli.Failuref("deploy the template of this version", "stack %s has no topic for alarms", stack.Name)
	}
	exercises, err := c.exercises(ctx, s, stack)
	if err != nil {
		return err
	}
	if err := s.Confirm(c.Yes, fmt.Sprintf("make %s of stack %s go off, which pages whoever is subscribed", cli.Count(len(exercises), "alarm"), stack.Name)); err != nil {
		return err
	}
	d := &drill{Session: s, stack: stack, why: c.Reason, wiring: c.Wiring, client: cloudwatch.NewFromConfig(stack.AWS)}
	return d.run(ctx, topic, exercises, c.Wait)
}

// exercise is one alarm and what became of it.
type exercise struct {
	Alarm   string        `json:"alarm"`
	Trigger trigger       `json:"how"`
	Sent    string        `json:"sent,omitzero"`
	Arrived bool          `json:"arrived"`
	After   time.Duration `json:"-"`
	Seconds int           `json:"seconds,omitzero"`
	Note    string        `json:"note,omitzero"`

	was types.StateValue
	at  time.Time // when it was set off
}

// how says in which way an alarm is made to go off.
type trigger string

const (
	byInput trigger = "input" // the whole way: callback, metric, alarm, topic
	bySet   trigger = "set"   // from the alarm on
	isOn    trigger = "on"    // it is on already
)

// exercises lists what is to be done.
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
		if _, ok := inputs[item.Alarm]; ok && !c.Wiring {
			item.Trigger = byInput
		}
		if item.was == types.StateValueAlarm {
			item.Trigger, item.Note = isOn, "was on already: see docs/OPERATIONS.md"
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
	wiring bool
	client *cloudwatch.Client

	left   []string // what stays behind, with how to clean it
	others []string // ids of messages that have to be taken out again
}

// cleanWithin bounds the cleaning up, after an interruption too.
const cleanWithin = time.Minute

func (d *drill) run(ctx context.Context, topic string, exercises []*exercise, wait time.Duration) (err error) {
	listening, err := d.listen(ctx, topic)
	if err != nil {
		return err
	}
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanWithin)
		defer cancel()
		err = errors.Join(err, d.restore(clean, exercises), listening.close(clean), d.removeOthers(clean))
		for _, text := range d.left {
			d.Notef("left behind: %s", text)
		}
	}()
	for _, item := range exercises {
		if err := d.setOff(ctx, item); err != nil {
			return err
		}
	}
	if err := d.await(ctx, listening, exercises, wait); err != nil {
		return err
	}
	if err := d.printExercises(exercises); err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(exercises), func(e *exercise) bool { return e.Arrived })
	if len(missing) > 0 {
		return cli.Negativef("is the alarm's action the topic? Was --wait long enough?", "%s did not reach the topic", cli.Count(len(missing), "alarm"))
	}
	return nil
}

// setOff does what makes one alarm go off.
func (d *drill) setOff(ctx context.Context, e *exercise) error {
	if e.Trigger == isOn {
		return nil
	}
	e.at = d.Now()
	if e.Trigger == byInput {
		sent, err := inputs[e.Alarm](ctx, d)
		if err != nil {
			return fmt.Errorf("drill %s: %w", e.Alarm, err)
		}
		e.Sent = sent
		d.Notef("%s: sent %s", e.Alarm, sent)
		if sent != "" && !d.stack.Local {
			return nil
		}
		// A function's log becomes a metric at AWS only.
		e.Trigger, e.Note = bySet, "the emulator makes no metrics of what is sent"
		if sent == "" {
			e.Note = "nothing to send it with: no keys are stored"
		}
	}
	return d.set(ctx, e.Alarm, types.StateValueAlarm)
}

func (d *drill) set(ctx context.Context, alarm string, state types.StateValue) error {
	_, err := d.client.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{
		AlarmName:   aws.String(d.stack.Name + "-" + alarm),
		StateValue:  state,
		StateReason: aws.String("a drill, not an incident; " + cli.FormatChange(d.Now(), "payoutctl drill", d.why)),
	})
	return err
}

// restore sets the states back that were set. CloudWatch would do so itself
// with the next datapoint, where there is one.
func (d *drill) restore(ctx context.Context, exercises []*exercise) error {
	var errs []error
	for _, e := range exercises {
		if e.Trigger == bySet && !e.at.IsZero() {
			errs = append(errs, d.set(ctx, e.Alarm, e.was))
		}
	}
	return errors.Join(errs...)
}

// await listens until all have arrived or the time is over, at least once.
func (d *drill) await(ctx context.Context, listening *listener, exercises []*exercise, wait time.Duration) error {
	tell := d.StartProgress()
	for deadline, first := d.Now().Add(wait), true; first || d.Now().Before(deadline); first = false {
		waiting := slices.DeleteFunc(slices.Clone(exercises), func(e *exercise) bool { return e.Arrived || e.Trigger == isOn })
		if len(waiting) == 0 {
			return nil
		}
		tell("%s of %d still to arrive", cli.Count(len(waiting), "alarm"), len(exercises))
		heard, err := listening.hear(ctx)
		if err != nil {
			return err
		}
		for _, item := range waiting {
			if at, ok := heard[d.stack.Name+"-"+item.Alarm]; ok {
				item.Arrived, item.After = true, max(at.Sub(item.at), 0)
				item.Seconds = int(item.After.Seconds())
			}
		}
	}
	return nil
}

func (d *drill) printExercises(exercises []*exercise) error {
	rows := cli.Table{Style: d.Style(), Header: []string{"ALARM", "SET OFF BY", "REACHED THE TOPIC", "PROVES", "NOTE"}}
	for _, e := range exercises {
		if d.Flags.JSON {
			if err := d.PrintJSON(e); err != nil {
				return err
			}
			continue
		}
		arrived := cli.Cell{Text: "no", Colour: cli.Red}
		if e.Arrived {
			arrived = cli.Cell{Text: "after " + cli.FormatAge(e.After), Colour: cli.Green}
		}
		proves := map[trigger]string{byInput: "all of it", bySet: "the wiring only", isOn: "nothing"}[e.Trigger]
		rows.Add(cli.Cell{Text: e.Alarm}, cli.Cell{Text: e.by()}, arrived, cli.Cell{Text: proves}, cli.Cell{Text: e.Note})
	}
	if d.Flags.JSON {
		return nil
	}
	return d.Print(rows.String())
}

func (e *exercise) by() string {
	switch {
	case e.Sent != "":
		return e.Sent
	case e.Trigger == bySet:
		return "its state, set by API"
	}
	return ""
}
