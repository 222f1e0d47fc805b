package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// expectations sends expectations to the route of a stack, signed by the role of this
// service, which needs execute-api:Invoke on it (output ExpectedPayoutsArn).
type expectations struct {
	client      *http.Client
	url         string
	credentials aws.CredentialsProvider
	region      string
}

// expect states a payout and returns its id in payout-callbacks. A conflict is an error:
// something else is known about this payout than what is about to be ordered.
func (e *expectations) expect(ctx context.Context, p payout) (string, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	credentials, err := e.credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("read credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "execute-api", e.region, time.Now()); err != nil {
		return "", fmt.Errorf("sign request: %w", err)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return "", err // not stored, or stored: send it again
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d: %s", response.StatusCode, text)
	}
	var answer struct {
		Payout string `json:"payout"`
	}
	err = json.Unmarshal(text, &answer)
	return answer.Payout, err
}
