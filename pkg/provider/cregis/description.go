package cregis

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/provider"
)

// DemoProject is the demo account: that of the documented callbacks (docs/faqs/Callback).
const DemoProject = "1382528827416576"

// Description describes Cregis, with the defaults of its settings.
func Description() provider.Description { return Provider{}.describe() }

func (p Provider) describe() provider.Description {
	return provider.Description{
		Callbacks:    p,
		Expectations: p,
		Queries:      p,
		Title:        "Cregis",
		Account:      provider.Account{Noun: "project id", Pattern: `[1-9][0-9]{0,18}`, Example: DemoProject},
		IDFields:     []string{"pid", "cid"},
		KeyNoun:      "API key",
		Credentials:  []provider.Field{{Name: "baseUrl", Value: "https://..."}, {Name: "key", Value: "<API key>"}},
		Settings: []provider.Setting{
			{Parameter: "CregisKnownFields"}, // names of further fields, separated by commas
			{Parameter: "ReferencePattern", Default: defaultReferencePattern, IsExpected: true}, // matches our references
		},
		Configure: func(values []string) (provider.Description, error) {
			known, reference, err := readSettings(values[0], values[1])
			return New(known, reference).describe(), err
		},
		DemoAccount: DemoProject,
		// The current key is that of the documentation, so that its examples verify as published.
		Demo: callback.Keys{DemoProject: {Current: "f502a9ac9ca54327986f29c03b271491", Previous: "00f9d8e7c6b5a4938271605f4e3d2c1b"}},
	}
}

// Limits of the settings, as in template.yaml.
const (
	knownFieldsPattern      = `^([A-Za-z][0-9A-Za-z_-]{0,39}(,[A-Za-z][0-9A-Za-z_-]{0,39})*)?$`
	maxKnownFields          = 512
	defaultReferencePattern = `[ -~]{1,128}`
	maxReferencePattern     = 256
)

// readSettings returns the known fields, and the pattern of our references; nil for the
// default.
func readSettings(names, pattern string) (known []string, reference *regexp.Regexp, err error) {
	var problems []error
	switch {
	case len(names) > maxKnownFields || !regexp.MustCompile(knownFieldsPattern).MatchString(names):
		problems = append(problems, fmt.Errorf("CregisKnownFields is not a list of names, separated by commas, of at most %d characters", maxKnownFields))
	case names != "":
		known = strings.Split(names, ",")
	}
	switch whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`); {
	case len(pattern) > maxReferencePattern || !regexp.MustCompile(`^[ -~]+$`).MatchString(pattern):
		problems = append(problems, fmt.Errorf("ReferencePattern is not 1 to %d printable ASCII characters", maxReferencePattern))
	case !compiles(pattern) || err != nil: // a pattern such as a)(b compiles in brackets only
		problems = append(problems, errors.New("ReferencePattern is not a regular expression of RE2"))
	case pattern != defaultReferencePattern:
		reference = whole
	}
	return known, reference, errors.Join(problems...)
}

func compiles(pattern string) bool {
	_, err := regexp.Compile(pattern)
	return err == nil
}
