package main

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"payout-callbacks/pkg/payout"
)

// style is how text is shown: with colours or not, shortened or not.
type style struct {
	colours bool
	full    bool
}

// Colours of a terminal.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
)

func (s style) paint(colour, text string) string {
	if !s.colours || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func colourOf(status payout.Status) string {
	switch status {
	case payout.Succeeded, payout.Done:
		return green
	case payout.Failed, payout.Rejected, payout.Cancelled, payout.Conflicted:
		return red
	}
	return yellow
}

func (s style) verdict(got answer) string {
	if !got.AsExpected {
		return s.paint(red, string(got.Verdict))
	}
	return s.paint(green, string(got.Verdict))
}

// private shortens what names a person's account: enough stays to recognise
// it by, too little to pay to it.
func (s style) private(text string) string {
	if s.full {
		return clean(text)
	}
	runes := []rune(text)
	head, tail := min(6, len(runes)/4), min(4, len(runes)/4)
	if len(runes) == 0 {
		return ""
	}
	return clean(string(runes[:head])) + "…" + clean(string(runes[len(runes)-tail:]))
}

// longest is how much of a provider's free text is shown on one line.
const longest = 160

func (s style) brief(text string) string {
	if s.full || utf8.RuneCountInString(text) <= longest {
		return clean(text)
	}
	return clean(string([]rune(text)[:longest])) + "… (--full shows all)"
}

// clean makes what is not printable visible: text that a stranger wrote must
// not move the cursor, change colours or fake another line.
func clean(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if unprintable(r) || r == utf8.RuneError {
			out.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// cleanLines is clean for a text of several lines.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		lines[n] = clean(strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// instant shows a time, in UTC, to the second.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// age shows a span in the unit that a person would choose.
func age(span time.Duration) string {
	switch {
	case span < 2*time.Minute:
		return strconv.Itoa(int(max(span, 0).Seconds())) + " s"
	case span < 2*time.Hour:
		return strconv.Itoa(int(span.Minutes())) + " min"
	case span < 48*time.Hour:
		return strconv.Itoa(int(span.Hours())) + " h"
	}
	return strconv.Itoa(int(span.Hours())/24) + " days"
}

// money shows what of an amount and its currency is known.
func money(amount, currency string) string {
	return strings.TrimSpace(clean(amount) + " " + clean(currency))
}
