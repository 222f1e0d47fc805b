package config_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/config"
	"payout-callbacks/pkg/templatetest"
)

// What the template gives to the functions is what they read: each variable
// that it sets, but those of the SDK, is one without which Load complains.
func TestLoadReadsWhatTheTemplateSets(t *testing.T) {
	function := templatetest.Load(t).Globals["Function"].(map[string]any)
	variables := function["Environment"].(map[string]any)["Variables"].(map[string]any)
	values := map[string]string{}
	for name := range variables {
		values[name] = "100"
	}
	read := map[string]bool{}
	if _, err := config.Load(func(name string) string {
		if strings.HasPrefix(name, "AWS_") {
			return "set by Lambda"
		}
		read[name] = true
		return values[name]
	}); err != nil {
		t.Errorf("with every variable of the template: %v", err)
	}
	maps.DeleteFunc(values, func(name, _ string) bool { return strings.HasPrefix(name, "AWS_") })
	if got, want := slices.Sorted(maps.Keys(read)), slices.Sorted(maps.Keys(values)); !slices.Equal(got, want) {
		t.Errorf("read %v, the template sets %v", got, want)
	}
}

func TestLoadTellsAllProblemsAtOnce(t *testing.T) {
	_, err := config.Load(func(string) string { return "" })
	if err == nil || strings.Count(err.Error(), "is not set") < 6 {
		t.Errorf("got %v, want every missing variable named", err)
	}
	for _, limit := range []string{"0", "-1", "10001", "many"} {
		_, err := config.Load(func(string) string { return limit })
		if err == nil || !strings.Contains(err.Error(), "SWEEP_LIMIT") {
			t.Errorf("limit %s: got %v", limit, err)
		}
	}
}
