package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	payoutctl "payout-callbacks/cmd/payoutctl"
)

// written finds command lines in documents: payoutctl, which stack, and the rest of the line.
var written = regexp.MustCompile(`payoutctl (?:\$STACK|--stack [^ ]+|--local) ([a-z][^\n` + "`" + `]*)`)

// Documents contain existing commands and flags only.
func TestDocuments_Commands(t *testing.T) {
	root := repository(t)
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	documents = append(documents, filepath.Join(root, "README.md"))
	lines := 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, texts := range written.FindAllStringSubmatch(string(text), -1) {
			lines++
			checkLine(t, filepath.Base(document), texts[1])
		}
	}
	if lines < 50 {
		t.Errorf("found %d command lines", lines)
	}
}

// checkLine runs the help of the command and checks that it contains each flag.
func checkLine(t *testing.T, document, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " #")
	words := strings.Fields(line)
	command := words[:1]
	if len(words) > 1 && slices.Contains([]string{"keys", "dlq"}, words[0]) {
		command = words[:2]
	}
	var out, problems bytes.Buffer
	if code := payoutctl.Run(append(slices.Clone(command), "--help"), &out, &problems); code != 0 || !strings.Contains(out.String(), "payoutctl "+strings.Join(command, " ")) {
		t.Errorf("%s: %s: exit code %d\n%s", document, line, code, problems.String())
		return
	}
	if words[0] == "send" {
		return // its flags are those of the callbacks, one level down
	}
	for _, word := range words {
		name, _, _ := strings.Cut(word, "=")
		if strings.HasPrefix(name, "--") && !regexp.MustCompile(regexp.QuoteMeta(name)+`\b`).MatchString(out.String()) {
			t.Errorf("%s: %s: %s has no %s", document, line, strings.Join(command, " "), name)
		}
	}
}

// The help of each command lists the permissions that it needs on a deployed stack, or
// names the command that lists them.
func TestCommands_HelpListsPermissions(t *testing.T) {
	permission := regexp.MustCompile(`Needs\b[^.]*\b([a-z]+:[A-Z]|permissions of [a-z]+)`)
	for command, help := range payoutctl.Commands() {
		if !permission.MatchString(help) {
			t.Errorf("the help of %s lists no permissions", command)
		}
	}
}
