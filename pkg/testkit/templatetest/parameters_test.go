package templatetest_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/lambda/providers"
)

// parameterTable repeats every parameter: type, default and constraints.
var parameterTable = map[string]string{
	"CallbackDomain":             `String ""`,
	"CertificateArn":             `String ""`,
	"CallbackPathToken":          "String \"\", " + tokenConstraint,
	"CallbackPathTokenNext":      "String \"\", " + tokenConstraint,
	"ThrottleRate":               `Number 1000, MinValue 1`,
	"ThrottleBurst":              `Number 2000, MinValue 1`,
	"IngressReservedConcurrency": `Number 0, MinValue 0`,
	"Architecture":               `String "arm64", AllowedValues [arm64 x86_64]`,
	"ConsumerConcurrency":        `Number 5, MaxValue 1000, MinValue 2`,
	"SweepLimit":                 `Number 1000, MaxValue 10000, MinValue 1`,
	"EgressSubnetIds":            `String "", AllowedPattern ^(subnet-[0-9a-f]{8,17}(,subnet-[0-9a-f]{8,17})*)?$, ConstraintDescription Empty, or ids of subnets, separated by commas.`,
	"EgressSecurityGroupIds":     `String "", AllowedPattern ^(sg-[0-9a-f]{8,17}(,sg-[0-9a-f]{8,17})*)?$, ConstraintDescription Empty, or ids of security groups, separated by commas.`,
	"CregisKnownFields":          `String "", AllowedPattern ^([A-Za-z][0-9A-Za-z_-]{0,39}(,[A-Za-z][0-9A-Za-z_-]{0,39})*)?$, MaxLength 512`,
	"ReferencePattern":           `String "[ -~]{1,128}", AllowedPattern ^[ -~]+$, MaxLength 256, MinLength 1`,
	"LogRetentionDays":           `Number 30, AllowedValues [1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 3653]`,
	"AlarmEmail":                 `String ""`,
	"CanaryDeployment":           `String "false", AllowedValues [true false]`,
	"ProtectTables":              `String "true", AllowedValues [true false]`,
	"OnEmulator":                 `String "false", AllowedValues [true false]`,
}

const tokenConstraint = `AllowedPattern ([A-Za-z0-9_-]{22,64})?, ConstraintDescription Empty, or 22 to 64 letters, digits, hyphens and underscores.`

func TestParameters_MatchTable(t *testing.T) {
	got := map[string]string{}
	for name, parameter := range loadDocument(t)["Parameters"].(map[string]any) {
		rest := maps.Clone(parameter.(map[string]any))
		parts := []string{fmt.Sprintf("%v %#v", rest["Type"], rest["Default"])}
		if number, ok := rest["Default"].(uint64); ok {
			parts[0] = fmt.Sprintf("%v %d", rest["Type"], number)
		}
		for _, key := range slices.Sorted(maps.Keys(rest)) {
			if key != "Type" && key != "Default" && key != "Description" {
				parts = append(parts, fmt.Sprintf("%s %v", key, rest[key]))
			}
		}
		got[name] = strings.Join(parts, ", ")
	}
	want := maps.Clone(parameterTable)
	maps.Copy(want, expectProviders(func(s shape) map[string]string { return s.parameters }))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parameterTable is -, template.yaml is +:\n%s", diff)
	}
}

type conditionRow struct {
	isDefault bool
	parameter string
	value     any
}

// conditionTable lists the default of each condition, and a value of a parameter
// that changes it. Each provider has one more.
var conditionTable = map[string]conditionRow{
	"HasDomain":           {false, "CallbackDomain", "payments.example.com"},
	"KnowsMoreFields":     {false, "CregisKnownFields", "sub_status"},
	"AcceptsPlainUrls":    {true, "", nil}, // urlSettings
	"HasPathToken":        {false, "CallbackPathToken", firstToken},
	"HasPathTokenNext":    {false, "CallbackPathTokenNext", secondToken},
	"HasAlarmEmail":       {false, "AlarmEmail", "oncall@example.com"},
	"ReservesConcurrency": {false, "IngressReservedConcurrency", 1},
	"HasEgressSubnets":    {false, "EgressSubnetIds", "subnet-0123abcd"},
	"OnAWS":               {true, "OnEmulator", "true"},
}

func TestConditions_MatchTable(t *testing.T) {
	template := loadDocument(t)
	table := maps.Clone(conditionTable)
	for _, provider := range providers.All() {
		table["Expects"+provider.Prefix()] = conditionRow{false, provider.Prefix() + "SilenceHours", 1}
	}
	names := slices.Sorted(maps.Keys(template["Conditions"].(map[string]any)))
	if want := slices.Sorted(maps.Keys(table)); !slices.Equal(names, want) {
		t.Fatalf("template.yaml has the conditions %v, the table %v", names, want)
	}
	const group = "sg-0123abcd" // subnets need a security group
	for name, row := range table {
		if template.isTrue(name, template.parameterValues(map[string]any{"EgressSecurityGroupIds": group})) != row.isDefault {
			t.Errorf("%s is %v by default", name, !row.isDefault)
		}
		values := map[string]any{"EgressSecurityGroupIds": group, row.parameter: row.value}
		if row.parameter != "" && template.isTrue(name, template.parameterValues(values)) == row.isDefault {
			t.Errorf("with %s %v, %s stays %v", row.parameter, row.value, name, row.isDefault)
		}
	}
}

// ruleTable repeats the rules: CloudFormation rejects a value of the first parameter
// without a value of the second before it creates resources.
var ruleTable = map[string][2]string{
	"DomainNeedsCertificate":    {"CallbackDomain", "CertificateArn"},
	"SubnetsNeedSecurityGroups": {"EgressSubnetIds", "EgressSecurityGroupIds"},
}

func TestRules_MatchTable(t *testing.T) {
	template := loadDocument(t)
	want := map[string]any{}
	for name, parameters := range ruleTable {
		want[name] = parseYAML(t, fmt.Sprintf(`
RuleCondition: !Not [!Equals [!Ref %s, ""]]
Assertions: [{Assert: !Not [!Equals [!Ref %s, ""]], AssertDescription: %s requires %s.}]
`, parameters[0], parameters[1], parameters[0], parameters[1]))
	}
	if diff := cmp.Diff(want, template["Rules"]); diff != "" {
		t.Errorf("ruleTable is -, template.yaml is +:\n%s", diff)
	}
	if template["Transform"] != "AWS::Serverless-2016-10-31" || template["AWSTemplateFormatVersion"] != "2010-09-09" {
		t.Errorf("Transform is %v, AWSTemplateFormatVersion is %v", template["Transform"], template["AWSTemplateFormatVersion"])
	}
}

// outputTable repeats the outputs other than callback URLs, with their conditions.
var outputTable = map[string]string{
	"AccountsTableName":      "${AccountsTable}",
	"ReceiptsTableName":      "${ReceiptsTable}",
	"PayoutsTableName":       "${PayoutsTable}",
	"PayoutsStreamArn":       "${PayoutsTable.StreamArn}",
	"EventsQueueUrl":         "${EventsQueue}",
	"DeadLetterQueueUrl":     "${DeadLetterQueue}",
	"ConsumerFunctionName":   "${ConsumerFunction}",
	"SweeperFunctionName":    "${SweeperFunction}",
	"PublisherFunctionName":  "${PublisherFunction}",
	"PublisherMappingId":     "${PayoutsToPublisher}",
	"PayoutBusName":          "${PayoutBus}",
	"ExpectedFunctionName":   "${ExpectedFunction}",
	"ReconcilerFunctionName": "${ReconcilerFunction}",
	"ReconcilerScheduleName": "${ReconcilerFunctionEveryMinute}",
	"ExpectedPayoutsArn":     "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${CallbackApi}/$default/POST/expected-payouts",
	"ConsumerMappingId":      "${EventsToConsumer}",
	"SweeperScheduleName":    "${SweeperFunctionEveryMinute}",
	"AccessLogGroupName":     "${AccessLogGroup}",
	"AlarmTopicArn":          "${AlarmTopic}",
	"DashboardName":          "${Dashboard}",
	"CregisKnownFields":      "${CregisKnownFields} if KnowsMoreFields",
	"ReferencePattern":       "${ReferencePattern}",
	"CallbackDomainTarget":   "${CallbackDomainName.RegionalDomainName} if HasDomain",
}

// Every callback URL is different, and is the route of its provider and type at the
// API's endpoint or at the custom domain.
func TestOutputs_MatchTableAndRoutes(t *testing.T) {
	template := loadDocument(t)
	for base, parameters := range map[string]map[string]any{
		"${CallbackApi.ApiEndpoint}":   template.parameterValues(map[string]any{"CallbackPathTokenNext": secondToken, "CregisQueries": "open"}),
		"https://payments.example.com": template.parameterValues(map[string]any{"CallbackPathTokenNext": secondToken, "CregisQueries": "open", "CallbackDomain": "payments.example.com"}),
	} {
		want := map[string]string{}
		table := maps.Clone(outputTable)
		maps.Copy(table, expectProviders(func(s shape) map[string]string { return s.outputs }))
		for name, text := range table {
			want[name] = fmt.Sprint(template.resolve(map[string]any{"Fn::Sub": text}, parameters))
		}
		next := " if HasPathTokenNext"
		want["ApiUrl"], want["ApiUrlNext"] = base, base+"/"+secondToken+next
		want["ExpectedPayoutsUrl"] = base + "/expected-payouts"
		for _, provider := range providers.All() {
			for _, kind := range provider.Types() {
				name := titleCase(provider.Name()) + titleCase(string(kind)) + "Url"
				path := fmt.Sprintf("/callbacks/%s/%s", provider.Name(), kind)
				want[name], want[name+"Next"] = base+path, base+"/"+secondToken+path+next
			}
		}
		got, names := map[string]string{}, map[string]string{}
		for name, output := range template["Outputs"].(map[string]any) {
			output := output.(map[string]any)
			value := fmt.Sprint(template.resolve(output["Value"], parameters))
			if condition, ok := output["Condition"]; ok {
				value += fmt.Sprintf(" if %v", condition)
			}
			if other, ok := names[value]; ok {
				t.Errorf("%s and %s have the same value %s", name, other, value)
			}
			got[name], names[value] = value, name
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %s parameterTable is -, template.yaml is +:\n%s", base, diff)
		}
	}
}

// With a custom domain, the default endpoint of the API is disabled.
func TestDomain_DisablesDefaultEndpoint(t *testing.T) {
	template := loadDocument(t)
	for domain, want := range map[string]bool{"": false, "payments.example.com": true} {
		parameters := template.parameterValues(map[string]any{"CallbackDomain": domain, "CertificateArn": "arn"})
		api := template.resources("AWS::ApiGatewayV2::Api", parameters)["CallbackApi"]
		if api["DisableExecuteApiEndpoint"] != want {
			t.Errorf("with the domain %q: DisableExecuteApiEndpoint is %v", domain, api["DisableExecuteApiEndpoint"])
		}
		name := template.resources("AWS::ApiGatewayV2::DomainName", parameters)["CallbackDomainName"]
		if name["DomainName"] != domain || template.isTrue("HasDomain", parameters) != want {
			t.Errorf("with the domain %q: the domain name is %v", domain, name["DomainName"])
		}
	}
}
