package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// The document states how many mutants there are.
func TestMutants_DocumentedCount(t *testing.T) {
	mutants, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "RELIABILITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("(`make mutants`). %d deliberate bugs", len(mutants)); !strings.Contains(string(text), want) {
		t.Errorf("docs/RELIABILITY.md does not state %q", want)
	}
}

// Each patch applies to the current code.
func TestMutants_Apply(t *testing.T) {
	mutants, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	invariants := map[string]int{}
	names := map[string]bool{}
	for _, m := range mutants {
		invariants[m.Breaks]++
		if names[m.Name] {
			t.Errorf("two mutants are named %s", m.Name)
		}
		names[m.Name] = true
		text, err := os.ReadFile(filepath.Join(root, m.File))
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
		} else if n := strings.Count(string(text), m.Old); n != 1 || m.Old == m.New {
			t.Errorf("%s: the old text is %d times in %s, want once", m.Name, n, m.File)
		}
	}
	for _, invariant := range []string{"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13"} {
		if invariants[invariant] == 0 {
			t.Errorf("no mutant breaks %s", invariant)
		}
	}
}

func TestMutant_Verdicts(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module m\n\ngo 1.26\n",
		"a/a.go":      "package a\n\nfunc Twice(n int) int { return n + n }\n\nfunc Untested() int { return 1 }\n",
		"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestTwice(t *testing.T) {\n\tif Twice(3) != 6 {\n\t\tt.Fatal()\n\t}\n}\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ old, replacement, want string }{
		"a test fails":       {"n + n", "n * n", caught},
		"no test fails":      {"return 1", "return 2", survived},
		"does not compile":   {"n + n", "n + m", broken},
		"does not apply":     {"n - n", "n", broken},
		"applies twice":      {"return", "panic(0); return", broken},
		"the process panics": {"n + n", "panicking()\n}\n\nfunc panicking() int { panic(0)", caught},
	} {
		m := mutant{Name: name, File: "a/a.go", Old: test.old, New: test.replacement}
		if verdict, by := m.run(t.Context(), dir); verdict != test.want {
			t.Errorf("%s: %s (%s), want %s", name, verdict, by, test.want)
		}
	}
}
