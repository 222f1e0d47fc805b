package inbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrUnsendable means that the queue rejects the message of a receipt because of its
// content. Sending it again does not help.
var ErrUnsendable = errors.New("the queue rejects the message")

// SendErrors is the error of a Send that failed for some of its receipts: the errors
// by index of the receipt.
type SendErrors map[int]error

// Error lists the errors.
func (e SendErrors) Error() string {
	text := fmt.Sprintf("%d not sent", len(e))
	for _, i := range slices.Sorted(maps.Keys(e)) {
		text += fmt.Sprintf("; receipt %d: %s", i, e[i])
	}
	return text
}

// Unwrap returns the errors.
func (e SendErrors) Unwrap() []error { return slices.Collect(maps.Values(e)) }

// ErrorOrNil returns e as an error, or nil if it is empty.
func (e SendErrors) ErrorOrNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
