package main_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	mutants "payout-callbacks/cmd/mutants"
	"payout-callbacks/pkg/templatetest"
)

func TestTheDocumentSaysHowManyThereAre(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(templatetest.Root(t), "docs", "RELIABILITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("(`make mutants`). %d deliberate breakages", len(mutants.Table())); !strings.Contains(string(text), want) {
		t.Errorf("docs/RELIABILITY.md does not say %q", want)
	}
}

// A patch that no longer applies proves nothing, and nobody waits for make
// mutants to say so.
func TestEveryPatchAppliesToTheTreeAsItIs(t *testing.T) {
	root := templatetest.Root(t)
	names := map[string]bool{}
	for _, m := range mutants.Table() {
		text, err := os.ReadFile(filepath.Join(root, m.File))
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if found := strings.Count(string(text), m.Old); found != 1 || m.Old == m.New {
			t.Errorf("%s: the old text stands %d times in %s, want once, and another new one", m.Name, found, m.File)
		}
		if names[m.Name] || !regexp.MustCompile(`^I([1-9]|10)$`).MatchString(m.Breaks) {
			t.Errorf("%s: breaks %q; is it named twice: %t", m.Name, m.Breaks, names[m.Name])
		}
		names[m.Name] = true
	}
	if len(names) < 100 {
		t.Errorf("%d mutants are left", len(names))
	}
}

func TestEveryInvariantIsBrokenByAMutant(t *testing.T) {
	broken := map[string]int{}
	for _, m := range mutants.Table() {
		broken[m.Breaks]++
	}
	for _, invariant := range []string{"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10"} {
		if broken[invariant] == 0 {
			t.Errorf("nothing breaks %s", invariant)
		}
	}
}

func TestWhatBecomesOfAMutant(t *testing.T) {
	root := module(t, "func Twice(n int) int { return n + n }\n\nfunc Untested() int { return 1 }\n")
	patch := func(name, old, replaced string) mutants.Mutant {
		return mutants.Mutant{Name: name, File: "a/a.go", Old: old, New: replaced}
	}
	got, err := mutants.Hunt(t.Context(), root,
		patch("found by a test", "n + n", "n * n"),
		patch("found by no test", "return 1", "return 2"),
		patch("does not compile", "n + n", "n + m"),
		patch("out of date", "n - n", "n"),
		patch("ambiguous", "return", "panic(0); return"),
		patch("ends the process", "n + n", "exit()"),
		patch("found by a test, after all those", "n + n", "n"),
	)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"found by a test":                  "caught a.TestTwice/of_three",
		"found by no test":                 "SURVIVED ",
		"does not compile":                 "BROKEN ",
		"out of date":                      "BROKEN ",
		"ambiguous":                        "BROKEN ",
		"ends the process":                 "caught a.TestTwice/of_two",
		"found by a test, after all those": "caught a.TestTwice/of_two",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text, err := os.ReadFile(filepath.Join(root, "a", "a.go")); err != nil || !strings.Contains(string(text), "n + n") {
		t.Errorf("the tree itself was touched: %v\n%s", err, text)
	}
}

func TestRedTestsAreNoAnswer(t *testing.T) {
	root := module(t, "func Twice(n int) int { return n }\n")
	_, err := mutants.Hunt(t.Context(), root, mutants.Mutant{Name: "any", File: "a/a.go", Old: "return n", New: "return 0"})
	if err == nil || !strings.Contains(err.Error(), "TestTwice/of_two") {
		t.Errorf("got %v, want it to say which test fails without a mutant", err)
	}
}

// module writes a module of one package and its test.
func module(t *testing.T, code string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com\n\ngo 1.26\n",
		"a/a.go": "package a\n\nimport \"os\"\n\nfunc exit() int { os.Exit(3); return 0 }\n\n" + code,
		"a/a_test.go": `package a

import "testing"

func TestTwice(t *testing.T) {
	for name, n := range map[string]int{"of two": 2} {
		t.Run(name, func(t *testing.T) {
			if Twice(n) != n+n {
				t.Error(n)
			}
		})
	}
	t.Run("of three", func(t *testing.T) {
		if Twice(3) != 6 {
			t.Error(3)
		}
	})
}
`,
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestTheTestThatFailedFirstIsNamed(t *testing.T) {
	for name, test := range map[string]struct{ events, by string }{
		"all pass":           {`{"Action":"run","Test":"A"}{"Action":"pass","Test":"A"}{"Action":"pass"}`, ""},
		"the innermost":      {`{"Action":"run","Test":"A"}{"Action":"run","Test":"A/b"}{"Action":"fail","Test":"A/b"}{"Action":"fail","Test":"A"}`, "A/b"},
		"the first":          {`{"Action":"run","Test":"A"}{"Action":"fail","Test":"A"}{"Action":"fail","Test":"B"}`, "A"},
		"died while B ran":   {`{"Action":"run","Test":"A"}{"Action":"pass","Test":"A"}{"Action":"run","Test":"B"}{"Action":"fail"}`, "B"},
		"does not compile":   {`{"Action":"build-output","Output":"undefined: x"}{"Action":"build-fail"}{"Action":"fail","FailedBuild":"a"}`, ""},
		"skipped is no fail": {`{"Action":"run","Test":"A"}{"Action":"skip","Test":"A"}{"Action":"pass"}`, ""},
	} {
		by, _, err := mutants.Read(strings.NewReader(test.events))
		if err != nil || by != test.by {
			t.Errorf("%s: got %q, %v, want %q", name, by, err, test.by)
		}
	}
}

func TestCommandLine(t *testing.T) {
	for _, variable := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"} {
		t.Setenv(variable, "")
	}
	for _, test := range []struct {
		args         []string
		code         int
		told, stderr string
	}{
		{args: []string{"--help"}, told: "Exit codes: 0 every mutant"},
		{args: []string{"--list"}, told: "the last writer wins"},
		{args: []string{"--list", "--json", "--only", "base64"}, told: `{"mutant":"base64 is ignored","breaks":"I7","file":"pkg/gateway/gateway.go"}`},
		{args: []string{"--only", "no such"}, code: 2, stderr: "no mutant's name contains no such"},
		{args: []string{"--jobs", "0"}, code: 2, stderr: "at least 1"},
		{args: []string{"--nope"}, code: 2, stderr: "unknown flag"},
		{args: []string{"--only", "the put has no condition"}, code: 3, stderr: "AWS_ENDPOINT_URL_DYNAMODB names no emulator"},
	} {
		var stdout, stderr strings.Builder
		code := mutants.Run(t.Context(), test.args, io.Writer(&stdout), io.Writer(&stderr))
		if code != test.code || !strings.Contains(stdout.String(), test.told) || !strings.Contains(stderr.String(), test.stderr) {
			t.Errorf("%v: exit %d, want %d\n%s\n%s", test.args, code, test.code, stdout.String(), stderr.String())
		}
	}
}
