package templatetest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/app"
	"payout-callbacks/pkg/templatetest"
)

// What neither cfn-lint nor `sam validate` sees.

func property[T any](t *testing.T, template templatetest.Template, resource, name string) T {
	t.Helper()
	value, ok := template.Resources[resource].Properties[name].(T)
	if !ok {
		t.Fatalf("%s has no %s of that kind: %v", resource, name, template.Resources[resource].Properties[name])
	}
	return value
}

func TestAMessageStaysOutOfSightForSixConsumerTimeouts(t *testing.T) {
	template := templatetest.Load(t)
	timeout := property[uint64](t, template, "ConsumerFunction", "Timeout")
	visibility := property[uint64](t, template, "EventsQueue", "VisibilityTimeout")
	if visibility < 6*timeout {
		t.Errorf("visibility is %d s, the consumer's timeout %d s", visibility, timeout)
	}
}

func TestTheConsumerHasTheLeastConcurrencyThatLambdaTakes(t *testing.T) {
	parameter := templatetest.Load(t).Parameters["ConsumerConcurrency"]
	if parameter["MinValue"] != uint64(2) || parameter["Default"] != uint64(5) {
		t.Errorf("got %v, want 5, and at least 2", parameter)
	}
}

func TestFailedMessagesAreReportedOneByOne(t *testing.T) {
	template := templatetest.Load(t)
	for name, resource := range template.Resources {
		if resource.Type != "AWS::Lambda::EventSourceMapping" {
			continue
		}
		types := property[[]any](t, template, name, "FunctionResponseTypes")
		if !slices.Contains(types, any("ReportBatchItemFailures")) {
			t.Errorf("%s answers for whole batches", name)
		}
		return
	}
	t.Error("nothing feeds the consumer")
}

func TestMoneyIsKeptWhenTheStackIsDeleted(t *testing.T) {
	template := templatetest.Load(t)
	for _, table := range []string{"ReceiptsTable", "PayoutsTable"} {
		resource := template.Resources[table]
		if resource.DeletionPolicy != "RetainExceptOnCreate" || resource.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s: %s, %s", table, resource.DeletionPolicy, resource.UpdateReplacePolicy)
		}
	}
}

// SAM names a schedule after its event, the same in every stack, and names are
// unique in an account.
func TestTwoStacksFitIntoOneAccount(t *testing.T) {
	events := property[map[string]any](t, templatetest.Load(t), "SweeperFunction", "Events")
	for name, event := range events {
		schedule := event.(map[string]any)["Properties"].(map[string]any)
		if schedule["OmitName"] != true || schedule["Name"] != nil {
			t.Errorf("%s has a name of its own: %v", name, schedule)
		}
	}
}

func TestEveryProvidersTypesHaveARoute(t *testing.T) {
	var routes []string
	for _, resource := range templatetest.Load(t).Resources {
		if resource.Type == "AWS::ApiGatewayV2::Route" {
			routes = append(routes, resource.Properties["RouteKey"].(string))
		}
	}
	var want []string
	for _, provider := range app.Providers() {
		for _, kind := range provider.Types() {
			want = append(want, fmt.Sprintf("POST /callbacks/%s/%s", provider.Name(), kind))
		}
	}
	slices.Sort(routes)
	slices.Sort(want)
	if !slices.Equal(routes, want) {
		t.Errorf("routes:\n%s\nwant:\n%s", strings.Join(routes, "\n"), strings.Join(want, "\n"))
	}
}

// I10: no function may do what it does not need. What each needs is written
// here a second time, so that widening it takes two hands.
func TestEachFunctionMayDoWhatItMustAndNothingMore(t *testing.T) {
	template := templatetest.Load(t)
	for function, want := range map[string][]string{
		"CregisFunction":   {"dynamodb:PutItem", "secretsmanager:GetSecretValue", "sqs:SendMessage"},
		"PivotFunction":    {"dynamodb:PutItem", "secretsmanager:GetSecretValue", "sqs:SendMessage"},
		"ConsumerFunction": {"dynamodb:PutItem", "dynamodb:UpdateItem", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
		"SweeperFunction":  {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"},
	} {
		var got []string
		for _, policy := range property[[]any](t, template, function, "Policies") {
			for _, statement := range policy.(map[string]any)["Statement"].([]any) {
				got = append(got, actions(statement.(map[string]any))...)
			}
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%s may %v, must %v", function, got, want)
		}
	}
}

func actions(statement map[string]any) []string {
	switch action := statement["Action"].(type) {
	case string:
		return []string{action}
	case []any:
		var all []string
		for _, one := range action {
			all = append(all, one.(string))
		}
		return all
	}
	return []string{"anything"}
}
