package inbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrUnsendable means that the queue rejects the message of a receipt because of its
// content. Sending it again does not help.
var ErrUnsendable = errors.New("the queue rejects the message")

// SendError is the error of a Send that failed for some of its receipts: the errors by
// index of the receipt.
type SendError map[int]error

// Error lists the errors.
func (e SendError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d not sent", len(e))
	for _, i := range slices.Sorted(maps.Keys(e)) {
		fmt.Fprintf(&text, "; receipt %d: %s", i, e[i])
	}
	return text.String()
}

// Unwrap returns the errors.
func (e SendError) Unwrap() []error { return slices.Collect(maps.Values(e)) }

// ErrorOrNil returns e as an error, or nil if it is empty.
func (e SendError) ErrorOrNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
