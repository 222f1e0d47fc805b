package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
