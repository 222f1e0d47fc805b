package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

// The programs that the functions are compared with.
const (
	helloProgram = "./cmd/bench/hello"
	bareProgram  = "./cmd/bench/bare"
)

// functions lists the folders of functions/, as programs.
func (w *world) functions() ([]string, error) {
	folders, err := filepath.Glob(w.file("functions", "*", "main.go"))
	var programs []string
	for _, folder := range folders {
		programs = append(programs, "./functions/"+filepath.Base(filepath.Dir(folder)))
	}
	slices.Sort(programs)
	return programs, err
}

// compile builds a program with the flags of what is deployed, and returns the
// path of its binary.
func (w *world) compile(ctx context.Context, program, arch string) (string, error) {
	binary := w.file(".local", "bench", arch, filepath.Base(program))
	build := exec.CommandContext(ctx, "go", "build", "-tags=lambda.norpc", "-trimpath", "-ldflags=-s -w", "-o", binary, program)
	build.Dir = w.root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", program, err, said)
	}
	return binary, nil
}

// overHello is how many bytes a function may be larger than hello world.
const overHello = 2_700_000

// size compares the binaries for arm64.
func size(ctx context.Context, w *world) ([]row, error) {
	programs, err := w.functions()
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, program := range append(programs, helloProgram) {
		binary, err := w.compile(ctx, program, "arm64")
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(binary)
		if err != nil {
			return nil, err
		}
		sizes[program] = info.Size()
	}
	hello := sizes[helloProgram]
	var rows []row
	for _, program := range programs {
		ratio := float64(sizes[program]) / float64(hello)
		made := newRow("binary, "+filepath.Base(program)+", arm64", "hello world", spread{ratio, ratio, ratio}, float64(hello+overHello)/float64(hello))
		rows = append(rows, made.of(megabytes(sizes[program]), megabytes(hello)))
	}
	return rows, nil
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.2f MB", float64(bytes)/1e6) }

// errNotLinux is why a binary for Lambda does not run on this machine.
var errNotLinux = errors.New("the functions run on Linux only")

func (w *world) compileForHere(ctx context.Context, program string) (string, error) {
	if runtime.GOOS != "linux" {
		return "", errNotLinux
	}
	return w.compile(ctx, program, runtime.GOARCH)
}
