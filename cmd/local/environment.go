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
	accessKeyID = "test" // the emulator's root user: no such key exists at AWS
	secretKey   = "test"
)

// A developer's environment may name profiles, endpoints, roles and proxies, in variables of today and of tomorrow.
// No list of forbidden names would ever be complete; so nothing passes but what is named here.

// isolated is the environment of the emulator, of the functions (which inherit it from the emulator) and of the SAM CLI.
func isolated(w workspace) []string {
	return append([]string{
		"PATH=" + venvBin(w.root) + ":" + os.Getenv("PATH"),
		"HOME=" + w.home(),
		"TMPDIR=" + w.temporary(),
		"LANG=C.UTF-8",
		"PYTHONNOUSERSITE=1",
		// Also what macOS has in its system settings: nothing here leaves the machine.
		"NO_PROXY=*", "no_proxy=*",
		"SAM_CLI_TELEMETRY=0",
		"SAM_CLI_POLL_DELAY=0.5",
	}, awsVariables(w)...)
}

// awsVariables point an AWS SDK or tool at the emulator and away from everything else.
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

// compiling is isolated, and what a Go build needs. It cannot download: the modules were fetched a step earlier.
func compiling(w workspace, goEnv map[string]string) []string {
	return append(isolated(w),
		"PATH="+filepath.Join(goEnv["GOROOT"], "bin")+":"+venvBin(w.root)+":"+os.Getenv("PATH"),
		"GOCACHE="+goEnv["GOCACHE"],
		"GOMODCACHE="+goEnv["GOMODCACHE"],
		"GOENV=off", "GOWORK=off", "GOPROXY=off", "GOTOOLCHAIN=local",
		// The flags of `make build`; and no stamp of the repository's state, as git may refuse to tell it under this HOME.
		`GOFLAGS=-buildvcs=false -tags=lambda.norpc -trimpath "-ldflags=-s -w"`,
		"CGO_ENABLED=0",
	)
}

// downloading is the environment of the two steps that fetch something, pip and the Go modules: with the way to the
// network that the developer has set up, and nothing of AWS.
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

// commandEnvironment is for the command of `exec`, which is the developer's own: theirs, with every AWS variable taken out.
func commandEnvironment(w workspace, environ []string) []string {
	theirs := keep(environ, func(name string) bool { return !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "BOTO") })
	theirs = append(theirs, awsVariables(w)...)
	return append(theirs,
		"AWS_ENDPOINT_URL_DYNAMODB="+w.endpoint(),
		"AWS_ENDPOINT_URL_SQS="+w.endpoint(),
		"PAYOUT_CALLBACKS_STACK="+w.stackFile(),
	)
}

func keep(environ []string, wanted func(name string) bool) []string {
	var kept []string
	for _, pair := range environ {
		if name, _, _ := strings.Cut(pair, "="); wanted(name) {
			kept = append(kept, pair)
		}
	}
	return kept
}

// goEnvironment is what `go env` says, the developer's configuration included.
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
