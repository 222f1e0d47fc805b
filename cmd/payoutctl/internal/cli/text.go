package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"payout-callbacks/pkg/payout"
)

// Style selects colours and unshortened text.
type Style struct {
	Colours bool
	Full    bool
}

// Colours of a terminal, as SGR parameters.
const (
	Red    = "31"
	Green  = "32"
	Yellow = "33"
	Bold   = "1"
)

// Paint colours a text.
func (s Style) Paint(colour, text string) string {
	if !s.Colours || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// StatusColour returns the colour of a payout's status.
func StatusColour(status payout.Status) string {
	switch status {
	case payout.Succeeded, payout.Done:
		return Green
	case payout.Failed, payout.Rejected, payout.Cancelled, payout.Conflicted:
		return Red
	}
	return Yellow
}

// Abbreviate shortens an address: enough stays to recognise it, too little to pay
// to it.
func (s Style) Abbreviate(text string) string {
	if s.Full {
		return Clean(text)
	}
	runes := []rune(text)
	head, tail := min(6, len(runes)/4), min(4, len(runes)/4)
	if len(runes) == 0 {
		return ""
	}
	return Clean(string(runes[:head])) + "…" + Clean(string(runes[len(runes)-tail:]))
}

// privateText matches what may be an account number or an address within a text.
var privateText = regexp.MustCompile(`[0-9](?:[ -]?[0-9]){7,}|[0-9A-Za-z]{12,}`)

// AbbreviateIn shortens what may be an account number or an address within a text. A word
// without a digit is neither.
func (s Style) AbbreviateIn(text string) string {
	return privateText.ReplaceAllStringFunc(text, func(word string) string {
		if s.Full || !strings.ContainsAny(word, "0123456789") {
			return word
		}
		return s.Abbreviate(word)
	})
}

// longest is how many characters of a provider's text are shown on one line.
const longest = 160

// Shorten cuts a long text.
func (s Style) Shorten(text string) string {
	if s.Full || utf8.RuneCountInString(text) <= longest {
		return Clean(text)
	}
	return Clean(string([]rune(text)[:longest])) + "… (--full shows all)"
}

// Clean escapes what is not printable: text from outside must not move the cursor,
// change colours or forge another line.
func Clean(text string) string {
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

// linePrefix begins each line of a text from outside, so that none can be taken for
// output of this program.
const linePrefix = "| "

// PrefixLines is Clean for a text of several lines.
func PrefixLines(text string) string {
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		lines[n] = linePrefix + Clean(strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// colourSequence matches what Paint writes before and behind a text.
var colourSequence = regexp.MustCompile(`\x1b\[(0|1|31|32|33)m`)

// visible is Clean for a whole output: it keeps line ends and the colours of this
// program. It is the last defence, behind Clean and PrefixLines.
func visible(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unprintable(r) }) {
		return text
	}
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		var out strings.Builder
		at := 0
		for _, colour := range colourSequence.FindAllStringIndex(line, -1) {
			out.WriteString(Clean(line[at:colour[0]]) + line[colour[0]:colour[1]])
			at = colour[1]
		}
		lines[n] = out.String() + Clean(line[at:])
	}
	return strings.Join(lines, "\n")
}

// JSONLine returns a value as one line of JSON. It escapes everything that a terminal
// does not print: control characters of both ranges, and characters that change the
// direction of a text.
func JSONLine(value any) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return escapeUnprintable(line.Bytes()), nil
}

// escapeUnprintable escapes characters in a line of JSON. Those outside of ASCII
// occur in strings only, where \u has the same meaning.
func escapeUnprintable(line []byte) []byte {
	out := make([]byte, 0, len(line))
	for _, r := range string(line) {
		switch {
		case r == '\n' || !unprintable(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// FormatTime formats a time in UTC, to the second.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// FormatAge formats a duration in a readable unit.
func FormatAge(span time.Duration) string {
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

// FormatAmount joins an amount and its currency, either of which may be unknown.
func FormatAmount(amount, currency string) string {
	return strings.TrimSpace(Clean(amount) + " " + Clean(currency))
}

// Count formats a number with its noun.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Quote returns a text as one word of a shell, in quotes where they are needed. Of a flag,
// only the value is in quotes.
func Quote(text string) string {
	if flag, value, ok := strings.Cut(text, "="); ok && strings.HasPrefix(flag, "--") && Quote(flag) == flag {
		return flag + "=" + Quote(value)
	}
	plain := !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.:%-", r)
	})
	if plain && text != "" {
		return text
	}
	return InQuotes(text)
}

// InQuotes returns a text in single quotes of a shell.
func InQuotes(text string) string { return "'" + strings.ReplaceAll(Clean(text), "'", `'\''`) + "'" }

// Table formats text in columns. Colours do not count as width, which
// text/tabwriter cannot do.
type Table struct {
	Style  Style
	Indent string
	Header []string
	Rows   [][]Cell
}

// Cell is the text of one column in a row, and its colour.
type Cell struct {
	Text   string
	Colour string
}

// Add adds a row. Line breaks in a cell are made visible.
func (t *Table) Add(cells ...Cell) {
	for n := range cells {
		cells[n].Text = Clean(cells[n].Text)
	}
	t.Rows = append(t.Rows, cells)
}

// AddTexts adds a row without colours.
func (t *Table) AddTexts(texts ...string) {
	cells := make([]Cell, len(texts))
	for n, text := range texts {
		cells[n].Text = text
	}
	t.Add(cells...)
}

// AddField adds a row with the name and the value of a field that is set.
func (t *Table) AddField(name, value, colour string) {
	if value != "" {
		t.Add(Cell{Text: name}, Cell{Text: value, Colour: colour})
	}
}

// PrintList prints items as a table, to which add adds the rows of an item, or with
// --json as one line for each item, of what view returns.
func PrintList[T any](s *Session, header []string, items []T, add func(t *Table, item T), view func(item T) any) error {
	t := Table{Style: s.Style(), Header: header}
	for _, item := range items {
		if !s.Flags.JSON {
			add(&t, item)
		} else if err := s.PrintJSON(view(item)); err != nil {
			return err
		}
	}
	if s.Flags.JSON || len(items) == 0 {
		return nil
	}
	return s.Print(t.String())
}

// String returns the table, one row per line.
func (t *Table) String() string {
	var header []Cell
	for _, name := range t.Header {
		header = append(header, Cell{Text: name, Colour: Bold})
	}
	rows := t.Rows
	if len(header) > 0 {
		rows = append([][]Cell{header}, rows...)
	}
	widths := columnWidths(rows)
	var out strings.Builder
	for _, row := range rows {
		out.WriteString(t.line(row, widths))
	}
	return out.String()
}

func columnWidths(rows [][]Cell) []int {
	var widths []int
	for _, row := range rows {
		for len(widths) < len(row) {
			widths = append(widths, 0)
		}
		for n, cell := range row {
			widths[n] = max(widths[n], utf8.RuneCountInString(cell.Text))
		}
	}
	return widths
}

// line formats a row; it pads each cell that another cell follows.
func (t *Table) line(row []Cell, widths []int) string {
	last := 0
	for n, cell := range row {
		if cell.Text != "" {
			last = n
		}
	}
	var out strings.Builder
	out.WriteString(t.Indent)
	for n, cell := range row[:last+1] {
		out.WriteString(t.Style.Paint(cell.Colour, cell.Text))
		if n < last {
			out.WriteString(strings.Repeat(" ", widths[n]-utf8.RuneCountInString(cell.Text)+2))
		}
	}
	return out.String() + "\n"
}
