package providertest

import (
	"bytes"
	"strings"
)

// archive is a file in the txtar format: a comment, then files that each begin
// with a line "-- name --". (Our own forty lines: the libraries that read it
// bring golang.org/x/tools into go.mod.)
type archive struct {
	comment []byte
	files   []file
}

type file struct {
	name string
	data []byte // ends in a newline, unless it is empty
}

func parseArchive(data []byte) archive {
	var parsed archive
	into := &parsed.comment
	for line := range bytes.Lines(data) {
		if name := marker(line); name != "" {
			parsed.files = append(parsed.files, file{name: name})
			into = &parsed.files[len(parsed.files)-1].data
			continue
		}
		*into = append(*into, line...)
		if !bytes.HasSuffix(line, []byte("\n")) {
			*into = append(*into, '\n')
		}
	}
	return parsed
}

// marker returns the file's name if the line begins one.
func marker(line []byte) string {
	text := strings.TrimRight(string(line), "\r\n")
	name, found := strings.CutPrefix(text, "-- ")
	if !found || !strings.HasSuffix(name, " --") {
		return ""
	}
	return strings.TrimSpace(strings.TrimSuffix(name, " --"))
}

func (a archive) format() []byte {
	text := bytes.Clone(a.comment)
	for _, file := range a.files {
		text = append(text, "-- "+file.name+" --\n"...)
		text = append(text, file.data...)
	}
	return text
}
