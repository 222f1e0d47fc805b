package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"payout-callbacks/pkg/reason"
)

// Outputs of template.yaml that name what can be paused.
const (
	outputConsumer  = "ConsumerMappingId"
	outputPublisher = "PublisherMappingId"
	outputSweeper   = "SweeperScheduleName"
)

// part is what can be paused.
type part struct {
	Part string `arg:"" enum:"consumer,sweeper,publisher" help:"consumer: applies events to payouts. sweeper: sends again what was not applied. publisher: tells other services."`
}

type pauseCommand struct {
	part
	onPurpose
}

const pausePermissions = `
Needs cloudformation:DescribeStacks, and for the consumer and the publisher the permissions
lambda:UpdateEventSourceMapping, lambda:GetEventSourceMapping and lambda:TagResource on the event source mapping, for the
sweeper scheduler:GetSchedule and scheduler:UpdateSchedule on the schedule and iam:PassRole on its role. --reason is kept
in the mapping's tag, or the schedule's description. A deploy that changes the mapping or the schedule takes a pause back.`

// Help gives examples.
func (pauseCommand) Help() string {
	return `The kill switch: callbacks go on being verified, kept and acknowledged; what is paused happens later, in any order, with
the same result.

	consumer   no payout changes. Events wait in the queue for 4 days, and their receipts for ever. The sweeper goes on
	           sending what waits, so pause it as well if it is for more than minutes.
	sweeper    what the queue lost, or never got, is not sent again; dead letters are not taken in.
	publisher  other services hear nothing. The stream keeps changes for 24 hours: publish what is older again by hand.

Examples:

	payoutctl --stack payouts-prod pause consumer --reason "wrong amounts, INC-12"
	payoutctl --stack payouts-prod pause sweeper --reason "wrong amounts, INC-12"
` + pausePermissions
}

// Run pauses.
func (c *pauseCommand) Run(ctx context.Context, s *session) error {
	return s.switchPart(ctx, c.Part, false, c.onPurpose)
}

type resumeCommand struct {
	part
	onPurpose
}

// Help gives examples.
func (resumeCommand) Help() string {
	return `Takes a pause back. What waited is worked off at the pace that ConsumerConcurrency allows.

Examples:

	payoutctl --stack payouts-prod resume consumer --reason "fixed by deploy 81, INC-12"
` + pausePermissions
}

// Run resumes.
func (c *resumeCommand) Run(ctx context.Context, s *session) error {
	return s.switchPart(ctx, c.Part, true, c.onPurpose)
}

// toggle switches one part of a stack on and off.
type toggle interface {
	// running reports whether it is on, and what is said about it.
	running(ctx context.Context) (on bool, note string, err error)
	set(ctx context.Context, on bool, line string) error
	// lastChange returns the line that was recorded with the last change by
	// hand, or whatever else stands there.
	lastChange(ctx context.Context) (string, error)
}

// pausedBy returns when and why a part was paused, as pause recorded it, or ""
// where nobody did it with that command.
func pausedBy(ctx context.Context, it toggle, part string) (string, error) {
	line, err := it.lastChange(ctx)
	if err != nil || !strings.Contains(line, " pause "+part) {
		return "", err
	}
	return line, nil
}

func (s *session) switchPart(ctx context.Context, part string, on bool, purpose onPurpose) error {
	if err := purpose.check(); err != nil {
		return err
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	it, err := stack.toggle(part)
	if err != nil {
		return err
	}
	verb := map[bool]string{true: "resume", false: "pause"}[on]
	is, _, err := it.running(ctx)
	if err != nil {
		return err
	}
	if is != on {
		if err := s.confirm(purpose.Yes, verb+" the "+part+" of stack "+stack.name); err != nil {
			return err
		}
		if err := it.set(ctx, on, reason.Line(s.now(), verb+" "+part, purpose.Reason)); err != nil {
			return err
		}
	} else {
		s.notef("that is so already; nothing was changed")
	}
	if is, err = untilSwitched(ctx, it, on); err != nil {
		return err
	}
	return s.printPart(part, is)
}

func (s *session) printPart(part string, on bool) error {
	if s.flags.JSON {
		return s.printJSON(map[string]any{"part": part, "running": on})
	}
	return s.print(part + "  " + map[bool]string{true: "running", false: "paused"}[on] + "\n")
}

// switchedWithin is how long a mapping may take to be enabled or disabled.
const switchedWithin = 2 * time.Minute

func untilSwitched(ctx context.Context, it toggle, on bool) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, switchedWithin)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		is, note, err := it.running(ctx)
		if err != nil || is == on {
			return is, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return is, failure("look again in a minute", "it was asked for, but the state is still %s", note)
		}
	}
}

func (s stack) toggle(part string) (toggle, error) {
	output := map[string]string{"consumer": outputConsumer, "publisher": outputPublisher, "sweeper": outputSweeper}[part]
	id := s.outputs[output]
	if id == "" {
		return nil, failure("deploy the template of this version", "stack %s does not tell its %s (output %s)", s.name, part, output)
	}
	if part == "sweeper" {
		return schedule{scheduler.NewFromConfig(s.aws), id}, nil
	}
	return mapping{lambda.NewFromConfig(s.aws), id}, nil
}

// mapping is an event source mapping: it feeds a function from a queue or stream.
type mapping struct {
	client *lambda.Client
	id     string
}

func (m mapping) running(ctx context.Context) (bool, string, error) {
	eventSourceMapping, err := m.client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &m.id})
	if err != nil {
		return false, "", err
	}
	state := aws.ToString(eventSourceMapping.State)
	return state == "Enabled", state, nil
}

// set notes why first, so that nothing is paused without its reason.
func (m mapping) set(ctx context.Context, on bool, line string) error {
	eventSourceMapping, err := m.client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &m.id})
	if err != nil {
		return err
	}
	if _, err := m.client.TagResource(ctx, &lambda.TagResourceInput{
		Resource: eventSourceMapping.EventSourceMappingArn, Tags: map[string]string{reason.Tag: line},
	}); err != nil {
		return err
	}
	_, err = m.client.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: &m.id, Enabled: &on})
	return err
}

func (m mapping) lastChange(ctx context.Context) (string, error) {
	eventSourceMapping, err := m.client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &m.id})
	if err != nil {
		return "", err
	}
	tags, err := m.client.ListTags(ctx, &lambda.ListTagsInput{Resource: eventSourceMapping.EventSourceMappingArn})
	if err != nil {
		return "", err
	}
	return tags.Tags[reason.Tag], nil
}

// schedule is what runs the sweeper, in the default group.
type schedule struct {
	client *scheduler.Client
	id     string
}

func (s schedule) get(ctx context.Context) (*scheduler.GetScheduleOutput, error) {
	return s.client.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &s.id})
}

func (s schedule) running(ctx context.Context) (bool, string, error) {
	getScheduleOutput, err := s.get(ctx)
	if err != nil {
		return false, "", err
	}
	return getScheduleOutput.State == types.ScheduleStateEnabled, string(getScheduleOutput.State), nil
}

// set sends the whole schedule back: what is left out of an update is reset.
func (s schedule) set(ctx context.Context, on bool, line string) error {
	getScheduleOutput, err := s.get(ctx)
	if err != nil {
		return err
	}
	state := types.ScheduleStateDisabled
	if on {
		state = types.ScheduleStateEnabled
	}
	_, err = s.client.UpdateSchedule(ctx, &scheduler.UpdateScheduleInput{
		Name: getScheduleOutput.Name, GroupName: getScheduleOutput.GroupName, State: state, Description: &line,
		ScheduleExpression: getScheduleOutput.ScheduleExpression, ScheduleExpressionTimezone: getScheduleOutput.ScheduleExpressionTimezone,
		FlexibleTimeWindow: getScheduleOutput.FlexibleTimeWindow, Target: getScheduleOutput.Target, KmsKeyArn: getScheduleOutput.KmsKeyArn,
		StartDate: getScheduleOutput.StartDate, EndDate: getScheduleOutput.EndDate, ActionAfterCompletion: getScheduleOutput.ActionAfterCompletion,
	})
	if err != nil {
		return fmt.Errorf("update schedule: %w", err)
	}
	return nil
}

func (s schedule) lastChange(ctx context.Context) (string, error) {
	getScheduleOutput, err := s.get(ctx)
	if err != nil {
		return "", err
	}
	return aws.ToString(getScheduleOutput.Description), nil
}
