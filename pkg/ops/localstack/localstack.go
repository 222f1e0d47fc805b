// Package localstack describes a running local stack. cmd/local writes the
// description to .local/stack.json; payoutctl and other clients read it.
package localstack

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"payout-callbacks/pkg/callback"
)

// Stack is the content of stack.json.
type Stack struct {
	Name               string                             `json:"stackName"`
	APIURL             string                             `json:"apiUrl"` // the callback paths are appended to it
	EndpointURL        string                             `json:"endpointUrl"`
	Region             string                             `json:"region"`
	ReceiptsTable      string                             `json:"receiptsTable"`
	PayoutsTable       string                             `json:"payoutsTable"`
	EventsQueueURL     string                             `json:"eventsQueueUrl"`
	DeadLetterQueueURL string                             `json:"deadLetterQueueUrl"`
	Functions          []string                           `json:"functions"`  // names at Lambda
	KeySecrets         map[string]string                  `json:"keySecrets"` // provider → secret
	DemoKeys           map[string]map[string]callback.Key `json:"demoKeys"`   // provider → demo account → current key
	Providers          map[string]Provider                `json:"providers"`  // the simulated providers
	ConsoleURL         string                             `json:"consoleUrl"` // with its token
	Faults             Faults                             `json:"faults"`
	Outputs            map[string]string                  `json:"outputs"`                // of the template
	ContainerURL       string                             `json:"containerUrl,omitempty"` // the emulator as a container reaches it
	PID                int                                `json:"pid"`                    // the process that removes this file
}

// Provider is a simulated provider: where it takes orders and queries, and its demo
// account. Its control API is at BaseURL/simulator/.
type Provider struct {
	BaseURL        string       `json:"baseUrl"`
	Account        string       `json:"account"`
	Key            callback.Key `json:"key,omitempty"`            // of Cregis: the API key
	MerchantID     string       `json:"merchantId,omitempty"`     // of Pivot
	MerchantSecret string       `json:"merchantSecret,omitempty"` // of Pivot
	APISecret      string       `json:"apiSecret"`                // the secret with the credentials for queries
}

// Faults is the proxy through which the functions reach the emulator. The control
// API at URL/simulator/faults breaks their connections (pkg/testkit/faultproxy).
type Faults struct {
	URL string `json:"url"`
}

// maxSize bounds the file, which has two thousand bytes.
const maxSize = 1 << 20

// Read reads a description.
func Read(path string) (Stack, error) {
	file, err := os.Open(filepath.Clean(path))
	if err != nil {
		return Stack{}, err
	}
	defer func() { _ = file.Close() }()
	var s Stack
	if err := json.NewDecoder(io.LimitReader(file, maxSize)).Decode(&s); err != nil {
		return Stack{}, fmt.Errorf("decode %s: %w", path, err)
	}
	return s, nil
}
