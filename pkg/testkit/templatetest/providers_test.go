package templatetest_test

import (
	"maps"
	"strings"

	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/provider"
)

// sharedProviders is the number of providers whose functions ServerErrorsAlarm and
// ThrottledAlarm monitor; alarmTable names them. A further one has an alarm of its own,
// because CloudWatch accepts ten metrics in an alarm.
const sharedProviders = 2

// shape is what the template has for a provider, in the form of the tables for the rest
// of the template, with the provider's name as [name], [Name], and [NAME].
type shape struct {
	alarms, parameters, outputs, variables map[string]string
}

// providerShape is that of every provider.
var providerShape = shape{
	alarms: map[string]string{
		"[Name]RefusedAlarm": `
		[name]-refused if OnAWS
		IF(refused >= 3, 100 * refused / callbacks, 0) > 10 in 1 of 1, missing is notBreaching
		callbacks = Sum of ours Callbacks provider=[name] in 900 s
		refused = Sum of ours Refused provider=[name] in 900 s`,
		"[Name]RefusedSixHoursAlarm": `
		[name]-refused-six-hours if OnAWS
		IF(FILL(refused, 0) >= 1 AND FILL(acknowledged, 0) < 1, 100, IF(FILL(refused, 0) >= 3, 100 * refused / callbacks, 0)) > 5 in 1 of 1, missing is notBreaching
		acknowledged = Sum of ours Acknowledged provider=[name] in 21600 s
		callbacks = Sum of ours Callbacks provider=[name] in 21600 s
		refused = Sum of ours Refused provider=[name] in 21600 s`,
		"[Name]SilentAlarm": `
		[name]-silent if Expects[Name]
		it < 1 in ${[Name]SilenceHours} of ${[Name]SilenceHours}, missing is breaching
		it = Sum of ours Acknowledged provider=[name] in 3600 s`,
	},
	parameters: map[string]string{"[Name]SilenceHours": `Number 0, MaxValue 168, MinValue 0`},
	outputs: map[string]string{
		"[Name]FunctionName": "${[Name]Function}",
		"[Name]KeysSecret":   "${AWS::StackName}/keys/[name]",
	},
}

// queriedShape is that of a provider that can be asked, in addition.
var queriedShape = shape{
	parameters: map[string]string{"[Name]Queries": `String "off", AllowedValues [off open all]`},
	outputs: map[string]string{
		"[Name]ApiSecret": "${AWS::StackName}/api/[name]",
		"[Name]Queries":   "${[Name]Queries}",
	},
	variables: map[string]string{"[NAME]_QUERIES": "${[Name]Queries}"},
}

// furtherShape is that of a provider beyond sharedProviders, in addition.
var furtherShape = shape{alarms: map[string]string{"[Name]FunctionAlarm": `
		[name]-function if OnAWS
		FILL(errors, 0) + FILL(throttles, 0) > 0 in 1 of 1, missing is notBreaching
		errors = Sum of AWS/Lambda Errors FunctionName=${[Name]Function} in 60 s
		throttles = Sum of AWS/Lambda Throttles FunctionName=${[Name]Function} in 60 s`}}

// expectProviders returns a table of all providers.
func expectProviders(table func(shape) map[string]string) map[string]string {
	all := map[string]string{}
	for n, p := range providers.All() {
		maps.Copy(all, expectProvider(p, table(providerShape)))
		if p.Queries != nil {
			maps.Copy(all, expectProvider(p, table(queriedShape)))
		}
		if n >= sharedProviders {
			maps.Copy(all, expectProvider(p, table(furtherShape)))
		}
	}
	return all
}

func expectProvider(p provider.Description, table map[string]string) map[string]string {
	names := strings.NewReplacer("[name]", p.Name(), "[Name]", titleCase(p.Name()), "[NAME]", strings.ToUpper(p.Name()))
	expected := map[string]string{}
	for name, text := range table {
		expected[names.Replace(name)] = names.Replace(text)
	}
	return expected
}

// providerNumbers returns the rows of numberTable that each provider has.
func providerNumbers() []numberRow {
	var rows []numberRow
	for _, p := range providers.All() {
		rows = append(rows,
			numberRow{p.Prefix() + "SilenceHours.Default", 0, "0 disables the alarm", isZero},
			numberRow{p.Prefix() + "SilenceHours.MinValue", 0, "0 disables the alarm", isZero},
			numberRow{p.Prefix() + "SilenceHours.MaxValue", 168, "CloudWatch evaluates at most seven days", func(_ numbers, v int) bool { return v*3600 <= 7*day }},
			numberRow{"Conditions.Expects" + p.Prefix(), 0, "0 disables the alarm", isZero},
			numberRow{p.Prefix() + "Function.Timeout", 10, "longer than a response may take, shorter than the timeout of the API", exceedsResponseTimeout},
		)
	}
	return rows
}

// silenceHours returns values of the parameters with which every alarm on silence exists.
func silenceHours(hours uint64) map[string]any {
	values := map[string]any{}
	for _, p := range providers.All() {
		values[p.Prefix()+"SilenceHours"] = hours
	}
	return values
}
