package cli

import "time"

// progressEvery is how much time lies between two words about long work.
const (
	progressOnTerminal = time.Second
	progressElsewhere  = 10 * time.Second
)

// progress returns a function that tells about long work now and then, on
// standard error, whenever it is called.
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
