package templatetest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// I9: who called and what we answered; nothing that the caller wrote. HTTP APIs
// have no variable for a body, but they have some for headers and queries.
func TestTheAccessLogHoldsNothingOfTheCallback(t *testing.T) {
	format := property[map[string]any](t, templatetest.Load(t), "CallbackStage", "AccessLogSettings")["Format"].(string)
	var fields map[string]string
	if err := json.Unmarshal([]byte(format), &fields); err != nil {
		t.Fatalf("a line is no JSON: %v", err)
	}
	want := map[string]string{
		"requestId": "$context.requestId", "time": "$context.requestTime", "routeKey": "$context.routeKey", "status": "$context.status",
		"sourceIp": "$context.identity.sourceIp", "latency": "$context.responseLatency", "integrationStatus": "$context.integration.status",
		"integrationRequestId": "$context.integration.requestId", "error": "$context.error.message", "integrationError": "$context.integration.error",
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
}

// I10: no function may do what it does not need. What each needs is written
// here a second time, so that widening it takes two hands.
func TestEachFunctionMayDoWhatItMustAndNothingMore(t *testing.T) {
	ingress := func(keys string) map[string]string {
		return map[string]string{
			"dynamodb:PutItem":              "ReceiptsTable.Arn",
			"sqs:SendMessage":               "EventsQueue.Arn",
			"secretsmanager:GetSecretValue": keys,
		}
	}
	want := map[string]map[string]string{
		"CregisFunction": ingress("CregisKeys.Id"),
		"PivotFunction":  ingress("PivotKeys.Id"),
		"ConsumerFunction": {
			"dynamodb:PutItem":            "PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:UpdateItem":         "ReceiptsTable.Arn",
			"sqs:ReceiveMessage":          "EventsQueue.Arn",
			"sqs:DeleteMessage":           "EventsQueue.Arn",
			"sqs:GetQueueAttributes":      "EventsQueue.Arn",
			"sqs:ChangeMessageVisibility": "EventsQueue.Arn",
		},
		"SweeperFunction": {
			"dynamodb:Query": "${ReceiptsTable.Arn}/index/unapplied",
			// The payouts, too: it applies a receipt whose message the queue refuses, as the consumer would.
			"dynamodb:PutItem":            "PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:UpdateItem":         "ReceiptsTable.Arn",
			"sqs:SendMessage":             "EventsQueue.Arn",
			"sqs:GetQueueAttributes":      "DeadLetterQueue.Arn EventsQueue.Arn",
			"sqs:ReceiveMessage":          "DeadLetterQueue.Arn",
			"sqs:DeleteMessage":           "DeadLetterQueue.Arn",
			"sqs:ChangeMessageVisibility": "DeadLetterQueue.Arn",
		},
		"PublisherFunction": {
			"dynamodb:DescribeStream":   "PayoutsTable.StreamArn",
			"dynamodb:GetRecords":       "PayoutsTable.StreamArn",
			"dynamodb:GetShardIterator": "PayoutsTable.StreamArn",
			"dynamodb:ListStreams":      "${PayoutsTable.Arn}/stream/*",
			"events:PutEvents":          "PayoutBus.Arn",
		},
	}
	got := map[string]map[string]string{}
	template := templatetest.Load(t)
	for name, resource := range template.Resources {
		if resource.Type == "AWS::Serverless::Function" {
			got[name] = allowed(property[[]any](t, template, name, "Policies"))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what each must, and may:\n%s", diff)
	}
}

// allowed lists the resources, sorted, of each action that policies allow.
func allowed(policies []any) map[string]string {
	resources := map[string][]string{}
	for _, policy := range policies {
		for _, one := range policy.(map[string]any)["Statement"].([]any) {
			statement := one.(map[string]any)
			for _, action := range actions(statement) {
				resources[action] = append(resources[action], statement["Resource"].(string))
			}
		}
	}
	joined := map[string]string{}
	for action, of := range resources {
		slices.Sort(of)
		joined[action] = strings.Join(of, " ")
	}
	return joined
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
