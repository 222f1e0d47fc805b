package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"payout-callbacks/pkg/testkit/providertest"
)

// status is what a provider's tests show about a requirement.
type status string

const (
	passed     status = "passed"
	failed     status = "failed"
	notWritten status = "not written"
)

// finding is the status of a requirement.
type finding struct {
	Requirement string `json:"requirement"`
	Status      status `json:"status"`
	Test        string `json:"test"`
	Detail      string `json:"detail,omitempty"` // what is wrong or missing, or why it does not apply
}

// check runs the tests of a provider of the repository in a folder, and writes a line for
// each requirement. It fails unless all passed.
func check(ctx context.Context, root, name string, asJSON bool, out io.Writer) error {
	tests, err := os.ReadDir(filepath.Join(root, "pkg", "provider", name))
	if err != nil || !isName(name) || len(tests) == 0 {
		return fmt.Errorf("pkg/provider has no provider %q", name)
	}
	command := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-run", "^(TestProvider|FuzzParse|FuzzAnswer)$", "./pkg/provider/"+name)
	command.Dir = root
	report, err := command.CombinedOutput()
	if _, isExit := errors.AsType[*exec.ExitError](err); err != nil && !isExit {
		return err
	}
	findings, err := readReport(report)
	if err != nil {
		return err
	}
	return write(out, name, findings, asJSON)
}

var isName = regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString

// event is a line of `go test -json`.
type event struct {
	Action string `json:"Action"`
	Test   string `json:"Test"`
	Output string `json:"Output"`
}

// readReport returns the findings of a report of `go test -json`. It fails if the tests did
// not run, with what the tests wrote.
func readReport(report []byte) ([]finding, error) {
	actions, details := map[string]string{}, map[string]string{}
	var other bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(report))
	lines.Buffer(nil, len(report)+1)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(&other, lines.Text())
			continue
		}
		switch e.Action {
		case "pass", "fail", "skip":
			actions[e.Test] = e.Action
		case "output", "build-output":
			details[e.Test] += e.Output
		}
	}
	if actions["TestProvider"] == "" {
		return nil, fmt.Errorf("the tests did not run:\n%s%s", other.String(), details[""])
	}
	var findings []finding
	for _, r := range providertest.Requirements() {
		test := r.Test
		if actions[test] == "" {
			test = "TestProvider/" + r.Name // passes if the requirement does not apply
		}
		f := finding{Requirement: r.Name, Status: notWritten, Test: r.Test, Detail: detailOf(details[test])}
		switch actions[test] {
		case "pass":
			f.Status = passed
		case "fail":
			f.Status = failed
		case "":
			f.Detail = "the package has no " + r.Test
		}
		findings = append(findings, f)
	}
	return findings, nil
}

var (
	place  = regexp.MustCompile(`(?m)^\s+\w+\.go:\d+: `)
	frames = regexp.MustCompile(`(?m)^\s*(===|---) .*\n?`)
)

// detailOf returns what a test wrote, without the frame of go test.
func detailOf(output string) string {
	text := strings.TrimSpace(place.ReplaceAllString(frames.ReplaceAllString(output, ""), ""))
	return strings.TrimPrefix(text, "not written: ")
}

// write writes the findings about a provider, and fails unless all passed.
func write(out io.Writer, name string, findings []finding, asJSON bool) error {
	incomplete := 0
	for _, f := range findings {
		if f.Status != passed {
			incomplete++
		}
		if asJSON {
			continue
		}
		detail := ""
		if f.Detail != "" {
			detail = ": " + strings.ReplaceAll(f.Detail, "\n", "\n"+strings.Repeat(" ", 14))
		}
		fmt.Fprintf(out, "%-12s  %-18s  %s%s\n", f.Status, f.Requirement, f.Test, detail)
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(findings); err != nil {
			return err
		}
	}
	if incomplete > 0 {
		return fmt.Errorf("%s: %d of %d requirements are not passed, see docs/providers/TEMPLATE.md", name, incomplete, len(findings))
	}
	return nil
}
