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
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	region      = "us-east-1"
	accessKeyID = "test" // the emulator's root user; AWS has no such key
	secretKey   = "test"
)

// A developer's environment may name profiles, endpoints, roles and proxies, in variables that do not exist yet. Because no
// list of forbidden names is complete, these functions list the allowed ones.

// isolated returns the environment of the emulator, of the functions, which inherit it, and of the SAM CLI.
func isolated(w workspace) []string {
	return append([]string{
		"PATH=" + venvBin(w.root) + ":" + os.Getenv("PATH"),
		"HOME=" + w.home(),
		"TMPDIR=" + w.temporary(),
		"LANG=C.UTF-8",
		"PYTHONNOUSERSITE=1",
		// Disables the proxies of the macOS system settings, too: no request leaves the machine.
		"NO_PROXY=*", "no_proxy=*",
		"SAM_CLI_TELEMETRY=0",
		"SAM_CLI_POLL_DELAY=0.5",
	}, awsVariables(w)...)
}

// awsVariables point AWS SDKs and tools at the emulator only.
func awsVariables(w workspace) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + w.endpoint(),
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + accessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + secretKey,
		"AWS_CONFIG_FILE=" + os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// compiling returns isolated with what a Go build needs. Builds cannot download: fetchModules runs before.
func compiling(w workspace, goEnv map[string]string) []string {
	return append(isolated(w),
		"PATH="+filepath.Join(goEnv["GOROOT"], "bin")+":"+venvBin(w.root)+":"+os.Getenv("PATH"),
		"GOCACHE="+goEnv["GOCACHE"],
		"GOMODCACHE="+goEnv["GOMODCACHE"],
		"GOENV=off", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local",
		// The flags of `make build`. No version control stamp, because git may refuse to read the repository under this HOME.
		`GOFLAGS=-buildvcs=false -tags=lambda.norpc -trimpath "-ldflags=-s -w"`,
		"CGO_ENABLED=0",
	)
}

// downloading returns the environment of pip and of fetchModules: the developer's network settings, without AWS variables.
func downloading(environ []string) []string {
	allowed := []string{
		"PATH", "HOME", "TMPDIR", "LANG", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "NETRC",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	}
	return keep(environ, func(name string) bool {
		return slices.Contains(allowed, name) || slices.Contains(allowed, strings.ToUpper(name)) ||
			strings.HasPrefix(name, "PIP_") || strings.HasPrefix(name, "GO")
	})
}

// commandEnvironment returns the environment of the command of `exec`: the developer's, with all AWS variables replaced.
func commandEnvironment(w workspace, environ []string) []string {
	environment := keep(environ, func(name string) bool { return !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "BOTO") })
	environment = append(environment, awsVariables(w)...)
	return append(environment,
		"AWS_ENDPOINT_URL_DYNAMODB="+w.endpoint(),
		"AWS_ENDPOINT_URL_SQS="+w.endpoint(),
		"PAYOUT_CALLBACKS_STACK="+w.stackFile(),
	)
}

func keep(environ []string, isWanted func(name string) bool) []string {
	var kept []string
	for _, pair := range environ {
		if name, _, _ := strings.Cut(pair, "="); isWanted(name) {
			kept = append(kept, pair)
		}
	}
	return kept
}

// goEnvironment returns settings of `go env`, which the developer may have configured.
func goEnvironment(ctx context.Context) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOROOT", "GOCACHE", "GOMODCACHE")
	cmd.Env = downloading(os.Environ())
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	var values map[string]string
	return values, json.Unmarshal(out, &values)
}

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
	return &http.Client{Transport: &http.Transport{}, Timeout: 90 * time.Second} // longer than any function runs
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
