package templatetest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/testkit/templatetest"
)

// permissions maps each action that a role allows to its resources, sorted.
type permissions map[string]string

// everyFunction adds what each function's role allows besides: to write its own
// log group and to send traces, which the template switches on for all.
func everyFunction(logGroup string, own permissions) permissions {
	all := permissions{
		"logs:CreateLogStream":      logGroup + ".Arn",
		"logs:PutLogEvents":         logGroup + ".Arn",
		"xray:PutTraceSegments":     "*",
		"xray:PutTelemetryRecords":  "*",
		"sts:AssumeRole by service": "lambda.amazonaws.com",
	}
	maps.Copy(all, own)
	return all
}

// writtenPermissions repeats what each function needs, so that a wider role
// takes two changes.
func writtenPermissions() map[string]permissions {
	ingress := func(keys string) permissions {
		return permissions{
			"dynamodb:PutItem":              "ReceiptsTable.Arn",
			"sqs:SendMessage":               "EventsQueue.Arn",
			"secretsmanager:GetSecretValue": keys,
		}
	}
	return map[string]permissions{
		"CregisRole": everyFunction("CregisLogGroup", ingress("CregisKeys.Id")),
		"PivotRole":  everyFunction("PivotLogGroup", ingress("PivotKeys.Id")),
		"ConsumerRole": everyFunction("ConsumerLogGroup", permissions{
			"dynamodb:PutItem":            "PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:UpdateItem":         "ReceiptsTable.Arn",
			"sqs:ReceiveMessage":          "EventsQueue.Arn",
			"sqs:DeleteMessage":           "EventsQueue.Arn",
			"sqs:GetQueueAttributes":      "EventsQueue.Arn",
			"sqs:ChangeMessageVisibility": "EventsQueue.Arn",
		}),
		"SweeperRole": everyFunction("SweeperLogGroup", permissions{
			"dynamodb:Query": "${ReceiptsTable.Arn}/index/claimed ${ReceiptsTable.Arn}/index/unapplied",
			// The payouts, too: it applies a receipt whose message the queue refuses, as the consumer would.
			"dynamodb:PutItem":            "PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:UpdateItem":         "ReceiptsTable.Arn",
			"sqs:SendMessage":             "EventsQueue.Arn",
			"sqs:GetQueueAttributes":      "DeadLetterQueue.Arn EventsQueue.Arn",
			"sqs:ReceiveMessage":          "DeadLetterQueue.Arn",
			"sqs:DeleteMessage":           "DeadLetterQueue.Arn",
			"sqs:ChangeMessageVisibility": "DeadLetterQueue.Arn",
		}),
		"PublisherRole": everyFunction("PublisherLogGroup", permissions{
			"dynamodb:DescribeStream":   "PayoutsTable.StreamArn",
			"dynamodb:GetRecords":       "PayoutsTable.StreamArn",
			"dynamodb:GetShardIterator": "PayoutsTable.StreamArn",
			"dynamodb:ListStreams":      "${PayoutsTable.Arn}/stream/*",
			"events:PutEvents":          "PayoutBus.Arn",
		}),
	}
}

// I10: each role of the template allows what is written above.
func TestFunctionRoles_AllowTheWrittenListAndNothingMore(t *testing.T) {
	got := map[string]permissions{}
	for name, resource := range templatetest.Load(t).Resources {
		if resource.Type == "AWS::IAM::Role" {
			got[name] = permissionsOf(t, name, resource.Properties)
		}
	}
	if diff := cmp.Diff(writtenPermissions(), got); diff != "" {
		t.Errorf("roles (-written +template):\n%s", diff)
	}
}

// A function without a role, with policies or with a policy event gets one from
// SAM, with managed policies that may write every log group of the account.
func TestFunctions_HaveTheirOwnRole(t *testing.T) {
	template := templatetest.Load(t)
	for name, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		prefix := strings.TrimSuffix(name, "Function")
		if role := resource.Properties["Role"]; role != prefix+"Role.Arn" {
			t.Errorf("%s has the role %v, want %sRole", name, role, prefix)
		}
		group := property[map[string]any](t, template, name, "LoggingConfig")["LogGroup"]
		if group != prefix+"LogGroup" {
			t.Errorf("%s logs to %v, want %sLogGroup", name, group, prefix)
		}
		for _, cause := range []string{"Policies", "PermissionsBoundary", "Tracing"} {
			if resource.Properties[cause] != nil {
				t.Errorf("%s has %s of its own: %v", name, cause, resource.Properties[cause])
			}
		}
	}
	globals := template.Globals["Function"].(map[string]any)
	if globals["Tracing"] != "Active" {
		t.Errorf("tracing is %v: the roles need no X-Ray actions then", globals["Tracing"])
	}
	if globals["Policies"] != nil || globals["Role"] != nil {
		t.Error("a role or policy of all functions")
	}
}

// I10, on what CloudFormation gets: SAM adds the roles of the schedule and of
// the canary deployment, and nothing to those of the functions.
func TestTransformedTemplate_HasTheWrittenRolesAndNoOthers(t *testing.T) {
	want := writtenPermissions()
	want["SweeperFunctionEveryMinuteRole"] = permissions{
		"sts:AssumeRole by service": "scheduler.amazonaws.com",
		"lambda:InvokeFunction":     "SweeperFunctionAliaslive",
	}
	want["CodeDeployServiceRole"] = permissions{
		"sts:AssumeRole by service":                                       "codedeploy.amazonaws.com",
		"arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda": "managed policy",
	}
	got := map[string]permissions{}
	for name, resource := range transformed(t, "CanaryDeployment=true") {
		switch {
		case resource.Type == "AWS::IAM::Role":
			got[name] = permissionsOf(t, name, resource.Properties)
		case strings.HasPrefix(resource.Type, "AWS::IAM::"):
			t.Errorf("%s is an %s beside the roles", name, resource.Type)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("roles (-written +transformed):\n%s", diff)
	}
}

type transformedResource struct {
	Type       string
	Properties map[string]any
}

// transformed returns the resources of template.yaml after SAM's transform. It
// needs the SAM CLI of `make tools`, whose code does the transform at AWS too.
func transformed(t *testing.T, parameters ...string) map[string]transformedResource {
	t.Helper()
	root := templatetest.Root(t)
	python := filepath.Join(root, ".local", "venv", "bin", "python")
	if _, err := os.Stat(python); errors.Is(err, os.ErrNotExist) {
		t.Skip("the SAM CLI is not installed; make tools installs it, and make test runs this")
	}
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("testdata", "transform.py")}, parameters...)...) //nolint:gosec // the module's own
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION=us-east-1")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("transform template.yaml: %v\n%s", err, &stderr)
	}
	var template struct {
		Resources map[string]transformedResource
	}
	if err := json.Unmarshal(output, &template); err != nil {
		t.Fatal(err)
	}
	return template.Resources
}

// permissionsOf lists what a role allows and who assumes it. It reads the raw
// template, whose intrinsic functions are their arguments, and the transformed.
func permissionsOf(t *testing.T, name string, role map[string]any) permissions {
	t.Helper()
	resources := map[string][]string{}
	trust := role["AssumeRolePolicyDocument"].(map[string]any)
	for _, statement := range statementsOf(trust) {
		principal := statement["Principal"].(map[string]any)
		if len(principal) != 1 || !slices.Equal(texts(statement["Action"]), []string{"sts:AssumeRole"}) {
			t.Errorf("%s: trusts %v to %v", name, principal, statement["Action"])
		}
		resources["sts:AssumeRole by service"] = append(resources["sts:AssumeRole by service"], texts(principal["Service"])...)
	}
	for _, policy := range list(role["Policies"]) {
		for _, statement := range statementsOf(policy.(map[string]any)["PolicyDocument"].(map[string]any)) {
			if statement["Effect"] != "Allow" || statement["Action"] == nil || statement["Resource"] == nil {
				t.Errorf("%s: a statement that allows no actions on resources: %v", name, statement)
			}
			for _, action := range texts(statement["Action"]) {
				resources[action] = append(resources[action], texts(statement["Resource"])...)
			}
		}
	}
	for _, arn := range list(role["ManagedPolicyArns"]) {
		resources[text(arn)] = []string{"managed policy"}
	}
	joined := permissions{}
	for action, of := range resources {
		slices.Sort(of)
		joined[action] = strings.Join(of, " ")
	}
	return joined
}

func statementsOf(document map[string]any) []map[string]any {
	var statements []map[string]any
	for _, statement := range list(document["Statement"]) {
		statements = append(statements, statement.(map[string]any))
	}
	return statements
}

// texts reads a text or a list of texts.
func texts(value any) []string {
	if values, ok := value.([]any); ok {
		var all []string
		for _, value := range values {
			all = append(all, text(value))
		}
		return all
	}
	return []string{text(value)}
}

// text reads a text, or the argument of an intrinsic function: Ref, Sub or GetAtt.
func text(value any) string {
	function, ok := value.(map[string]any)
	if !ok {
		return fmt.Sprint(value)
	}
	for _, argument := range function {
		return strings.Join(texts(argument), ".")
	}
	return ""
}

func list(value any) []any {
	values, _ := value.([]any)
	return values
}

// The role of a function and its variables are changed in two places: a function
// that may write to a resource and has no name of it fails at the first use.
func TestFunctions_HaveAVariableForEachResourceTheyCall(t *testing.T) {
	template := templatetest.Load(t)
	called := []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", "sqs:SendMessage", "events:PutEvents"}
	for name, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		variables := resource.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		named := slices.Collect(maps.Values(variables))
		allowed := permissionsOf(t, name, template.Resources[strings.TrimSuffix(name, "Function")+"Role"].Properties)
		for _, action := range called {
			for _, target := range strings.Fields(allowed[action]) {
				target, _, _ = strings.Cut(strings.TrimPrefix(target, "${"), ".")
				if !slices.Contains(named, any(target)) {
					t.Errorf("%s may %s on %s and has no variable that names it", name, action, target)
				}
			}
		}
	}
}

// A name without a reference is no ARN: the role allows nothing then.
func TestRoles_ReferToTheirResources(t *testing.T) {
	for id, role := range loadDocument(t).resources("AWS::IAM::Role", nil) {
		for _, policy := range role["Policies"].([]any) {
			document := policy.(map[string]any)["PolicyDocument"].(map[string]any)
			if document["Version"] != "2012-10-17" {
				t.Errorf("%s: a policy of version %v", id, document["Version"])
			}
			for _, statement := range statementsOf(document) {
				if resource := statement["Resource"].(string); resource != "*" && (resource[0] != '$' || resource[2] == '!') {
					t.Errorf("%s: %s is no resource of the template", id, resource)
				}
			}
		}
	}
}
