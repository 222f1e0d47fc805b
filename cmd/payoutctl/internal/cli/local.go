package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"payout-callbacks/pkg/ops/localstack"
)

const startHint = "start one with: make run"

// loadLocal reads the description of the local stack. Its clients use the
// emulator's endpoint and credentials only, never the user's configuration, which
// may lead to a real account.
func (s *Session) loadLocal(ctx context.Context) (Stack, error) {
	path, err := s.localPath()
	if err != nil {
		return Stack{}, err
	}
	l, err := readLocal(path)
	if err != nil {
		return Stack{}, err
	}
	if err := checkEndpoint(ctx, l.EndpointURL); err != nil {
		return Stack{}, Failuref(startHint, "the local stack of %s does not answer: %w", path, err)
	}
	return Stack{
		Name:               l.Name,
		Local:              true,
		APIURL:             l.APIURL,
		ReceiptsTable:      l.ReceiptsTable,
		PayoutsTable:       l.PayoutsTable,
		EventsQueueURL:     l.EventsQueueURL,
		DeadLetterQueueURL: l.DeadLetterQueueURL,
		Secrets:            l.KeySecrets,
		DemoKeys:           l.DemoKeys,
		Outputs:            l.Outputs,
		AWS: aws.Config{
			Region:       l.Region,
			BaseEndpoint: &l.EndpointURL,
			Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
			HTTPClient:   HTTPClient().WithTransportOptions(DisableProxy),
		},
	}, nil
}

func (s *Session) localPath() (string, error) {
	if path := s.Env(StackVariable); path != "" {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find working directory: %w", err)
	}
	for {
		path := filepath.Join(dir, ".local", "stack.json")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", Failuref(startHint, "no local stack is running: no .local/stack.json in this directory or a parent")
		}
		dir = parent
	}
}

func readLocal(path string) (localstack.Stack, error) {
	l, err := localstack.Read(path)
	switch {
	case errors.As(err, new(*fs.PathError)):
		return l, Failuref(startHint, "read local stack: %w", err)
	case err != nil:
		return l, Failuref(startHint, "read local stack %s: not written by make run", path)
	}
	for name, value := range map[string]string{
		"stackName": l.Name, "apiUrl": l.APIURL, "endpointUrl": l.EndpointURL,
		"region": l.Region, "receiptsTable": l.ReceiptsTable, "payoutsTable": l.PayoutsTable,
	} {
		if value == "" {
			return l, Failuref(startHint, "read local stack %s: it has no %s", path, name)
		}
	}
	return l, nil
}

// checkEndpoint connects to the endpoint once, so that a stopped stack is reported
// at once and not as a failed request.
func checkEndpoint(ctx context.Context, endpoint string) error {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" {
		return errors.New("its endpointUrl is not a URL")
	}
	dialer := net.Dialer{Timeout: 2 * time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", parsed.Host)
	if err != nil {
		return err
	}
	return connection.Close()
}
