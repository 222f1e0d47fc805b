package cli_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/lambda/providers"
)

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"order 4711, 提币 ✓":         "order 4711, 提币 ✓",
		"\x1b[31mred":              `\x1b[31mred`,
		"a\rb\nc\td\x00":           `a\rb\nc\td\x00`,
		"\u202egnp.exe":            `\u202egnp.exe`, // right-to-left override
		"bad \xff byte":            `bad \ufffd byte`,
		"\u009b31m":                `\u009b31m`, // a control sequence in one character
		"quote ' and \" and \\ \a": `quote ' and " and \ \a`,
	} {
		if got := cli.Clean(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// Each character that a terminal does not print is escaped in JSON and decodes unchanged.
func TestJSONLine_Unprintable(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		text := "a" + string(r) + "b"
		line, err := cli.JSONLine(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(strings.TrimSuffix(string(line), "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%U is printed in %q", r, line)
		}
		var back map[string]string
		if err := json.Unmarshal(line, &back); err != nil || back[text] != text {
			t.Errorf("%U reads back as %q, %v", r, back, err)
		}
	}
}

// No line of an external text looks like output of this program, whatever its line
// separators.
func TestPrefixLines(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "| ",
		"a\nstatus  succeeded\n":      "| a\n| status  succeeded\n| ",
		"a\r\nb\rc":                   `| a\r` + "\n" + `| b\rc`,
		"a\u2028b\u2029c\u0085d\ve\f": `| a\u2028b\u2029c\u0085d\ve\f`,
	} {
		if got := cli.PrefixLines(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestVisible_Colours(t *testing.T) {
	for text, want := range map[string]string{
		"\x1b[32msucceeded\x1b[0m ✓\n": "\x1b[32msucceeded\x1b[0m ✓\n",
		"\x1b[2J\u202e\u009b\n":        `\x1b[2J\u202e\u009b` + "\n",
		"\x1b[31m\x1b[31;5m\xff":       "\x1b[31m" + `\x1b[31;5m\ufffd`,
	} {
		if got := cli.Visible(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestStyle_Abbreviate(t *testing.T) {
	short, full := cli.Style{}, cli.Style{Full: true}
	for text, want := range map[string]string{
		"":                                   "",
		"123":                                "…",
		"12345678":                           "12…78",
		"999966660":                          "99…60",
		"TXsmKpEuW7qWnXzJLGP9eDLvWPR2GRn1FS": "TXsmKp…n1FS",
	} {
		if got := short.Abbreviate(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		if got := full.Abbreviate(text); got != text {
			t.Errorf("%q in full: got %s", text, got)
		}
	}
}

func TestFormatAge(t *testing.T) {
	for span, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 119 * time.Second: "119 s", 2 * time.Minute: "2 min",
		119 * time.Minute: "119 min", 2 * time.Hour: "2 h", 47 * time.Hour: "47 h", 50 * time.Hour: "2 days",
	} {
		if got := cli.FormatAge(span); got != want {
			t.Errorf("%s: got %s, want %s", span, got, want)
		}
	}
}

// The template has each output that the program reads.
func TestOutputs_InTemplate(t *testing.T) {
	text, err := os.ReadFile("../../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, outputs, _ := strings.Cut(string(text), "\nOutputs:\n")
	names := cli.Outputs()
	for _, d := range providers.All() {
		names = append(names, d.KeysOutput())
		if d.Queries != nil {
			names = append(names, d.APIOutput(), d.QueriesParameter())
		}
	}
	for _, name := range names {
		if !strings.Contains(outputs, "\n  "+name+":\n") && !strings.HasPrefix(outputs, "  "+name+":\n") {
			t.Errorf("template.yaml has no output %s", name)
		}
	}
}

// A note about a value, or a provider's reason, shows no account number and no address as
// a whole.
func TestStyle_AbbreviateIn(t *testing.T) {
	for text, want := range map[string]string{
		`address: "TQ5SecretRecipientAddress1234567890\u0000", want an address`: `address: "TQ5Sec…7890\u0000", want an address`,
		"account 1234567890 of A. Example is closed":                            "account 12…90 of A. Example is closed",
		"account 1234 5678 9012 3456, or 1234-5678-90":                          "account 1234…3456, or 123…-90",
		"amount: \"1,500\", unauthenticated since 2026-11":                      "amount: \"1,500\", unauthenticated since 2026-11",
		"": "",
	} {
		if got := (cli.Style{}).AbbreviateIn(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if got := (cli.Style{Full: true}).AbbreviateIn(text); got != text {
			t.Errorf("%s in full: %s", text, got)
		}
	}
}
