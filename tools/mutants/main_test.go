package main

import (
	"os"
	"path/filepath"
	"testing"
)

const root = "../.."

// A patch that no longer applies proves nothing.
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
			t.Errorf("%s: stands twice", m.Name)
		}
		names[m.Name] = true
		dir := copyOf(t, m.File)
		if _, err := m.apply(dir); err != nil || m.Old == m.New {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	for _, invariant := range []string{"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10"} {
		if invariants[invariant] == 0 {
			t.Errorf("no mutant breaks %s", invariant)
		}
	}
}

// copyOf returns a folder that holds one file of the module.
func copyOf(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
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
