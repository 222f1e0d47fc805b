package cli

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"strings"
	"unicode"

	"payout-callbacks/pkg/aws/secrets"
	"payout-callbacks/pkg/callback"
)

// ReadKey reads a key from a file or from standard input, without the white space
// around it. No error contains any part of the key.
func (s *Session) ReadKey(path string) (callback.Key, error) {
	from := s.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return "", Usagef("", "read key: %w", err)
		}
		defer file.Close()
		from = file
	}
	if isTerminal(from) {
		return "", Usagef("give it in a file or through a pipe", "read key: standard input is a terminal, which would show the key")
	}
	read, err := io.ReadAll(io.LimitReader(from, maxKey+1))
	if err != nil {
		return "", Usagef("", "read key: %w", err)
	}
	if encoding := detectEncoding(read); encoding != "" {
		return "", Usagef("save it as plain text (ASCII or UTF-8 without a byte-order mark)", "read key: the file is %s", encoding)
	}
	key := callback.Key(strings.TrimSpace(string(read)))
	if key == "" {
		return "", Usagef("it must contain the key, on one line", "read key: %s is empty", cmp.Or(strings.TrimPrefix(path, "-"), "standard input"))
	}
	if len(key) > maxKey || strings.ContainsFunc(string(key), unicode.IsSpace) {
		return "", Usagef("", "read key: not one line of printable characters without spaces")
	}
	if problem := secrets.KeyProblem(key); problem != "" {
		return "", Usagef("the file holds the key alone, as the provider shows it", "read key: the key %s", problem)
	}
	return key, nil
}

// byteOrderMarks are the marks of the encodings, longest first.
var byteOrderMarks = []struct{ mark, encoding string }{
	{"\xff\xfe\x00\x00", "UTF-32 with a byte-order mark"},
	{"\x00\x00\xfe\xff", "UTF-32 with a byte-order mark"},
	{"\xff\xfe", "UTF-16 (little-endian) with a byte-order mark"},
	{"\xfe\xff", "UTF-16 (big-endian) with a byte-order mark"},
	{"\xef\xbb\xbf", "UTF-8 with a byte-order mark"},
}

// detectEncoding names the encoding of a text that is neither ASCII nor plain
// UTF-8, by its byte-order mark or by the zero bytes of UTF-16 and UTF-32.
func detectEncoding(text []byte) string {
	for _, known := range byteOrderMarks {
		if bytes.HasPrefix(text, []byte(known.mark)) {
			return known.encoding
		}
	}
	isZero := func(n int) bool { return n < len(text) && text[n] == 0 }
	switch {
	case isZero(2) && (isZero(1) && isZero(3) || isZero(0) && isZero(1)):
		return "UTF-32 without a byte-order mark"
	case isZero(1):
		return "UTF-16 (little-endian) without a byte-order mark"
	case isZero(0) && len(text) > 1:
		return "UTF-16 (big-endian) without a byte-order mark"
	}
	return ""
}

// maxKey bounds what is read of a key file. Known keys have 32 to 64 bytes.
const maxKey = 4096
