package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
	"payout-callbacks/pkg/testkit/templatetest"
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(templatetest.Root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is generated follows from the descriptions: nobody changed one without the other.
func TestGenerate_RepositoryIsUpToDate(t *testing.T) {
	for _, name := range generatedFiles {
		_, changed, err := regenerate(name, readFile(t, name), providers.All())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, region := range changed {
			t.Errorf("%s: the region %q differs from the descriptions: run make generate", name, region)
		}
	}
}

// third is a provider beside those of the application, which cannot be asked.
type third struct{ provider.Callbacks }

func (third) Name() string         { return "dodopay" }
func (third) Types() []payout.Type { return []payout.Type{payout.TypePayout} }

func withThird() []provider.Description {
	return append(providers.All(), provider.Description{Callbacks: third{}, Title: "Dodopay", KeyNoun: "key", Account: provider.Account{Noun: "account"}})
}

// A provider's parts come and go as a whole.
func TestRegenerate_ProviderIsAddedAndRemoved(t *testing.T) {
	for _, name := range generatedFiles {
		before := readFile(t, name)
		with, changed, err := regenerate(name, before, withThird())
		if err != nil || len(changed) == 0 {
			t.Fatalf("%s: changed %v, %v", name, changed, err)
		}
		if again, changed, _ := regenerate(name, with, withThird()); again != with || len(changed) > 0 {
			t.Errorf("%s: a second generation changes %v", name, changed)
		}
		if after, _, err := regenerate(name, with, providers.All()); after != before || err != nil {
			t.Errorf("%s is not as before, %v", name, err)
		}
		if got := outsideRegions(with); got != outsideRegions(before) {
			t.Errorf("%s: a line outside of the regions changed", name)
		}
	}
}

func TestRegenerate_NamesChangedRegion(t *testing.T) {
	text := readFile(t, "template.yaml")
	for old, region := range map[string]string{
		"CodeUri: functions/pivot/":                    "ingress",
		"- !Ref PivotRefusedAlarm":                     "rollback-alarms",
		`"Acknowledged", "provider", "pivot"]`:         "dashboard",
		"          CREGIS_QUERIES: !Ref CregisQueries": "query-variables",
	} {
		altered := strings.Replace(text, old, "altered", 1)
		result, changed, err := regenerate("template.yaml", altered, providers.All())
		if !slices.Equal(changed, []string{region}) || err != nil || result != text {
			t.Errorf("%q altered: changed %v, %v, want %s", old, changed, err, region)
		}
	}
}

// A damaged marker is an error: text of somebody would be overwritten, or a region
// forgotten.
func TestRegenerate_DamagedMarkers(t *testing.T) {
	text := readFile(t, "README.md")
	for name, damaged := range map[string]string{
		"no end":          strings.Replace(text, "<!-- end -->\n", "", 1),
		"no begin":        strings.Replace(text, "<!-- generated: parameters -->\n", "", 1),
		"another name":    strings.Replace(text, "generated: parameters", "generated: others", 1),
		"a region inside": strings.Replace(text, "<!-- end -->\n", "<!-- generated: parameters -->\n<!-- end -->\n", 1),
	} {
		if result, _, err := regenerate("README.md", damaged, providers.All()); err == nil {
			t.Errorf("%s: no error, %d bytes", name, len(result))
		}
	}
}

// A section of the runbook that is written by hand is not written a second time.
func TestRegenerate_SectionByHand(t *testing.T) {
	text := readFile(t, "docs/OPERATIONS.md")
	byHand := strings.Replace(text, "\n### no-route\n", "\n### dodopay-refused\n\nBy hand.\n\n### no-route\n", 1)
	result, changed, err := regenerate("docs/OPERATIONS.md", byHand, withThird())
	if err != nil || len(changed) > 0 || result != byHand {
		t.Errorf("changed %v, %v", changed, err)
	}
}
