package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	payoutctl "payout-callbacks/cmd/payoutctl"
)

func utf16Of(text string, mark, bigEndian bool) string {
	var out []byte
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	for _, unit := range units {
		low, high := byte(unit), byte(unit>>8)
		if bigEndian {
			low, high = high, low
		}
		out = append(out, low, high)
	}
	return string(out)
}

// The error names the encoding of a file that another editor or shell wrote, and never
// the key.
func TestKeyFile_Encoding(t *testing.T) {
	const key = "f502a9ac9ca54327986f29c03b271491"
	for name, test := range map[string]struct{ text, want string }{
		"UTF-8 with a mark":             {"\ufeff" + key, "UTF-8 with a byte-order mark"},
		"UTF-16 of PowerShell":          {utf16Of(key+"\r\n", true, false), "UTF-16 (little-endian) with a byte-order mark"},
		"UTF-16, big-endian":            {utf16Of(key, true, true), "UTF-16 (big-endian) with a byte-order mark"},
		"UTF-16 without a mark":         {utf16Of(key, false, false), "UTF-16 (little-endian) without"},
		"UTF-16 big-endian, no mark":    {utf16Of(key, false, true), "UTF-16 (big-endian) without"},
		"UTF-32":                        {"\xff\xfe\x00\x00f\x00\x00\x00", "UTF-32 with"},
		"UTF-32 without a mark":         {"f\x00\x00\x005\x00\x00\x00", "UTF-32 without"},
		"double quotes":                 {`"` + key + `"` + "\n", "the key is in quotes"},
		"single quotes":                 {"'" + key + "'", "the key is in quotes"},
		"JSON":                          {`{"current": "` + key + `"}`, "not one line"},
		"a zero-width space":            {key + "\u200b", "not printable ASCII"},
		"an empty file with a mark":     {"\ufeff", "UTF-8 with a byte-order mark"},
		"one letter":                    {"f\n", "shorter than"},
		"typographic quotes":            {"“" + key + "”", "not printable ASCII"},
		"a line end of another system":  {key + "\r\n", ""},
		"no line end":                   {key, ""},
		"white space around the key":    {"  " + key + "\t\n\n", ""},
		"a quote inside of the key":     {`f502"a9ac`, ""},
		"a quote at the beginning only": {`"f502a9ac`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file, body := filepath.Join(dir, "key"), filepath.Join(dir, "body")
			for path, text := range map[string]string{file: test.text, body: `{"pid":7}`} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var stdout, stderr strings.Builder
			code := payoutctl.Run([]string{"explain", body, "--provider", "cregis", "--account", "7", "--key-file", file}, &stdout, &stderr)
			if test.want == "" {
				if code == 2 {
					t.Errorf("refused: %s", stderr.String())
				}
				return
			}
			if code != 2 || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("code %d, %s, want 2 and %q", code, stderr.String(), test.want)
			}
			if strings.Contains(stdout.String()+stderr.String(), key) {
				t.Error("the key is printed")
			}
		})
	}
}
