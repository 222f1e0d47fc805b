package cregis_test

import (
	"fmt"
	"strings"
	"testing"

	"payout-callbacks/pkg/provider/cregis"
	"payout-callbacks/pkg/testkit/templatetest"
)

func TestConfigure(t *testing.T) {
	tests := []struct {
		names, pattern string
		known          int
		accepts        string // by the reference pattern; empty for the default
		refuses        string
		problem        string // parameter
	}{
		{names: "", pattern: cregis.DefaultReferencePattern},
		{names: "sub_status", pattern: cregis.DefaultReferencePattern, known: 1},
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
		known, reference, err := cregis.ReadSettings(test.names, test.pattern)
		switch {
		case test.problem != "":
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%q, %q: error %v, want one that names %s", test.names, test.pattern, err, test.problem)
			}
		case err != nil || len(known) != test.known:
			t.Errorf("%q, %q: %v, error %v", test.names, test.pattern, known, err)
		case (reference == nil) != (test.accepts == ""):
			t.Errorf("%q: pattern is %v", test.pattern, reference)
		case test.accepts != "" && (!reference.MatchString(test.accepts) || reference.MatchString(test.refuses)):
			t.Errorf("%q: matches %q: %t, %q: %t", test.pattern, test.accepts, reference.MatchString(test.accepts),
				test.refuses, reference.MatchString(test.refuses))
		}
	}
}

// The template has the limits of the code, except for the syntax of expressions.
func TestConfigure_LimitsOfTheTemplate(t *testing.T) {
	template := templatetest.Load(t)
	for parameter, want := range map[string]map[string]any{
		"CregisKnownFields": {"AllowedPattern": cregis.KnownFieldsPattern, "MaxLength": cregis.MaxKnownFields, "Default": ""},
		"ReferencePattern": {
			"AllowedPattern": "^[ -~]+$", "MinLength": 1, "MaxLength": cregis.MaxReferencePattern, "Default": cregis.DefaultReferencePattern,
		},
	} {
		for name, value := range want {
			if got := template.Parameters[parameter][name]; fmt.Sprint(got) != fmt.Sprint(value) {
				t.Errorf("%s of %s is %v, want %v", name, parameter, got, value)
			}
		}
	}
}
