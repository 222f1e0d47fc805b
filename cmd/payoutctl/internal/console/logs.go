package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// logQuery asks CloudWatch Logs for the lines of a log group that contain a text.
type logQuery struct {
	Group string `json:"logGroupName"`
	Text  string `json:"filterPattern"`
	Since int64  `json:"startTime"` // milliseconds since 1970
	Limit int    `json:"limit"`
}

// logEvent is a line of a log.
type logEvent struct {
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
	Message   string `json:"message"`
}

// logGroupName returns the name of a function's log in template.yaml.
func logGroupName(stack cli.Stack, function string) string {
	return "/aws/lambda/" + stack.Name + "/" + function
}

// readLog returns the first lines of a log that a query matches, oldest first; none of a
// function that has not run. It is for the local stack, which answers in one page.
func readLog(ctx context.Context, stack cli.Stack, query logQuery) ([]logEvent, error) {
	body, err := json.Marshal(query)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, stack.EndpointURL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("read log %s: %w", query.Group, err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "Logs_20140328.FilterLogEvents")
	credentials, err := stack.AWS.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("read AWS credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "logs", stack.AWS.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	code, answer, err := callLocal(stack, request)
	switch {
	case err != nil:
		return nil, err
	case code == http.StatusBadRequest && strings.Contains(string(answer), "ResourceNotFoundException"):
		return nil, nil
	case code != http.StatusOK:
		return nil, cli.Failuref("", "read log %s: HTTP %d: %s", query.Group, code, answer)
	}
	var page struct {
		Events []logEvent `json:"events"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return nil, fmt.Errorf("read log %s: %w", query.Group, err)
	}
	return page.Events, nil
}
