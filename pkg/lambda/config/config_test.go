package config_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/provider/pivot"
	"payout-callbacks/pkg/testkit/templatetest"
)

// loader reads a function's configuration as the function does at its start.
type loader func(getenv func(string) string) error

// loaders returns the loader of each function of the template.
func loaders() map[string]loader {
	all := map[string]loader{}
	for name, function := range map[string]config.Function{
		"ConsumerFunction": config.Consumer, "SweeperFunction": config.Sweeper, "PublisherFunction": config.Publisher,
		"ExpectedFunction": config.Expected, "ReconcilerFunction": config.Reconciler,
	} {
		all[name] = newLoader(function, providers.All()...)
	}
	for _, d := range providers.All() {
		all[d.Prefix()+"Function"] = newLoader(config.Ingress, d)
	}
	return all
}

func newLoader(function config.Function, providers ...provider.Description) loader {
	return func(getenv func(string) string) error {
		_, err := config.Load(function, providers, getenv)
		if function == config.Ingress || function == config.Expected {
			for _, d := range providers {
				_, settingsErr := config.LoadProvider(function, d, getenv)
				err = errors.Join(err, settingsErr)
			}
		}
		return err
	}
}

// variablesOf returns the variables that the template sets for a function, except
// those of the SDK. For a !Ref the value is the name of the parameter or resource.
func variablesOf(template templatetest.Template, function string) map[string]string {
	variables := map[string]string{}
	for _, properties := range []map[string]any{
		template.Globals["Function"].(map[string]any), template.Resources[function].Properties,
	} {
		environment, _ := properties["Environment"].(map[string]any)
		set, _ := environment["Variables"].(map[string]any)
		for name, value := range set {
			variables[name] = fmt.Sprint(value)
		}
	}
	maps.DeleteFunc(variables, func(name, _ string) bool { return strings.HasPrefix(name, "AWS_") })
	return variables
}

// load loads the settings of a function from variables and what Lambda sets.
func load(function loader, variables map[string]string, onRead func(name string)) error {
	return function(func(name string) string {
		if strings.HasPrefix(name, "AWS_") {
			return "set by Lambda"
		}
		onRead(name)
		return variables[name]
	})
}

// resolve replaces the parameters in variables by values.
func resolve(variables, parameters map[string]string) map[string]string {
	resolved := maps.Clone(variables)
	for name, value := range variables {
		if parameter, ok := parameters[value]; ok {
			resolved[name] = parameter
		}
	}
	return resolved
}

// defaults returns the default of each parameter that has one.
func defaults(template templatetest.Template) map[string]string {
	values := map[string]string{}
	for name, parameter := range template.Parameters {
		values[name] = fmt.Sprint(parameter["Default"])
	}
	return values
}

// A missing variable stops a function; one that it does not use is misleading.
func TestTemplate_VariablesOfEachFunction(t *testing.T) {
	template := templatetest.Load(t)
	for name, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			function, ok := loaders()[name]
			if !ok {
				t.Fatal("loaders() lacks the function")
			}
			variables := variablesOf(template, name)
			read := map[string]bool{}
			err := load(function, resolve(variables, defaults(template)), func(name string) { read[name] = true })
			if err != nil {
				t.Errorf("with every variable of the template: %v", err)
			}
			if got, want := slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(variables)); !slices.Equal(got, want) {
				t.Errorf("read %v, the template sets %v", got, want)
			}
		})
	}
}

// samples returns values for the parameters of type String without allowed values:
// some that the template and the code accept, and some that both reject.
func samples() map[string][]string {
	return map[string][]string{
		"CregisKnownFields": {"", "sub_status", "fee,networkFee", "sub status", "a,,b", "a,", "1a", "é", strings.Repeat("a,", 255) + "ab", strings.Repeat("a,", 256) + "a"},
		// CloudFormation cannot check the syntax of an expression; an invalid one stops only the function for Cregis.
		"ReferencePattern": {"", "a", "PAY-[0-9]+", "é", strings.Repeat("a", 256), strings.Repeat("a", 257)},
	}
}

// The template and the code accept the same values. If the template accepted more,
// a deployment would succeed and every invocation fail.
func TestParameters_LimitsOfTheCode(t *testing.T) {
	template := templatetest.Load(t)
	read := 0
	for name, parameter := range template.Parameters {
		for function, kind := range loaders() {
			variables := variablesOf(template, function)
			if !slices.Contains(slices.Collect(maps.Values(variables)), name) {
				continue
			}
			read++
			for _, value := range candidates(t, name, parameter) {
				parameters := defaults(template)
				parameters[name] = value
				err := load(kind, resolve(variables, parameters), func(string) {})
				if accepted := accepts(t, parameter, value); accepted != (err == nil) {
					t.Errorf("%s = %q: accepted by the template: %v, by %s: %v", name, value, accepted, function, err)
				}
			}
		}
	}
	if read == 0 {
		t.Error("no function reads a parameter")
	}
}

// TestParameters_LimitsOfTheCode cannot check a parameter inside a longer text.
func TestTemplate_WholeParametersInVariables(t *testing.T) {
	template := templatetest.Load(t)
	for function := range loaders() {
		for variable, value := range variablesOf(template, function) {
			for name := range template.Parameters {
				if value != name && strings.Contains(value, "${"+name+"}") {
					t.Errorf("%s of %s has %s inside a text: %s", variable, function, name, value)
				}
			}
		}
	}
}

// candidates returns values at each limit, beyond it, and in other forms.
func candidates(t *testing.T, name string, parameter map[string]any) []string {
	t.Helper()
	var values []string
	for _, value := range list(parameter["AllowedValues"]) {
		values = append(values, fmt.Sprint(value))
	}
	if parameter["Type"] == "Number" {
		lowest, highest := bound(t, name, parameter, "MinValue"), bound(t, name, parameter, "MaxValue")
		for _, value := range []int{lowest - 1, lowest, lowest + 1, highest - 1, highest, highest + 1, -highest, 10 * highest} {
			values = append(values, strconv.Itoa(value))
		}
		return append(values, fmt.Sprintf("%d.5", lowest), fmt.Sprintf("%d.5", highest), fmt.Sprintf("%de0", highest), fmt.Sprintf("0.%d", lowest), "")
	}
	if len(values) > 0 {
		return append(values, "", "none of these")
	}
	if len(samples()[name]) == 0 {
		t.Errorf("samples() lacks %s", name)
	}
	return append(values, samples()[name]...)
}

func bound(t *testing.T, name string, parameter map[string]any, property string) int {
	t.Helper()
	value, err := strconv.Atoi(fmt.Sprint(parameter[property]))
	if err != nil {
		t.Fatalf("%s has no %s: %v", name, property, parameter[property])
	}
	return value
}

// accepts reports whether CloudFormation accepts the value of a parameter.
func accepts(t *testing.T, parameter map[string]any, value string) bool {
	t.Helper()
	if parameter["Type"] == "Number" {
		number, err := strconv.ParseFloat(value, 64)
		return err == nil && number >= float64(bound(t, "", parameter, "MinValue")) && number <= float64(bound(t, "", parameter, "MaxValue"))
	}
	if allowed := list(parameter["AllowedValues"]); len(allowed) > 0 {
		return slices.ContainsFunc(allowed, func(item any) bool { return fmt.Sprint(item) == value })
	}
	shortest, longest := parameter["MinLength"], parameter["MaxLength"]
	if shortest != nil && len(value) < bound(t, "", parameter, "MinLength") || longest != nil && len(value) > bound(t, "", parameter, "MaxLength") {
		return false
	}
	pattern, ok := parameter["AllowedPattern"].(string)
	return !ok || regexp.MustCompile(`^(?:`+pattern+`)$`).MatchString(value)
}

func list(value any) []any {
	values, _ := value.([]any)
	return values
}

// known returns two providers with queries, and a provider without.
func known() []provider.Description {
	return []provider.Description{cregis.Description(), pivot.Description(), {Callbacks: unasked{}}}
}

type unasked struct{ cregis.Provider }

func (unasked) Name() string { return "unasked" }

func TestLoad_AllProblems(t *testing.T) {
	for function, want := range map[config.Function]int{
		config.Ingress: 7, config.Consumer: 9, config.Sweeper: 11, config.Publisher: 5, config.Expected: 8, config.Reconciler: 12,
	} {
		_, err := config.Load(function, known(), func(string) string { return "" })
		if err == nil || strings.Count(err.Error(), "\n")+1 != want {
			t.Errorf("%s: got %v, want %d problems", function, err, want)
		}
	}
}

// loadWith loads the settings of a function from an environment that is complete,
// except for the given variables.
func loadWith(function config.Function, variables map[string]string) (config.Config, error) {
	complete := map[string]string{"CREGIS_QUERIES": "off", "PIVOT_QUERIES": "off", "SWEEP_LIMIT": "1", "RECONCILE_LIMIT": "1"}
	maps.Copy(complete, variables)
	return config.Load(function, known(), func(name string) string {
		if value, ok := complete[name]; ok {
			return value
		}
		return "set"
	})
}

func TestLoad_Limits(t *testing.T) {
	for variable, limit := range map[string]struct {
		function config.Function
		of       func(config.Config) int
	}{
		"SWEEP_LIMIT":     {config.Sweeper, func(c config.Config) int { return c.SweepLimit }},
		"RECONCILE_LIMIT": {config.Reconciler, func(c config.Config) int { return c.ReconcileLimit }},
	} {
		for value, want := range map[string]int{"1": 1, "1000": 1000, "10000": config.MaxSweepLimit, "1e3": 1000, "2.5": 2} {
			got, err := loadWith(limit.function, map[string]string{variable: value})
			if err != nil || limit.of(got) != want {
				t.Errorf("%s %s: got %d, %v", variable, value, limit.of(got), err)
			}
		}
		for _, value := range []string{"0", "-1", "0.5", "10000.5", "10001", "many", "NaN", "Inf"} {
			_, err := loadWith(limit.function, map[string]string{variable: value})
			if err == nil || !strings.Contains(err.Error(), variable+" is not a number from 1 to 10000") {
				t.Errorf("%s: got %v", value, err)
			}
		}
	}
}

// Every function that writes payouts schedules queries, so it has the mode of every
// provider that can be asked.
func TestLoad_Queries(t *testing.T) {
	for _, function := range []config.Function{config.Consumer, config.Sweeper, config.Expected, config.Reconciler} {
		got, err := loadWith(function, map[string]string{"CREGIS_QUERIES": "open", "PIVOT_QUERIES": "all"})
		want := map[string]inbox.QueryMode{"cregis": inbox.QueriesOpen, "pivot": inbox.QueriesAll}
		if err != nil || !maps.Equal(got.Queries, want) {
			t.Errorf("%s: got %v, %v, want %v", function, got.Queries, err, want)
		}
		for _, value := range []string{"", "ALL", "open ", "on"} {
			_, err := loadWith(function, map[string]string{"PIVOT_QUERIES": value})
			if err == nil || err.Error() != "PIVOT_QUERIES is not off, open or all" {
				t.Errorf("%s: PIVOT_QUERIES=%q: got %v", function, value, err)
			}
		}
	}
}
