package cli

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// Outputs of template.yaml that name the parts that can be paused.
const (
	outputConsumer   = "ConsumerMappingId"
	OutputPublisher  = "PublisherMappingId"
	outputSweeper    = "SweeperScheduleName"
	OutputReconciler = "ReconcilerScheduleName"
)

// Part is a part of a stack that can be paused: consumer, sweeper, publisher or
// reconciler.
type Part interface {
	// State reports whether the part runs, with AWS's word for its state.
	State(ctx context.Context) (running bool, state string, err error)
	// Set starts or stops the part. It records the text first, so that a change without
	// a reason cannot remain.
	Set(ctx context.Context, on bool, line string) error
	// LastChange returns the text that was recorded with the last change.
	LastChange(ctx context.Context) (string, error)
}

// Part returns a part of the stack by its name.
func (s Stack) Part(name string) (Part, error) {
	output := map[string]string{
		"consumer": outputConsumer, "publisher": OutputPublisher, "sweeper": outputSweeper, "reconciler": OutputReconciler,
	}[name]
	id := s.Outputs[output]
	if id == "" {
		return nil, Failuref("deploy the template of this version", "stack %s has no output %s for its %s", s.Name, output, name)
	}
	if output == outputSweeper || output == OutputReconciler {
		return schedule{scheduler.NewFromConfig(s.AWS), id}, nil
	}
	return mapping{lambda.NewFromConfig(s.AWS), id}, nil
}

// mapping is an event source mapping, which reads a queue or a stream for a function.
type mapping struct {
	client *lambda.Client
	id     string
}

func (m mapping) get(ctx context.Context) (state string, arn *string, err error) {
	out, err := m.client.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &m.id})
	if err != nil {
		return "", nil, err
	}
	return aws.ToString(out.State), out.EventSourceMappingArn, nil
}

func (m mapping) State(ctx context.Context) (bool, string, error) {
	state, _, err := m.get(ctx)
	return state == "Enabled", state, err
}

func (m mapping) Set(ctx context.Context, on bool, line string) error {
	_, arn, err := m.get(ctx)
	if err != nil {
		return err
	}
	if _, err := m.client.TagResource(ctx, &lambda.TagResourceInput{Resource: arn, Tags: map[string]string{ChangeTag: line}}); err != nil {
		return err
	}
	_, err = m.client.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: &m.id, Enabled: &on})
	return err
}

func (m mapping) LastChange(ctx context.Context) (string, error) {
	_, arn, err := m.get(ctx)
	if err != nil {
		return "", err
	}
	tags, err := m.client.ListTags(ctx, &lambda.ListTagsInput{Resource: arn})
	if err != nil {
		return "", err
	}
	return tags.Tags[ChangeTag], nil
}

// schedule is the EventBridge schedule of a function, in the default group. Its
// description holds the last change.
type schedule struct {
	client *scheduler.Client
	id     string
}

func (s schedule) get(ctx context.Context) (scheduler.GetScheduleOutput, error) {
	out, err := s.client.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &s.id})
	if err != nil {
		return scheduler.GetScheduleOutput{}, err
	}
	return *out, nil
}

func (s schedule) State(ctx context.Context) (bool, string, error) {
	out, err := s.get(ctx)
	return out.State == types.ScheduleStateEnabled, string(out.State), err
}

func (s schedule) LastChange(ctx context.Context) (string, error) {
	out, err := s.get(ctx)
	return aws.ToString(out.Description), err
}

// Set writes the whole schedule: an update resets the fields that it omits.
func (s schedule) Set(ctx context.Context, on bool, line string) error {
	out, err := s.get(ctx)
	if err != nil {
		return err
	}
	state := types.ScheduleStateDisabled
	if on {
		state = types.ScheduleStateEnabled
	}
	_, err = s.client.UpdateSchedule(ctx, &scheduler.UpdateScheduleInput{
		Name: out.Name, GroupName: out.GroupName, State: state, Description: &line,
		ScheduleExpression: out.ScheduleExpression, ScheduleExpressionTimezone: out.ScheduleExpressionTimezone,
		FlexibleTimeWindow: out.FlexibleTimeWindow, Target: out.Target, KmsKeyArn: out.KmsKeyArn,
		StartDate: out.StartDate, EndDate: out.EndDate, ActionAfterCompletion: out.ActionAfterCompletion,
	})
	return err
}

// invokeTimeout exceeds the timeout of the functions.
const invokeTimeout = 70 * time.Second

// Invoke runs a function of the stack, such as sweeper, once, with an event, and decodes
// its result. A nil event is an empty one.
func (s Stack) Invoke(ctx context.Context, function string, event, result any) error {
	var payload []byte
	if event != nil {
		var err error
		if payload, err = json.Marshal(event); err != nil {
			return err
		}
	}
	name, err := s.Output(strings.ToUpper(function[:1]) + function[1:] + "FunctionName")
	if err != nil {
		return err
	}
	client := lambda.NewFromConfig(s.AWS, func(o *lambda.Options) {
		client := HTTPClient().WithTimeout(invokeTimeout)
		if s.Local {
			client = client.WithTransportOptions(DisableProxy)
		}
		o.HTTPClient, o.Retryer = client, aws.NopRetryer{} // a retry would be a second run
	})
	out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload})
	switch {
	case err != nil:
		return err
	case out.FunctionError != nil:
		return Failuref("see its log: aws logs tail /aws/lambda/"+s.Name+"/"+function+" --since 5m", "the %s failed", function)
	case json.Unmarshal(out.Payload, result) != nil:
		return Failuref("see its log", "the %s ran, and its result cannot be read", function)
	}
	return nil
}

// ChangeTag is the tag in which payoutctl records the last change of a resource
// of AWS, and its reason. CloudTrail keeps every value of the tag, with the
// identity that set it and the time.
const ChangeTag = "payout-callbacks:last-change"

// FormatChange returns a value of ChangeTag: the time, the change and its reason.
// A character that AWS does not allow in a tag becomes a space, and a long text
// is cut.
func FormatChange(now time.Time, change, reason string) string {
	const maxLength = 256 // characters, AWS's limit
	text := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_.:/=+-@", r) {
			return r
		}
		return ' '
	}, now.UTC().Format(time.RFC3339)+" "+change+": "+reason)
	runes := []rune(strings.Join(strings.Fields(text), " "))
	return string(runes[:min(len(runes), maxLength)])
}
