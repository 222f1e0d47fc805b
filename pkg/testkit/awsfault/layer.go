package awsfault

import (
	"context"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Layer applies faults to the attempts of a client's requests. Its zero value applies
// none. It is safe for concurrent use.
type Layer struct {
	mu       sync.Mutex
	next     map[string][]Fault
	always   map[string]Fault
	attempts map[string]int
}

// Install adds the layer to a client; it is an element of APIOptions.
func (l *Layer) Install(stack *middleware.Stack) error {
	// The last deserialize step is closest to the transport and runs once per attempt.
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awsfault", l.handle), middleware.After)
}

// Next applies the faults to the next attempts of an operation, one each. A nil fault
// lets an attempt pass.
func (l *Layer) Next(operation string, faults ...Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = map[string][]Fault{}
	}
	l.next[operation] = append(l.next[operation], faults...)
}

// Always applies the fault to every attempt of an operation until Stop. The operation
// "" stands for all that have no fault.
func (l *Layer) Always(operation string, fault Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.always == nil {
		l.always = map[string]Fault{}
	}
	l.always[operation] = fault
}

// Stop removes all faults.
func (l *Layer) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next, l.always = nil, nil
}

// Attempts returns the number of attempts of an operation, with retries.
func (l *Layer) Attempts(operation string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.attempts[operation]
}

func (l *Layer) handle(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	// Only a fault ends an attempt, however slow the machine is.
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

// take counts an attempt and returns its fault, or nil.
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
