package explain

import (
	"errors"
	"regexp"
	"strings"
)

// errCurlBody means that the output of curl has no body: it prints the headers that
// it sends, and never the body.
var errCurlBody = errors.New("curl -v does not print the body that it sends: " +
	"put the command line with its -d before the output, or write the body behind an empty line below the request's headers")

var (
	curlSends = regexp.MustCompile(`(?m)^> (POST|PUT) \S+ HTTP/[0-9.]+\r?$`)
	// The body on a command line of curl, in the quotes of a shell or without.
	curlData = regexp.MustCompile(`(?s)\s(?:-d ?|--(?:data|data-raw|data-binary|json)[ =])(?:'((?:[^']|'\\'')*)'|"((?:[^"\\]|\\.)*)"|([^\s'"@]\S*))`)
)

// fromCurl turns the output of curl -v into the request: the lines that begin with
// > are its head. It reports whether the text is such an output.
func fromCurl(text []byte) (head, body []byte, ok bool, err error) {
	at := curlSends.FindIndex(text)
	if at == nil {
		return nil, nil, false, nil
	}
	var lines, below []string
	ended := false
	for line := range strings.Lines(string(text[at[0]:])) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "< "):
			ended = true // what follows is the answer
		case ended, strings.TrimSpace(line) == ">", strings.HasPrefix(line, "* "), strings.HasPrefix(line, "} ["), strings.HasPrefix(line, "{ ["):
		case strings.HasPrefix(line, "> "):
			lines = append(lines, line[len("> "):])
		default:
			below = append(below, line)
		}
	}
	head = []byte(strings.Join(lines, "\n"))
	if data := curlData.FindSubmatch(text[:at[0]]); data != nil {
		return head, []byte(unshell(string(data[1]), string(data[2]), string(data[3]))), true, nil
	}
	body = []byte(strings.Trim(strings.Join(below, "\n"), "\n"))
	if len(body) == 0 {
		return nil, nil, true, errCurlBody
	}
	return head, body, true, nil
}

// unshell returns the text of a shell's word, in single quotes, in double quotes or
// without quotes, of which two are empty.
func unshell(single, double, bare string) string {
	double = regexp.MustCompile("\\\\([\"\\\\$`])").ReplaceAllString(double, "$1")
	return strings.ReplaceAll(single, `'\''`, "'") + double + bare
}
