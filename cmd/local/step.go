package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// errReported says that the failure has been told to the developer already.
var errReported = errors.New("reported")

// hinted is a failure that knows what to do about it.
type hinted struct {
	error

	hint string
}

func (h hinted) Unwrap() error { return h.error }

func withHint(err error, hint string) error { return hinted{err, hint} }

// A step is one of the things that take time or may fail on the way to a running stack.
type step struct {
	name string
	run  func(ctx context.Context) error
	hint string // what to do when it fails, where the failure itself does not know better
}

// progress shows steps: with a moving clock on a terminal, as two plain lines elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
}

func showOn(file *os.File) progress {
	info, err := file.Stat()
	return progress{out: file, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"}
}

func (p progress) runAll(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := p.runOne(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (p progress) runOne(ctx context.Context, s step) error {
	begin := time.Now()
	stopClock := p.clock(s.name, begin)
	err := s.run(ctx)
	stopClock()
	took := time.Since(begin).Round(100 * time.Millisecond)
	switch {
	case err == nil:
		p.printf("✓ %s (%s)", s.name, took)
		return nil
	case ctx.Err() != nil:
		p.printf("  %s: stopped", s.name)
		return context.Canceled
	}
	p.printf("✗ %s failed after %s", s.name, took)
	p.printf("  %s", strings.ReplaceAll(err.Error(), "\n", "\n  "))
	hint := s.hint
	if h, ok := errors.AsType[hinted](err); ok {
		hint = h.hint
	}
	if hint != "" {
		p.printf("  What to do: %s", hint)
	}
	return errReported
}

// clock keeps showing that the step is alive, until the returned function is called.
func (p progress) clock(name string, begin time.Time) (stop func()) {
	if !p.terminal {
		p.printf("· %s …", name)
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
		for i := 0; ; i++ {
			_, _ = fmt.Fprintf(p.out, "\r\x1b[K%c %s (%d s)", frames[i%len(frames)], name, int(time.Since(begin).Seconds()))
			select {
			case <-quit:
				_, _ = fmt.Fprint(p.out, "\r\x1b[K")
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() { close(quit); <-gone }
}

func (p progress) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}
