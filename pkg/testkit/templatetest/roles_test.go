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

	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/testkit/templatetest"
)

// permissions maps each allowed action of a role to its resources, sorted.
type permissions map[string]string

// withCommonPermissions adds what every function may do: write to its own log group,
// and send traces, which the template enables for all functions.
func withCommonPermissions(logGroup string, own permissions) permissions {
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

// expectedPermissions repeats what each role allows, so that extending a role takes
// two changes.
func expectedPermissions() map[string]permissions {
	var credentials []string
	expected := map[string]permissions{
		"ConsumerRole": withCommonPermissions("ConsumerLogGroup", permissions{
			"dynamodb:GetItem":            "PayoutsTable.Arn",
			"dynamodb:PutItem":            "PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:UpdateItem":         "ReceiptsTable.Arn",
			"sqs:ReceiveMessage":          "EventsQueue.Arn",
			"sqs:DeleteMessage":           "EventsQueue.Arn",
			"sqs:GetQueueAttributes":      "EventsQueue.Arn",
			"sqs:ChangeMessageVisibility": "EventsQueue.Arn",
		}),
		"SweeperRole": withCommonPermissions("SweeperLogGroup", permissions{
			"dynamodb:Query": "${ReceiptsTable.Arn}/index/claimed ${ReceiptsTable.Arn}/index/unapplied",
			// Payouts, because the sweeper applies a receipt whose message the queue rejects.
			"dynamodb:GetItem":            "PayoutsTable.Arn",
			"dynamodb:PutItem":            "PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:UpdateItem":         "ReceiptsTable.Arn",
			"sqs:SendMessage":             "EventsQueue.Arn",
			"sqs:GetQueueAttributes":      "DeadLetterQueue.Arn EventsQueue.Arn",
			"sqs:ReceiveMessage":          "DeadLetterQueue.Arn",
			"sqs:DeleteMessage":           "DeadLetterQueue.Arn",
			"sqs:ChangeMessageVisibility": "DeadLetterQueue.Arn",
		}),
		"ExpectedRole": withCommonPermissions("ExpectedLogGroup", permissions{
			"dynamodb:GetItem":    "PayoutsTable.Arn",
			"dynamodb:PutItem":    "PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:UpdateItem": "ReceiptsTable.Arn",
			"dynamodb:Query":      "${PayoutsTable.Arn}/index/reference",
		}),
		"ReconcilerRole": withCommonPermissions("ReconcilerLogGroup", permissions{
			"dynamodb:Query":      "${PayoutsTable.Arn}/index/queries ${PayoutsTable.Arn}/index/reference ${ReceiptsTable.Arn}/index/unapplied",
			"dynamodb:GetItem":    "PayoutsTable.Arn",
			"dynamodb:PutItem":    "PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:UpdateItem": "AccountsTable.Arn PayoutsTable.Arn ReceiptsTable.Arn",
			"dynamodb:Scan":       "AccountsTable.Arn",
			"sqs:SendMessage":     "EventsQueue.Arn",

			"ec2:CreateNetworkInterface":     "* if HasEgressSubnets",
			"ec2:DescribeNetworkInterfaces":  "* if HasEgressSubnets",
			"ec2:DescribeSubnets":            "* if HasEgressSubnets",
			"ec2:DeleteNetworkInterface":     "* if HasEgressSubnets",
			"ec2:AssignPrivateIpAddresses":   "* if HasEgressSubnets",
			"ec2:UnassignPrivateIpAddresses": "* if HasEgressSubnets",
		}),
		"PublisherRole": withCommonPermissions("PublisherLogGroup", permissions{
			"dynamodb:DescribeStream":   "PayoutsTable.StreamArn",
			"dynamodb:GetRecords":       "PayoutsTable.StreamArn",
			"dynamodb:GetShardIterator": "PayoutsTable.StreamArn",
			"dynamodb:ListStreams":      "${PayoutsTable.Arn}/stream/*",
			"events:PutEvents":          "PayoutBus.Arn",
		}),
	}
	for _, provider := range providers.All() {
		name := provider.Prefix()
		expected[name+"Role"] = withCommonPermissions(name+"LogGroup", permissions{
			"dynamodb:PutItem":              "ReceiptsTable.Arn",
			"sqs:SendMessage":               "EventsQueue.Arn",
			"secretsmanager:GetSecretValue": name + "Keys.Id", // of this provider only
		})
		if provider.Queries != nil {
			credentials = append(credentials, name+"Api.Id")
		}
	}
	slices.Sort(credentials)
	expected["ReconcilerRole"]["secretsmanager:GetSecretValue"] = strings.Join(credentials, " ")
	return expected
}

// I10: each role of the template allows exactly the expected permissions.
func TestFunctionRoles_MatchExpected(t *testing.T) {
	got := map[string]permissions{}
	for name, resource := range templatetest.Load(t).Resources {
		if resource.Type == "AWS::IAM::Role" {
			got[name] = readPermissions(t, name, resource.Properties)
		}
	}
	if diff := cmp.Diff(expectedPermissions(), got); diff != "" {
		t.Errorf("roles (-expected +template):\n%s", diff)
	}
}

// SAM creates a role for a function without one, and adds managed policies that
// allow writing to every log group of the account.
func TestFunctions_HaveOwnRole(t *testing.T) {
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
				t.Errorf("%s sets %s: %v", name, cause, resource.Properties[cause])
			}
		}
	}
	globals := template.Globals["Function"].(map[string]any)
	if globals["Tracing"] != "Active" {
		t.Errorf("tracing is %v, but the roles allow X-Ray actions", globals["Tracing"])
	}
	if globals["Policies"] != nil || globals["Role"] != nil {
		t.Error("Globals set a role or policies")
	}
}

// I10, after SAM's transform: SAM adds the roles of the schedules and of the canary
// deployment, and does not extend the roles of the functions.
func TestTransformedTemplate_RolesMatchExpected(t *testing.T) {
	want := expectedPermissions()
	for _, function := range []string{"SweeperFunction", "ReconcilerFunction"} {
		want[function+"EveryMinuteRole"] = permissions{
			"sts:AssumeRole by service": "scheduler.amazonaws.com",
			"lambda:InvokeFunction":     function + "Aliaslive",
		}
	}
	want["CodeDeployServiceRole"] = permissions{
		"sts:AssumeRole by service":                                       "codedeploy.amazonaws.com",
		"arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda": "managed policy",
	}
	got := map[string]permissions{}
	for name, resource := range transformTemplate(t, "CanaryDeployment=true") {
		switch {
		case resource.Type == "AWS::IAM::Role":
			got[name] = readPermissions(t, name, resource.Properties)
		case strings.HasPrefix(resource.Type, "AWS::IAM::"):
			t.Errorf("unexpected %s of type %s", name, resource.Type)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("roles (-expected +transformed):\n%s", diff)
	}
}

type transformedResource struct {
	Type       string
	Properties map[string]any
}

// transformTemplate returns the resources of template.yaml after SAM's transform. It
// needs the SAM CLI of `make tools`, which uses the same code as AWS.
func transformTemplate(t *testing.T, parameters ...string) map[string]transformedResource {
	t.Helper()
	root := templatetest.Root(t)
	python := filepath.Join(root, ".local", "venv", "bin", "python")
	if _, err := os.Stat(python); errors.Is(err, os.ErrNotExist) {
		t.Skip("the SAM CLI is not installed; make tools installs it, and make test runs this test")
	}
	template, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("testdata", "transform.py")}, parameters...)...)
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION=us-east-1")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(template), &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("transform template.yaml: %v\n%s", err, &stderr)
	}
	var result struct {
		Resources map[string]transformedResource
	}
	if err := json.Unmarshal(output, &result); err != nil {
		t.Fatal(err)
	}
	return result.Resources
}

// readPermissions returns what a role allows, and which service may assume it. It
// reads both the raw template and the transformed one.
func readPermissions(t *testing.T, name string, role map[string]any) permissions {
	t.Helper()
	resources := map[string][]string{}
	trust := role["AssumeRolePolicyDocument"].(map[string]any)
	for _, statement := range readStatements(trust) {
		principal := statement["Principal"].(map[string]any)
		if len(principal) != 1 || !slices.Equal(textValues(statement["Action"]), []string{"sts:AssumeRole"}) {
			t.Errorf("%s: %v may call %v", name, principal, statement["Action"])
		}
		resources["sts:AssumeRole by service"] = append(resources["sts:AssumeRole by service"], textValues(principal["Service"])...)
	}
	for _, element := range listValue(role["Policies"]) {
		policy, condition := readPolicy(element)
		for _, statement := range readStatements(policy["PolicyDocument"].(map[string]any)) {
			if statement["Effect"] != "Allow" || statement["Action"] == nil || statement["Resource"] == nil {
				t.Errorf("%s: the statement allows no action on a resource: %v", name, statement)
			}
			for _, action := range textValues(statement["Action"]) {
				for _, resource := range textValues(statement["Resource"]) {
					resources[action] = append(resources[action], resource+condition)
				}
			}
		}
	}
	for _, arn := range listValue(role["ManagedPolicyArns"]) {
		resources[textValue(arn)] = []string{"managed policy"}
	}
	joined := permissions{}
	for action, names := range resources {
		slices.Sort(names)
		joined[action] = strings.Join(names, " ")
	}
	return joined
}

// readPolicy returns a policy of a role. Of an Fn::If it returns the policy and the
// condition; the other branch has none.
func readPolicy(element any) (policy map[string]any, condition string) {
	policy, isMapping := element.(map[string]any)
	branches, isList := element.([]any) // as Load reads it
	if isMapping {
		branches, isList = policy["Fn::If"].([]any)
	}
	if !isList {
		return policy, ""
	}
	return branches[1].(map[string]any), fmt.Sprint(" if ", branches[0])
}

func readStatements(document map[string]any) []map[string]any {
	var statements []map[string]any
	for _, statement := range listValue(document["Statement"]) {
		statements = append(statements, statement.(map[string]any))
	}
	return statements
}

// textValues returns a string, or the strings of a list.
func textValues(value any) []string {
	if values, ok := value.([]any); ok {
		var all []string
		for _, value := range values {
			all = append(all, textValue(value))
		}
		return all
	}
	return []string{textValue(value)}
}

// textValue returns a string, or the argument of an intrinsic function: Ref, Sub, GetAtt.
func textValue(value any) string {
	function, ok := value.(map[string]any)
	if !ok {
		return fmt.Sprint(value)
	}
	for _, argument := range function {
		return strings.Join(textValues(argument), ".")
	}
	return ""
}

func listValue(value any) []any {
	values, _ := value.([]any)
	return values
}

// A function that may call a resource needs a variable with the resource's name,
// or its first call fails.
func TestFunctions_HaveVariablesOfCalledResources(t *testing.T) {
	template := templatetest.Load(t)
	called := []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query", "sqs:SendMessage", "events:PutEvents"}
	for name, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		variables := resource.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		named := slices.Collect(maps.Values(variables))
		allowed := readPermissions(t, name, template.Resources[strings.TrimSuffix(name, "Function")+"Role"].Properties)
		for _, action := range called {
			for target := range strings.FieldsSeq(allowed[action]) {
				target, _, _ = strings.Cut(strings.TrimPrefix(target, "${"), ".")
				if !slices.Contains(named, any(target)) {
					t.Errorf("%s may call %s on %s, but no variable has its name", name, action, target)
				}
			}
		}
	}
}

// A plain name is not an ARN, and the role would allow nothing.
func TestRoles_ResourcesAreReferences(t *testing.T) {
	for id, role := range loadDocument(t).resources("AWS::IAM::Role", nil) {
		for _, policy := range role["Policies"].([]any) {
			policy, _ := readPolicy(policy)
			document := policy["PolicyDocument"].(map[string]any)
			if document["Version"] != "2012-10-17" {
				t.Errorf("%s: the version of a policy is %v", id, document["Version"])
			}
			for _, statement := range readStatements(document) {
				if resource := statement["Resource"].(string); resource != "*" && (resource[0] != '$' || resource[2] == '!') {
					t.Errorf("%s: %s is not a resource of the template", id, resource)
				}
			}
		}
	}
}
