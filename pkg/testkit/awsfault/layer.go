package awsfault

import (
	"context"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Layer decides which attempts of a client's requests meet which fault. Its
// zero value lets everything pass. It is safe for concurrent use.
type Layer struct {
	mu       sync.Mutex
	next     map[string][]Fault
	always   map[string]Fault
	attempts map[string]int
}

// Install puts the layer into a client: append it to the client's APIOptions.
func (l *Layer) Install(stack *middleware.Stack) error {
	// The last of the deserializing steps stands next to the wire, and is taken
	// once per attempt.
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awsfault", l.handle), middleware.After)
}

// Next has the next attempts of an operation meet the faults, one each; nil
// lets an attempt pass.
func (l *Layer) Next(operation string, faults ...Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = map[string][]Fault{}
	}
	l.next[operation] = append(l.next[operation], faults...)
}

// Always has every attempt of an operation meet the fault, until Stop; that of
// the operation "" is met by all that have none of their own.
func (l *Layer) Always(operation string, fault Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.always == nil {
		l.always = map[string]Fault{}
	}
	l.always[operation] = fault
}

// Stop ends all faults.
func (l *Layer) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next, l.always = nil, nil
}

// Attempts returns how often an operation was attempted so far, retries of the
// SDK included.
func (l *Layer) Attempts(operation string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.attempts[operation]
}

func (l *Layer) handle(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	// However slow the machine is, a fault alone ends the time of an attempt.
	untimed := context.WithoutCancel(ctx)
	fault := l.take(awsmiddleware.GetOperationName(ctx))
	if fault == nil {
		return next.HandleDeserialize(untimed, in)
	}
	var metadata middleware.Metadata
	response, err := fault(ctx, func() (*smithyhttp.Response, error) {
		out, meta, err := next.HandleDeserialize(untimed, in)
		metadata = meta
		response, _ := out.RawResponse.(*smithyhttp.Response)
		return response, err
	})
	return middleware.DeserializeOutput{RawResponse: response}, metadata, err
}

// take counts an attempt and returns the fault that it meets, or nil.
func (l *Layer) take(operation string) Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.attempts == nil {
		l.attempts = map[string]int{}
	}
	l.attempts[operation]++
	if waiting := l.next[operation]; len(waiting) > 0 {
		l.next[operation] = waiting[1:]
		return waiting[0]
	}
	if fault, ok := l.always[operation]; ok {
		return fault
	}
	return l.always[""]
}
