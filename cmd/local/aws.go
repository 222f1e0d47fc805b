package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// The clients of this program have literal settings. They do not use config.LoadDefaultConfig: it reads profiles,
// AWS_ENDPOINT_URL_<SERVICE> and AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, each of which can lead to a real account.

func emulatorConfig(endpoint string) aws.Config {
	return aws.Config{BaseEndpoint: &endpoint, Region: region, Credentials: emulatorCredentials(), HTTPClient: directHTTP()}
}

func emulatorCredentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(accessKeyID, secretKey, "")
}

// directHTTP returns a client that uses no proxy.
func directHTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
}

// callLambda calls Lambda's REST API and decodes the response into out.
func callLambda(ctx context.Context, w workspace, c apiCall, out any) error {
	c.service = "lambda"
	answer, err := callSigned(ctx, w, c)
	if err != nil {
		return fmt.Errorf("lambda %s %s: %w", c.method, c.path, err)
	}
	return json.Unmarshal(answer, out)
}

// callIAM calls IAM's query API.
func callIAM(ctx context.Context, w workspace, action string, parameters ...url.Values) error {
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for _, parameter := range parameters {
		maps.Copy(form, parameter)
	}
	if _, err := callSigned(ctx, w, apiCall{service: "iam", method: http.MethodPost, path: "/", body: form.Encode()}); err != nil {
		return fmt.Errorf("iam %s: %w", action, err)
	}
	return nil
}

// apiCall is a request that callSigned signs.
type apiCall struct{ service, method, path, body string }

func callSigned(ctx context.Context, w workspace, c apiCall) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, c.method, w.endpoint()+c.path, strings.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	if c.service == "iam" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	creds, err := emulatorCredentials().Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(c.body))
	if err := v4.NewSigner().SignHTTP(ctx, creds, request, hex.EncodeToString(sum[:]), c.service, region, time.Now()); err != nil {
		return nil, err
	}
	response, err := directHTTP().Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s: %s", response.Status, answer)
	}
	return answer, nil
}
