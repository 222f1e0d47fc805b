package localstack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// RefusedError is the refusal of a control API, in its own words. Nothing was changed.
type RefusedError struct{ Text string }

// Error returns the words of the refusal.
func (e *RefusedError) Error() string { return "the simulator refuses it: " + e.Text }

// Client sends requests.
type Client interface {
	Do(request *http.Request) (*http.Response, error)
}

// maxAnswer bounds an answer: thousands of payouts of a simulated provider.
const maxAnswer = 64 << 20

// Control calls a control API of the local stack, see [Provider] and [Faults]: it posts a
// body as JSON, or without a body reads the answer into result. A refusal is a
// *RefusedError.
func Control(ctx context.Context, client Client, address string, body, result any) error {
	method, content := http.MethodGet, []byte(nil)
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return &RefusedError{err.Error()}
		}
		method, content = http.MethodPost, encoded
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("call %s: %w", address, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return err //nolint:wrapcheck // a *url.Error, which names the address
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("read answer of %s: %w", address, err)
	case response.StatusCode >= http.StatusBadRequest:
		return &RefusedError{string(bytes.TrimSpace(answer))}
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("read answer of %s: %w", address, err)
	}
	return nil
}
