package explain

import (
	"errors"
	"regexp"
	"strings"
)

var (
	curlRequestLine = regexp.MustCompile(`(?m)^> (POST|PUT) \S+ HTTP/[0-9.]+\r?$`)
	// The body in a command line of curl, quoted for a shell or bare.
	curlData = regexp.MustCompile(`(?s)\s(?:-d ?|--(?:data|data-raw|data-binary|json)[ =])(?:'((?:[^']|'\\'')*)'|"((?:[^"\\]|\\.)*)"|([^\s'"@]\S*))`)
	// Lines that are part of neither the head nor the body of a request.
	curlNote    = regexp.MustCompile(`^(\*|>|[{}] \[)`)
	shellEscape = regexp.MustCompile("\\\\([\"\\\\$`])")
)

// splitCurl splits the output of curl -v into the head and the body of the request.
// ok is false for any other text.
func splitCurl(text []byte) (head, body []byte, ok bool, err error) {
	start := curlRequestLine.FindIndex(text)
	if start == nil {
		return nil, nil, false, nil
	}
	var headers, rest []string
	for line := range strings.Lines(string(text[start[0]:])) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "< ") {
			break // the response
		}
		if header, ok := strings.CutPrefix(line, "> "); ok && header != "" {
			headers = append(headers, header)
		} else if !curlNote.MatchString(line) {
			rest = append(rest, line)
		}
	}
	head, body = []byte(strings.Join(headers, "\n")), []byte(strings.Trim(strings.Join(rest, "\n"), "\n"))
	if data := curlData.FindSubmatch(text[:start[0]]); data != nil {
		body = []byte(unquoteShell(string(data[1]), string(data[2]), string(data[3])))
	} else if len(body) == 0 {
		err = errors.New("curl -v does not print the body that it sends: " +
			"put the command line with its -d before the output, or write the body after an empty line below the request's headers")
	}
	return head, body, true, err
}

// unquoteShell returns the text of a word in single quotes, in double quotes, or
// without quotes; two of the three are empty.
func unquoteShell(single, double, bare string) string {
	return strings.ReplaceAll(single, `'\''`, "'") + shellEscape.ReplaceAllString(double, "$1") + bare
}
