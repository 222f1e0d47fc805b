// Package terminal shows progress to whoever runs a command: a line that moves
// on a terminal, nothing elsewhere.
package terminal

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Is reports whether a stream is a terminal.
func Is(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// CanMove reports whether a stream is a terminal that can rewrite its last line.
func CanMove(stream any) bool { return Is(stream) && os.Getenv("TERM") != "dumb" }

// ShowLine rewrites one line with the text and a moving sign until stop is
// called, which clears the line. It writes nothing if out cannot move.
func ShowLine(out io.Writer, text func() string) (stop func()) {
	if !CanMove(out) {
		return func() {}
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
		for n := 0; ; n++ {
			_, _ = fmt.Fprintf(out, "\r\x1b[K%c %s", frames[n%len(frames)], text())
			select {
			case <-quit:
				_, _ = fmt.Fprint(out, "\r\x1b[K")
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() { close(quit); <-ended }
}
