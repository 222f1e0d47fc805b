package templatetest_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/lambda/functions"
)

// environmentTable states what each variable of a function is.
var environmentTable = map[string]string{
	"RECEIPTS_TABLE":        "${ReceiptsTable}",
	"PAYOUTS_TABLE":         "${PayoutsTable}",
	"EVENTS_QUEUE_URL":      "${EventsQueue}",
	"DEAD_LETTER_QUEUE_URL": "${DeadLetterQueue}",
	"PAYOUT_BUS_NAME":       "${PayoutBus}",
	"KEYS_SECRET_PREFIX":    "${AWS::StackName}/keys/", // before the name of ofProvider's keys
	"METRICS_NAMESPACE":     ourNamespace,
	"SWEEP_LIMIT":           "${SweepLimit}",
	"CREGIS_KNOWN_FIELDS":   "${CregisKnownFields}",
	"REFERENCE_PATTERN":     "${ReferencePattern}",
	"AWS_NEW_RETRIES_2026":  "true",
	"AWS_ENDPOINT_URL":      "${AWS::NoValue}", // sets nothing; sam local passes on what is named
}

func TestVariables_AreThoseStated(t *testing.T) {
	template := loadDocument(t)
	environments := map[string]any{"Globals": template["Globals"].(map[string]any)["Function"].(map[string]any)["Environment"]}
	for id, properties := range template.resources("AWS::Serverless::Function", nil) {
		environments[id] = properties["Environment"]
	}
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
			if seen[name] = true; value != environmentTable[name] {
				t.Errorf("%s: %s is %v, want %s", id, name, value, environmentTable[name])
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(environmentTable)); !slices.Equal(got, want) {
		t.Errorf("template.yaml sets %v, the table has %v", got, want)
	}
}

// Globals hold for every function. Variables and numbers stand elsewhere.
const globals = `
Runtime: provided.al2023
Handler: bootstrap
Architectures: [!Ref Architecture]
Tracing: Active
LoggingConfig: {LogFormat: JSON, SystemLogLevel: WARN}
AutoPublishAlias: live
AutoPublishAliasAllProperties: true
DeploymentPreference: # an !If there is ignored: SAM then deploys by canary whatever the parameter says
  Enabled: !Ref CanaryDeployment
  Type: Canary10Percent5Minutes
`

func TestGlobals_AreThoseStated(t *testing.T) {
	template := loadDocument(t)
	got := template.resolve(template["Globals"].(map[string]any)["Function"], nil).(map[string]any)
	preference := got["DeploymentPreference"].(map[string]any)
	takenBackBy := []any{"${ServerErrorsAlarm}", "${HighLatencyAlarm}", "${OldestUnappliedAlarm}", "${DeadLettersAlarm}"}
	for _, provider := range functions.Providers() { // a version that refuses what is authentic
		takenBackBy = append(takenBackBy, fmt.Sprintf("${%sRefusedAlarm}", capital(provider.Name())))
	}
	alarms := preference["Alarms"].([]any)
	if diff := cmp.Diff(sortedTexts(takenBackBy), sortedTexts(alarms)); diff != "" {
		t.Errorf("a version is taken back by -, in template.yaml by +:\n%s", diff)
	}
	if len(alarms) > 10 {
		t.Errorf("%d alarms take a version back, CodeDeploy takes 10", len(alarms))
	}
	delete(preference, "Alarms")
	if diff := cmp.Diff(template.resolve(parsed(t, globals), nil), withoutRest(got)); diff != "" {
		t.Errorf("stated is -, template.yaml has +:\n%s", diff)
	}
}

func sortedTexts(list []any) []string {
	var texts []string
	for _, element := range list {
		texts = append(texts, fmt.Sprint(element))
	}
	slices.Sort(texts)
	return texts
}
