package templatetest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

func TestFailuresAreReportedOneByOne(t *testing.T) {
	template := templatetest.Load(t)
	for _, name := range []string{"EventsToConsumer", "PayoutsToPublisher"} {
		types := property[[]any](t, template, name, "FunctionResponseTypes")
		if !slices.Contains(types, any("ReportBatchItemFailures")) {
			t.Errorf("%s answers for whole batches", name)
		}
	}
}

// A notice that was not published in time is lost but for payoutctl publish: the
// stream is read from its beginning, and nothing in it is given up on.
func TestThePublisherGivesNothingUp(t *testing.T) {
	mapping := templatetest.Load(t).Resources["PayoutsToPublisher"].Properties
	for name, want := range map[string]any{
		"StartingPosition": "TRIM_HORIZON", "BisectBatchOnFunctionError": true,
	} {
		if mapping[name] != want {
			t.Errorf("%s: %v (%[2]T), want %v", name, mapping[name], want)
		}
	}
	if view := property[map[string]any](t, templatetest.Load(t), "PayoutsTable", "StreamSpecification"); view["StreamViewType"] != "NEW_AND_OLD_IMAGES" {
		t.Errorf("the stream has %v, and a change needs both images", view)
	}
}

func TestMoneyIsKeptWhateverHappensToTheStack(t *testing.T) {
	template := templatetest.Load(t)
	for _, table := range []string{"ReceiptsTable", "PayoutsTable"} {
		resource := template.Resources[table]
		if resource.DeletionPolicy != "RetainExceptOnCreate" || resource.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s: %s, %s", table, resource.DeletionPolicy, resource.UpdateReplacePolicy)
		}
		for name, want := range map[string]any{
			"DeletionProtectionEnabled":        "ProtectTables",
			"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
			"SSESpecification":                 map[string]any{"SSEEnabled": true},
		} {
			if diff := cmp.Diff(want, resource.Properties[name]); diff != "" {
				t.Errorf("%s: %s:\n%s", table, name, diff)
			}
		}
	}
	if template.Parameters["ProtectTables"]["Default"] != "true" {
		t.Error("who says nothing has tables that anybody may delete")
	}
}

func TestEveryQueueIsEncryptedAtRestAndOnItsWay(t *testing.T) {
	template := templatetest.Load(t)
	encrypted := map[string]bool{}
	for _, resource := range template.Resources {
		if resource.Type != "AWS::SQS::QueuePolicy" {
			continue
		}
		for _, one := range resource.Properties["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			statement := one.(map[string]any)
			queue := resource.Properties["Queues"].([]any)[0].(string)
			want := map[string]any{
				"Sid": "TLSOnly", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": queue + ".Arn",
				"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
			}
			encrypted[queue] = cmp.Equal(want, statement)
		}
	}
	for name, resource := range template.Resources {
		if resource.Type == "AWS::SQS::Queue" && (!encrypted[name] || resource.Properties["SqsManagedSseEnabled"] != true) {
			t.Errorf("%s: TLS only %v, encrypted at rest %v", name, encrypted[name], resource.Properties["SqsManagedSseEnabled"])
		}
	}
}

func TestEveryFunctionHasItsLogGroupAndNoLogIsKeptForEver(t *testing.T) {
	template := templatetest.Load(t)
	for name, resource := range template.Resources {
		switch resource.Type {
		case "AWS::Serverless::Function":
			group := property[map[string]any](t, template, name, "LoggingConfig")["LogGroup"].(string)
			if template.Resources[group].Type != "AWS::Logs::LogGroup" {
				t.Errorf("%s logs to %s, which is no group of the template", name, group)
			}
		case "AWS::Logs::LogGroup":
			if resource.Properties["RetentionInDays"] != "LogRetentionDays" {
				t.Errorf("%s is kept %v", name, resource.Properties["RetentionInDays"])
			}
		}
	}
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

// An !If there is ignored: SAM then deploys by canary whatever the parameter says.
func TestTheCanaryIsAParameter(t *testing.T) {
	template := templatetest.Load(t)
	globals := template.Globals["Function"].(map[string]any)
	preference := globals["DeploymentPreference"].(map[string]any)
	if preference["Enabled"] != "CanaryDeployment" || globals["AutoPublishAlias"] != "live" {
		t.Errorf("got %v, %v", preference, globals["AutoPublishAlias"])
	}
	for _, alarm := range preference["Alarms"].([]any) {
		if template.Resources[alarm.(string)].Type != "AWS::CloudWatch::Alarm" {
			t.Errorf("%v is no alarm", alarm)
		}
	}
}

// What calls a function by its name gets the newest code at once, past the canary. The gateway spells the alias as an
// ARN, because `sam local start-api` answers 502 on every route to a reference; it then has to wait for the alias.
func TestEverythingCallsTheAlias(t *testing.T) {
	template := templatetest.Load(t)
	for name, resource := range template.Resources {
		switch resource.Type {
		case "AWS::ApiGatewayV2::Integration":
			called := property[string](t, template, name, "IntegrationUri")
			function, isAlias := strings.CutSuffix(strings.TrimPrefix(called, "${"), ".Arn}:live")
			if !isAlias || template.Resources[function].Type != "AWS::Serverless::Function" {
				t.Errorf("%s calls %s", name, called)
			}
			if want := function + "Aliaslive"; resource.DependsOn != want {
				t.Errorf("%s depends on %q, want %s", name, resource.DependsOn, want)
			}
		case "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission":
			if called := property[string](t, template, name, "FunctionName"); !strings.HasSuffix(called, "Function.Alias") {
				t.Errorf("%s calls %s", name, called)
			}
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
