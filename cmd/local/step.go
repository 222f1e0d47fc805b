package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"payout-callbacks/pkg/ops/terminal"
)

// errReported means that the failure has been printed.
var errReported = errors.New("reported")

// hinted is an error with a hint for the developer.
type hinted struct {
	error

	hint string
}

func (h hinted) Unwrap() error { return h.error }

func withHint(err error, hint string) error { return hinted{err, hint} }

// A step takes time or may fail on the way to a running stack.
type step struct {
	name string
	run  func(ctx context.Context) error
	hint string // used if the error has none
}

// progress shows steps: as a moving line on a terminal, as two lines elsewhere.
type progress struct {
	out io.Writer
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
	if !terminal.CanMove(p.out) {
		p.printf("· %s …", s.name)
	}
	stopLine := terminal.ShowLine(p.out, func() string { return fmt.Sprintf("%s (%d s)", s.name, int(time.Since(begin).Seconds())) })
	err := s.run(ctx)
	stopLine()
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
		p.printf("  hint: %s", hint)
	}
	return errReported
}

func (p progress) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}
