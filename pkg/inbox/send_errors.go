package inbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrUnsendable means that the queue refuses the message of a receipt for what
// the message is. Sending it again does not help.
var ErrUnsendable = errors.New("the queue refuses the message")

// SendErrors is the answer of a queue that refused some of the receipts that it
// was sent: why, by their place among them.
type SendErrors map[int]error

// Error implements error.
func (e SendErrors) Error() string {
	text := fmt.Sprintf("%d not sent", len(e))
	for _, place := range slices.Sorted(maps.Keys(e)) {
		text += fmt.Sprintf("; receipt %d: %s", place, e[place])
	}
	return text
}

// Unwrap returns the reasons.
func (e SendErrors) Unwrap() []error { return slices.Collect(maps.Values(e)) }

// AsError returns e as an error, or nil where nothing was refused.
func (e SendErrors) ErrorOrNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
