package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// Outputs of template.yaml that name what can be paused.
const (
	outputConsumer  = "ConsumerMappingId"
	OutputPublisher = "PublisherMappingId"
	outputSweeper   = "SweeperScheduleName"
)

// toggle switches one part of a stack on and off.
type Part interface {
	// running reports whether it is on, and what is said about it.
	State(ctx context.Context) (on bool, note string, err error)
	Set(ctx context.Context, on bool, line string) error
	// lastChange returns the line that was recorded with the last change by
	// hand, or whatever else stands there.
	LastChange(ctx context.Context) (string, error)
}

// pausedBy returns when and why a part was paused, as pause recorded it, or ""
// where nobody did it with that command.
func PauseReason(ctx context.Context, it Part, part string) (string, error) {
	line, err := it.LastChange(ctx)
	if err != nil || !strings.Contains(line, " pause "+part) {
		return "", err
	}
	return line, nil
}

func (s Stack) Part(part string) (Part, error) {
	output := map[string]string{"consumer": outputConsumer, "publisher": OutputPublisher, "sweeper": outputSweeper}[part]
	id := s.Outputs[output]
	if id == "" {
		return nil, Failuref("deploy the template of this version", "stack %s does not tell its %s (output %s)", s.Name, part, output)
	}
	if part == "sweeper" {
		return schedule{scheduler.NewFromConfig(s.AWS), id}, nil
	}
	return mapping{lambda.NewFromConfig(s.AWS), id}, nil
}

// mapping is an event source mapping: it feeds a function from a queue or stream.
type mapping struct {
	client *lambda.Client
	id     string
}

func (m mapping) State(ctx context.Context) (bool, string, error) {
	eventSourceMapping, err := m.client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &m.id})
	if err != nil {
		return false, "", err
	}
	state := aws.ToString(eventSourceMapping.State)
	return state == "Enabled", state, nil
}

// set notes why first, so that nothing is paused without its reason.
func (m mapping) Set(ctx context.Context, on bool, line string) error {
	eventSourceMapping, err := m.client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &m.id})
	if err != nil {
		return err
	}
	if _, err := m.client.TagResource(ctx, &lambda.TagResourceInput{
		Resource: eventSourceMapping.EventSourceMappingArn, Tags: map[string]string{ChangeTag: line},
	}); err != nil {
		return err
	}
	_, err = m.client.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: &m.id, Enabled: &on})
	return err
}

func (m mapping) LastChange(ctx context.Context) (string, error) {
	eventSourceMapping, err := m.client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &m.id})
	if err != nil {
		return "", err
	}
	tags, err := m.client.ListTags(ctx, &lambda.ListTagsInput{Resource: eventSourceMapping.EventSourceMappingArn})
	if err != nil {
		return "", err
	}
	return tags.Tags[ChangeTag], nil
}

// schedule is what runs the sweeper, in the default group.
type schedule struct {
	client *scheduler.Client
	id     string
}

func (s schedule) get(ctx context.Context) (*scheduler.GetScheduleOutput, error) {
	return s.client.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &s.id})
}

func (s schedule) State(ctx context.Context) (bool, string, error) {
	getScheduleOutput, err := s.get(ctx)
	if err != nil {
		return false, "", err
	}
	return getScheduleOutput.State == types.ScheduleStateEnabled, string(getScheduleOutput.State), nil
}

// set sends the whole schedule back: what is left out of an update is reset.
func (s schedule) Set(ctx context.Context, on bool, line string) error {
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

func (s schedule) LastChange(ctx context.Context) (string, error) {
	getScheduleOutput, err := s.get(ctx)
	if err != nil {
		return "", err
	}
	return aws.ToString(getScheduleOutput.Description), nil
}
