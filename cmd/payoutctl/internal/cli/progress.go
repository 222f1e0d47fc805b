package cli

import "time"

// The time between two lines about the progress of a command.
const (
	progressOnTerminal = time.Second
	progressElsewhere  = 10 * time.Second
)

// StartProgress returns a function that prints the progress of long work on standard
// error, at most once per interval.
func (s *Session) StartProgress() func(format string, args ...any) {
	every := progressElsewhere
	if isTerminal(s.Stderr) {
		every = progressOnTerminal
	}
	last := s.Now()
	return func(format string, args ...any) {
		if now := s.Now(); now.Sub(last) >= every {
			last = now
			s.Notef("… "+format, args...)
		}
	}
}
