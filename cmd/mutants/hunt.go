package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// verdict is what became of a mutant.
type verdict string

const (
	caught   verdict = "caught"
	survived verdict = "SURVIVED"
	broken   verdict = "BROKEN"
)

// result is what is told of one mutant.
type result struct {
	Mutant  string  `json:"mutant"`
	Breaks  string  `json:"breaks"`
	File    string  `json:"file"`
	Verdict verdict `json:"verdict,omitempty"`
	By      string  `json:"by,omitempty"`  // package.Test
	Why     string  `json:"why,omitempty"` // of a broken one
	Seconds float64 `json:"seconds,omitempty"`
}

func resultOf(m mutant) result { return result{Mutant: m.name, Breaks: m.breaks, File: m.file} }

func untried(mutants []mutant) []result {
	var results []result
	for _, one := range mutants {
		results = append(results, resultOf(one))
	}
	return results
}

// hunter tries mutants on copies of the module in root.
type hunter struct {
	root string
	jobs int
	show *progress
}

// hunt returns the results in the order of the mutants. It fails where nothing
// can be said of any: above all where the tests are red without a mutant.
func (h hunter) hunt(ctx context.Context, mutants []mutant) ([]result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var dirs []string
	defer func() {
		for _, dir := range dirs {
			_ = os.RemoveAll(dir)
		}
	}()
	for range min(h.jobs, len(mutants)) {
		dir, err := copyTree(h.root)
		dirs = append(dirs, dir)
		if err != nil {
			return nil, fmt.Errorf("copy the tree: %w", err)
		}
	}
	if err := h.baseline(ctx, dirs[0], mutants); err != nil {
		return nil, err
	}
	results := make([]result, len(mutants))
	next := make(chan int)
	var working sync.WaitGroup
	for _, dir := range dirs {
		working.Go(func() {
			for at := range next {
				if err := h.try(ctx, dir, mutants[at], &results[at]); err != nil {
					cancel(err)
				}
			}
		})
	}
	for at := range mutants {
		next <- at
	}
	close(next)
	working.Wait()
	h.show.done()
	return results, context.Cause(ctx)
}

// baseline shows that the tests pass without a mutant, and compiles for all.
func (h hunter) baseline(ctx context.Context, dir string, mutants []mutant) error {
	h.show.begin("the tests as they are, without a mutant")
	var packages []string
	for _, one := range mutants {
		packages = append(packages, one.packages()...)
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	emulated := slices.DeleteFunc(slices.Clone(packages), func(folder string) bool { return !needsEmulator(folder) })
	told, err := goTest(ctx, dir, packages...)
	for range attempts {
		if err != nil || !needsEmulator(told.folder) {
			break
		}
		told, err = goTest(ctx, dir, emulated...)
	}
	switch {
	case err != nil:
		return err
	case told.failed:
		return fmt.Errorf("without any mutant, the tests of %s fail: %s%s", told.folder, told.by, lastLines(told.output))
	}
	return nil
}

// try patches the copy, tests it and puts it right again.
func (h hunter) try(ctx context.Context, dir string, m mutant, told *result) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	begun := time.Now()
	*told = resultOf(m)
	h.show.begin(m.name)
	defer func() {
		told.Seconds = time.Since(begun).Seconds()
		h.show.end(*told)
	}()
	restore, err := m.applyTo(dir)
	if err != nil {
		told.Verdict, told.Why = broken, err.Error()
		return nil
	}
	return errors.Join(told.judge(ctx, dir, m), restore())
}

// judge runs the packages until a test fails.
func (r *result) judge(ctx context.Context, dir string, m mutant) error {
	r.Verdict = survived
	for _, folder := range m.packages() {
		found, err := confirmed(ctx, dir, folder)
		switch {
		case err != nil:
			return fmt.Errorf("test %s: %w", folder, err)
		case found.by != "":
			r.Verdict, r.By = caught, path.Base(folder)+"."+found.by
			return nil
		case found.failed:
			r.Verdict, r.Why = broken, "it does not compile, or no test had begun:"+lastLines(found.output)
			return nil
		}
	}
	return nil
}

// attempts bounds how often tests are run that failed and then passed.
const attempts = 3

// confirmed runs the tests of a package. One that talks to the emulator may
// fail on a busy machine through no fault of the mutant's, so it has to fail
// again, alone.
func confirmed(ctx context.Context, dir, folder string) (tested, error) {
	for range attempts {
		found, err := goTest(ctx, dir, folder)
		if err != nil || found.by == "" || !needsEmulator(folder) {
			return found, err
		}
		again, err := goTest(ctx, dir, folder, only(found.by))
		if err != nil || again.by != "" {
			return found, err
		}
	}
	return tested{}, nil
}

func lastLines(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return "\n  " + strings.Join(lines[max(0, len(lines)-12):], "\n  ")
}
