package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Cregis has the settings of the function for Cregis.
type Cregis struct {
	KnownFields      []string       // CREGIS_KNOWN_FIELDS: names of further fields, separated by commas
	ReferencePattern *regexp.Regexp // REFERENCE_PATTERN: matches our references; nil for the default
}

// Limits of the two parameters, as in template.yaml.
const (
	KnownFieldsPattern      = `^([A-Za-z][0-9A-Za-z_-]{0,39}(,[A-Za-z][0-9A-Za-z_-]{0,39})*)?$`
	MaxKnownFields          = 512
	DefaultReferencePattern = `[ -~]{1,128}`
	MaxReferencePattern     = 256
)

var (
	knownFields = regexp.MustCompile(KnownFieldsPattern)
	printable   = regexp.MustCompile(`^[ -~]+$`)
)

// LoadCregis returns the settings for Cregis, or an error with all problems.
func LoadCregis(getenv func(string) string) (Cregis, error) {
	return ParseCregis(getenv("CREGIS_KNOWN_FIELDS"), getenv("REFERENCE_PATTERN"))
}

// LoadReferencePattern returns the setting that expectations for Cregis need: the
// pattern of our references, nil for the default.
func LoadReferencePattern(getenv func(string) string) (*regexp.Regexp, error) {
	settings, err := ParseCregis("", getenv("REFERENCE_PATTERN"))
	return settings.ReferencePattern, err
}

// ParseCregis parses the parameters CregisKnownFields and ReferencePattern.
func ParseCregis(names, pattern string) (Cregis, error) {
	var settings Cregis
	var problems []error
	switch {
	case len(names) > MaxKnownFields || !knownFields.MatchString(names):
		problems = append(problems, fmt.Errorf("CregisKnownFields is not a list of names, separated by commas, of at most %d characters", MaxKnownFields))
	case names != "":
		settings.KnownFields = strings.Split(names, ",")
	}
	switch whole, err := regexp.Compile(`\A(?:` + pattern + `)\z`); {
	case len(pattern) > MaxReferencePattern || !printable.MatchString(pattern):
		problems = append(problems, fmt.Errorf("ReferencePattern is not 1 to %d printable ASCII characters", MaxReferencePattern))
	case !compiles(pattern) || err != nil: // a pattern such as a)(b compiles in brackets only
		problems = append(problems, errors.New("ReferencePattern is not a regular expression of RE2"))
	case pattern != DefaultReferencePattern:
		settings.ReferencePattern = whole
	}
	return settings, errors.Join(problems...)
}

func compiles(pattern string) bool {
	_, err := regexp.Compile(pattern)
	return err == nil
}
