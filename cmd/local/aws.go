package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// The clients of this program are made from literals. config.LoadDefaultConfig has no place here: it reads profiles,
// AWS_ENDPOINT_URL_<SERVICE> and AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, any of which can lead to a real account.

func emulatorCredentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(accessKeyID, secretKey, "")
}

func newSecrets(w workspace) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{
		BaseEndpoint: aws.String(w.endpoint()),
		Region:       region,
		Credentials:  emulatorCredentials(),
		HTTPClient:   directHTTP(),
	})
}

// directHTTP ignores proxies.
func directHTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
}

// callLambda makes one signed call of Lambda's REST interface, and decodes the answer into out.
func callLambda(ctx context.Context, w workspace, c lambdaCall, out any) error {
	request, err := http.NewRequestWithContext(ctx, c.method, w.endpoint()+c.path, strings.NewReader(c.body))
	if err != nil {
		return err
	}
	creds, err := emulatorCredentials().Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(c.body))
	if err := v4.NewSigner().SignHTTP(ctx, creds, request, hex.EncodeToString(sum[:]), "lambda", region, time.Now()); err != nil {
		return err
	}
	response, err := directHTTP().Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("lambda %s %s: %s: %s", c.method, c.path, response.Status, answer)
	}
	return json.Unmarshal(answer, out)
}

type lambdaCall struct{ method, path, body string }
