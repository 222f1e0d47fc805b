package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/testkit/providertest"
	"payout-callbacks/pkg/testkit/templatetest"
)

func TestCheck_FinishedProviders(t *testing.T) {
	for _, name := range []string{"cregis", "pivot"} {
		var out bytes.Buffer
		if err := check(t.Context(), templatetest.Root(t), name, false, &out); err != nil {
			t.Errorf("%v\n%s", err, out.String())
		}
		if got, want := strings.Count(out.String(), "\npassed ")+1, len(providertest.Requirements()); got != want {
			t.Errorf("%s: %d lines, want %d:\n%s", name, got, want, out.String())
		}
	}
}

func TestCheck_UnknownProvider(t *testing.T) {
	for _, name := range []string{"nope", "", ".", "../callback", "cregis/testdata", "-x"} {
		if err := check(t.Context(), templatetest.Root(t), name, false, nil); err == nil || !strings.Contains(err.Error(), "no provider") {
			t.Errorf("%q: %v, want it refused", name, err)
		}
	}
}

// Each requirement has one status, and a test that did not run is never passed.
func TestReadReport(t *testing.T) {
	line := func(action, test, output string) string {
		return `{"Action":"` + action + `","Test":"` + test + `","Output":"` + output + `"}` + "\n"
	}
	report := line("pass", "TestProvider/replies", "") +
		line("output", "TestProvider/statuses", `    run.go:88: not written: testdata/statuses.txt\n`) + line("skip", "TestProvider/statuses", "") +
		line("output", "TestProvider/sender", `=== RUN   TestProvider/sender\n`) +
		line("output", "TestProvider/sender", `    run.go:90: paid: sender is b\n`) + line("fail", "TestProvider/sender", "") +
		line("output", "TestProvider/query-fuzz", `    run.go:92: does not apply: no API\n`) + line("pass", "TestProvider/query-fuzz", "") +
		line("fail", "TestProvider", "")
	findings, err := readReport([]byte(report))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]finding{
		"replies":    {"replies", passed, "TestProvider/replies", ""},
		"statuses":   {"statuses", notWritten, "TestProvider/statuses", "testdata/statuses.txt"},
		"sender":     {"sender", failed, "TestProvider/sender", "paid: sender is b"},
		"query-fuzz": {"query-fuzz", passed, "FuzzAnswer", "does not apply: no API"},
		"fuzz":       {"fuzz", notWritten, "FuzzParse", "the package has no FuzzParse"},
		"copies":     {"copies", notWritten, "TestProvider/copies", "the package has no TestProvider/copies"},
	}
	for _, f := range findings {
		if w, ok := want[f.Requirement]; ok && f != w {
			t.Error(cmp.Diff(w, f))
		} else if !ok && f.Status != notWritten {
			t.Errorf("%+v, and no test ran", f)
		}
	}
	var out bytes.Buffer
	if err := write(&out, "acmepay", findings, true); err == nil || !strings.Contains(out.String(), `"status": "not written"`) {
		t.Errorf("%v: %s", err, out.String())
	}
	if _, err := readReport([]byte(line("build-output", "", "syntax error") + "no JSON\n")); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("a package that does not build: %v", err)
	}
}

// The document has a row for each requirement.
func TestTemplate_Requirements(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(templatetest.Root(t), "docs", "providers", "TEMPLATE.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows, names []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		rows = append(rows, row[1])
	}
	for _, r := range providertest.Requirements() {
		names = append(names, r.Name)
	}
	if diff := cmp.Diff(names, rows); diff != "" {
		t.Errorf("rows (-requirements +rows):\n%s", diff)
	}
}
