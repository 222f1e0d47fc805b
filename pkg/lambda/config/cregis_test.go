package config_test

import (
	"fmt"
	"strings"
	"testing"

	"payout-callbacks/pkg/lambda/config"
	"payout-callbacks/pkg/testkit/templatetest"
)

func TestParseCregis(t *testing.T) {
	tests := []struct {
		names, pattern string
		known          int
		accepts        string // by the reference pattern; empty for the default
		refuses        string
		problem        string // parameter
	}{
		{names: "", pattern: config.DefaultReferencePattern},
		{names: "sub_status", pattern: config.DefaultReferencePattern, known: 1},
		{names: "sub_status,fee,networkFee", pattern: `PAY-[0-9]+`, known: 3, accepts: "PAY-77", refuses: "xPAY-77"},
		{pattern: `a|b`, accepts: "b", refuses: "bc"},
		{pattern: `(?i)pay-\d{3}$`, accepts: "PAY-123", refuses: "PAY-1234"},
		{pattern: `a`, accepts: "a", refuses: "a\n"},
		{names: "sub status", pattern: "x", problem: "CregisKnownFields"},
		{names: "a,,b", pattern: "x", problem: "CregisKnownFields"},
		{names: "a,", pattern: "x", problem: "CregisKnownFields"},
		{names: "1a", pattern: "x", problem: "CregisKnownFields"},
		{names: strings.Repeat("a,", 256) + "a", pattern: "x", problem: "CregisKnownFields"},
		{pattern: "", problem: "ReferencePattern"},
		{pattern: "(", problem: "ReferencePattern"},
		{pattern: "a)(b", problem: "ReferencePattern"},
		{pattern: `(?<=a)b`, problem: "ReferencePattern"},
		{pattern: `é`, problem: "ReferencePattern"},
		{pattern: strings.Repeat("a", 257), problem: "ReferencePattern"},
	}
	for _, test := range tests {
		settings, err := config.ParseCregis(test.names, test.pattern)
		switch {
		case test.problem != "":
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%q, %q: error %v, want one that names %s", test.names, test.pattern, err, test.problem)
			}
		case err != nil || len(settings.KnownFields) != test.known:
			t.Errorf("%q, %q: %v, error %v", test.names, test.pattern, settings, err)
		case (settings.ReferencePattern == nil) != (test.accepts == ""):
			t.Errorf("%q: pattern is %v", test.pattern, settings.ReferencePattern)
		case test.accepts != "" && (!settings.ReferencePattern.MatchString(test.accepts) || settings.ReferencePattern.MatchString(test.refuses)):
			t.Errorf("%q: matches %q: %t, %q: %t", test.pattern, test.accepts, settings.ReferencePattern.MatchString(test.accepts),
				test.refuses, settings.ReferencePattern.MatchString(test.refuses))
		}
	}
}

// The template has the limits of the code, except for the syntax of expressions.
func TestParseCregis_LimitsOfTheTemplate(t *testing.T) {
	template := templatetest.Load(t)
	for parameter, want := range map[string]map[string]any{
		"CregisKnownFields": {"AllowedPattern": config.KnownFieldsPattern, "MaxLength": config.MaxKnownFields, "Default": ""},
		"ReferencePattern": {
			"AllowedPattern": "^[ -~]+$", "MinLength": 1, "MaxLength": config.MaxReferencePattern, "Default": config.DefaultReferencePattern,
		},
	} {
		for name, value := range want {
			if got := template.Parameters[parameter][name]; fmt.Sprint(got) != fmt.Sprint(value) {
				t.Errorf("%s of %s is %v, want %v", name, parameter, got, value)
			}
		}
	}
}
