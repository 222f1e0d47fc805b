package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress is one line that moves, on a terminal; elsewhere there is none.
type progress struct {
	out io.Writer // nil where nobody looks
}

func progressOn(file *os.File) progress {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return progress{}
	}
	return progress{out: file}
}

// show keeps showing what text says, until the returned function is called.
func (p progress) show(text func() string) (hide func()) {
	if p.out == nil {
		return func() {}
	}
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
		for n := 0; ; n++ {
			_, _ = fmt.Fprintf(p.out, "\r\x1b[K%c %s", frames[n%len(frames)], text())
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
