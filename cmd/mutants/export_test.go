package main

import (
	"context"
	"io"
)

// Mutant is a mutant as a test makes one.
type Mutant struct{ Name, Breaks, File, Old, New string }

// Table returns all mutants that the command knows.
func Table() []Mutant {
	var all []Mutant
	for _, m := range table {
		all = append(all, Mutant{m.name, m.breaks, m.file, m.old, m.new})
	}
	return all
}

// Hunt tries mutants on the module in root and returns what became of each.
func Hunt(ctx context.Context, root string, made ...Mutant) (map[string]string, error) {
	var mutants []mutant
	for _, m := range made {
		mutants = append(mutants, mutant{name: m.Name, breaks: m.Breaks, file: m.File, old: m.Old, new: m.New})
	}
	results, err := hunter{root: root, jobs: 2, show: showOn(io.Discard, len(mutants))}.hunt(ctx, mutants)
	became := map[string]string{}
	for _, one := range results {
		became[one.Mutant] = string(one.Verdict) + " " + one.By
	}
	return became, err
}

// Read returns the test that failed first in the events of go test -json.
func Read(events io.Reader) (by, output string, err error) {
	told, err := read(events)
	return told.by, told.output, err
}

// Run is the program.
var Run = run
