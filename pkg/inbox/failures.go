package inbox

import (
	"errors"
	"fmt"
)

// Failures collects the errors of single receipts or payouts. A run may have thousands,
// and its log line has room for a few. The zero Failures is empty. It is not safe for
// concurrent use.
type Failures struct {
	first []error
	count int
}

// maxFailures limits the failures in the error of a run.
const maxFailures = 5

// Add adds an error, unless it is nil.
func (f *Failures) Add(err error) {
	if err == nil {
		return
	}
	if f.count++; len(f.first) < maxFailures {
		f.first = append(f.first, err)
	}
}

// Join returns the first errors and the number of further ones as one error, or nil.
func (f *Failures) Join() error {
	if rest := f.count - len(f.first); rest > 0 {
		return errors.Join(append(f.first, fmt.Errorf("and %d more failures", rest))...)
	}
	return errors.Join(f.first...)
}
