package templatetest_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/lambda/providers"
)

// environmentTable repeats the value of each environment variable.
var environmentTable = map[string]string{
	"RECEIPTS_TABLE":        "${ReceiptsTable}",
	"PAYOUTS_TABLE":         "${PayoutsTable}",
	"EVENTS_QUEUE_URL":      "${EventsQueue}",
	"DEAD_LETTER_QUEUE_URL": "${DeadLetterQueue}",
	"PAYOUT_BUS_NAME":       "${PayoutBus}",
	"KEYS_SECRET_PREFIX":    "${AWS::StackName}/keys/", // the provider's name follows
	"METRICS_NAMESPACE":     ourNamespace,
	"SWEEP_LIMIT":           "${SweepLimit}",
	"ACCOUNTS_TABLE":        "${AccountsTable}",
	"API_SECRET_PREFIX":     "${AWS::StackName}/api/", // the provider's name follows
	"RECONCILE_LIMIT":       "500",
	"CREGIS_KNOWN_FIELDS":   "${CregisKnownFields}",
	"REFERENCE_PATTERN":     "${ReferencePattern}",
	"AWS_NEW_RETRIES_2026":  "true",
	"AWS_ENDPOINT_URL":      "${AWS::NoValue}", // no value; sam local passes variables that the template names
}

func TestVariables_MatchTable(t *testing.T) {
	template := loadDocument(t)
	environments := map[string]any{"Globals": template["Globals"].(map[string]any)["Function"].(map[string]any)["Environment"]}
	for id, properties := range template.resources("AWS::Serverless::Function", nil) {
		environments[id] = properties["Environment"]
	}
	table := maps.Clone(environmentTable)
	maps.Copy(table, expectProviders(func(s shape) map[string]string { return s.variables }))
	seen := map[string]bool{}
	for id, environment := range environments {
		if environment == nil {
			continue
		}
		variables := environment.(map[string]any)["Variables"]
		if id == "Globals" {
			variables = template.resolve(variables, nil)
		}
		for name, value := range variables.(map[string]any) {
			if seen[name] = true; value != table[name] {
				t.Errorf("%s: %s is %v, want %s", id, name, value, table[name])
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(table)); !slices.Equal(got, want) {
		t.Errorf("template.yaml has the variables %v, the table has %v", got, want)
	}
}

// globals are the settings of every function. Other tests check variables and numbers.
const globals = `
Runtime: provided.al2023
Handler: bootstrap
Architectures: [!Ref Architecture]
Tracing: Active
LoggingConfig: {LogFormat: JSON, SystemLogLevel: WARN}
AutoPublishAlias: live
AutoPublishAliasAllProperties: true
DeploymentPreference: # not an !If: SAM ignores it and enables the canary regardless of the parameter
  Enabled: !Ref CanaryDeployment
  Type: Canary10Percent5Minutes
`

func TestGlobals_MatchExpected(t *testing.T) {
	template := loadDocument(t)
	got := template.resolve(template["Globals"].(map[string]any)["Function"], nil).(map[string]any)
	preference := got["DeploymentPreference"].(map[string]any)
	rollbackAlarms := []any{"${ServerErrorsAlarm}", "${HighLatencyAlarm}", "${OldestUnappliedAlarm}", "${DeadLettersAlarm}"}
	for _, provider := range providers.All() { // raised by a version that refuses genuine callbacks
		rollbackAlarms = append(rollbackAlarms, fmt.Sprintf("${%sRefusedAlarm}", titleCase(provider.Name())))
	}
	alarms := preference["Alarms"].([]any)
	if diff := cmp.Diff(sortedStrings(rollbackAlarms), sortedStrings(alarms)); diff != "" {
		t.Errorf("rollback alarms are -, template.yaml has +:\n%s", diff)
	}
	if len(alarms) > 10 {
		t.Errorf("%d rollback alarms, CodeDeploy accepts 10", len(alarms))
	}
	delete(preference, "Alarms")
	if diff := cmp.Diff(template.resolve(parseYAML(t, globals), nil), withoutTestedElsewhere(got)); diff != "" {
		t.Errorf("globals are -, template.yaml has +:\n%s", diff)
	}
}

func sortedStrings(list []any) []string {
	var texts []string
	for _, element := range list {
		texts = append(texts, fmt.Sprint(element))
	}
	slices.Sort(texts)
	return texts
}
