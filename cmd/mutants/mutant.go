package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one deliberate breakage of what ships.
type mutant struct {
	name   string // what is wrong with the program now
	breaks string // the invariant of docs/STATES.md that it is against
	file   string // from the root of the module
	old    string // stands in the file exactly once
	new    string
	also   []string // packages whose tests are run after those of the file's own
}

// table is all mutants.
var table = slices.Concat(truth, flow, providers, adapters, deployment, notices, repairs, operator)

// packages lists the tests to run, nearest first: the first that fails ends it.
func (m mutant) packages() []string {
	var folders []string
	if strings.HasSuffix(m.file, ".go") {
		folders = append(folders, "./"+path.Dir(m.file))
	}
	return append(folders, m.also...)
}

// applyTo patches the copy of the module in dir, and returns what puts it right again.
func (m mutant) applyTo(dir string) (restore func() error, err error) {
	name := filepath.Join(dir, filepath.FromSlash(m.file))
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if found := strings.Count(string(text), m.old); found != 1 {
		return nil, fmt.Errorf("the old text stands %d times in %s, want once: the patch is out of date", found, m.file)
	}
	patched := strings.Replace(string(text), m.old, m.new, 1)
	restore = func() error { return os.WriteFile(name, text, 0o600) }
	return restore, os.WriteFile(name, []byte(patched), 0o600)
}
