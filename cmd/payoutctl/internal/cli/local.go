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

const startOne = "start one with: make run"

// localStack reads the description of the local stack. Its clients know one
// endpoint and the emulator's own credentials: the user's configuration, which
// may lead to a real account, has no say in them.
func (s *Session) loadLocal(ctx context.Context) (Stack, error) {
	path, err := s.localPath()
	if err != nil {
		return Stack{}, err
	}
	l, err := readLocal(path)
	if err != nil {
		return Stack{}, err
	}
	if err := answers(ctx, l.EndpointURL); err != nil {
		return Stack{}, Failuref(startOne, "the local stack of %s does not answer: %w", path, err)
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
			return "", Failuref(startOne, "no local stack is running: there is no .local/stack.json here or above")
		}
		dir = parent
	}
}

func readLocal(path string) (localstack.Stack, error) {
	l, err := localstack.Read(path)
	switch {
	case errors.As(err, new(*fs.PathError)):
		return l, Failuref(startOne, "read local stack: %w", err)
	case err != nil:
		return l, Failuref(startOne, "read local stack %s: not what make run writes", path)
	}
	for name, value := range map[string]string{
		"stackName": l.Name, "apiUrl": l.APIURL, "endpointUrl": l.EndpointURL,
		"region": l.Region, "receiptsTable": l.ReceiptsTable, "payoutsTable": l.PayoutsTable,
	} {
		if value == "" {
			return l, Failuref(startOne, "read local stack %s: it has no %s", path, name)
		}
	}
	return l, nil
}

// answers tries the endpoint once, so that a stack that was stopped is told
// apart from a request that went wrong, and at once.
func answers(ctx context.Context, endpoint string) error {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" {
		return errors.New("its endpointUrl is no URL")
	}
	dialer := net.Dialer{Timeout: 2 * time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", parsed.Host)
	if err != nil {
		return err
	}
	return connection.Close()
}
