package main

import (
	"strconv"
	"strings"
	"time"
)

// whenHelp says what when reads.
const whenHelp = "2026-11-21, 2026-11-21T09:00:00Z, or how long ago: 30m, 2h, 3d"

// when reads a time, in UTC, or a span before now; the zero time where none is
// given.
func (s *session) when(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	span, err := spanOf(text)
	if err != nil {
		return time.Time{}, usage("", "%s: %q is no time; give %s", flag, text, whenHelp)
	}
	return s.now().UTC().Add(-span), nil
}

// spanOf reads a span, of days as well.
func spanOf(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}
