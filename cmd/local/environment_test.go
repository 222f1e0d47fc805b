package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"payout-callbacks/pkg/lambda/providers"
)

// setHostile sets variables that lead AWS tools to a real account, and one with a name that does not exist yet.
func setHostile(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_PROFILE":                         "hostile",
		"AWS_ACCESS_KEY_ID":                   "hostile",
		"AWS_SECRET_ACCESS_KEY":               "hostile",
		"AWS_SESSION_TOKEN":                   "hostile",
		"AWS_ENDPOINT_URL":                    "https://hostile.example",
		"AWS_ENDPOINT_URL_DYNAMODB":           "https://hostile.example",
		"AWS_ENDPOINT_URL_SQS":                "https://hostile.example",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER":    "https://hostile.example",
		"AWS_ENDPOINT_URL_CLOUDFORMATION":     "https://hostile.example",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "hostile",
		"AWS_CONFIG_FILE":                     "/hostile/config",
		"AWS_SHARED_CREDENTIALS_FILE":         "/hostile/credentials",
		"AWS_ROLE_ARN":                        "arn:aws:iam::123456789012:role/hostile",
		"AWS_WEB_IDENTITY_TOKEN_FILE":         "/hostile/token",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI":  "http://hostile.example",
		"AWS_SOMETHING_YET_TO_BE_INVENTED":    "hostile",
		"BOTO_CONFIG":                         "/hostile/boto",
		"SAM_CLI_HOSTILE":                     "hostile",
		"LD_PRELOAD_HOSTILE":                  "hostile",
		"PYTHONPATH":                          "/hostile",
		"LAMBDA_EXECUTOR":                     "hostile",
		"DOCKER_HOST":                         "tcp://hostile.example:1",
		"HTTPS_PROXY":                         "http://hostile.example:1",
		"https_proxy":                         "http://hostile.example:1",
	} {
		t.Setenv(name, value)
	}
}

func testWorkspace(t *testing.T) workspace {
	t.Helper()
	root := t.TempDir()
	return workspace{root: root, dir: filepath.Join(root, ".local", "4566"), port: 4566}
}

// runEnv returns the environment that a child process reports.
func runEnv(t *testing.T, environ []string) []string {
	t.Helper()
	cmd := exec.Command("env")
	cmd.Env = environ
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestIsolated_HostileVariables(t *testing.T) {
	setHostile(t)
	w := testWorkspace(t)
	for name, environ := range map[string][]string{
		"emulator, functions and SAM": isolated(w),
		"builds":                      compiling(w, map[string]string{"GOROOT": "/go", "GOCACHE": "/cache", "GOMODCACHE": "/mod"}),
	} {
		t.Run(name, func(t *testing.T) {
			seen := runEnv(t, environ)
			for _, pair := range seen {
				if strings.Contains(pair, "hostile") {
					t.Errorf("a child sees %s", pair)
				}
			}
			for _, want := range awsVariables(w) {
				if !slices.Contains(seen, want) {
					t.Errorf("a child does not see %s", want)
				}
			}
		})
	}
}

func TestDownloading_ProxiesWithoutAWS(t *testing.T) {
	setHostile(t)
	seen := runEnv(t, downloading([]string{"HTTPS_PROXY=http://proxy", "PIP_CERT=/ca", "GOPROXY=direct", "AWS_PROFILE=hostile", "HOME=/home/dev"}))
	slices.Sort(seen)
	want := []string{"GOPROXY=direct", "HOME=/home/dev", "HTTPS_PROXY=http://proxy", "PIP_CERT=/ca"}
	if !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
}

func TestCommandEnvironment_ReplacesAWSVariables(t *testing.T) {
	w := testWorkspace(t)
	environ := commandEnvironment(w, []string{"AWS_PROFILE=hostile", "AWS_ENDPOINT_URL_S3=https://hostile.example", "EDITOR=vi"})
	seen := runEnv(t, environ)
	for _, pair := range seen {
		if strings.Contains(pair, "hostile") {
			t.Errorf("the command sees %s", pair)
		}
	}
	for _, want := range []string{"EDITOR=vi", "AWS_ENDPOINT_URL_SQS=" + w.endpoint(), "PAYOUT_CALLBACKS_STACK=" + w.stackFile()} {
		if !slices.Contains(seen, want) {
			t.Errorf("the command does not see %s", want)
		}
	}
}

func TestClients_IgnoreEnvironment(t *testing.T) {
	hostile := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request went to %s", r.Host)
	}))
	defer hostile.Close()
	setHostile(t)
	t.Setenv("AWS_ENDPOINT_URL", hostile.URL)
	t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", hostile.URL)
	t.Setenv("HTTP_PROXY", hostile.URL)

	var keyIDs []string
	emulator := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		id, _, _ := strings.Cut(credential, "/")
		keyIDs = append(keyIDs, id)
		_, _ = rw.Write([]byte("{}"))
	}))
	defer emulator.Close()
	w := testWorkspace(t)
	w.port = portOf(t, emulator.URL)

	s := stack{}
	if err := storeKeys(t.Context(), w, s); err != nil {
		t.Fatal(err)
	}
	if err := callLambda(t.Context(), w, apiCall{method: http.MethodGet, path: "/"}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	if want := slices.Repeat([]string{accessKeyID}, len(providers.All())+1); !slices.Equal(keyIDs, want) {
		t.Errorf("requests signed with %q, want %q", keyIDs, want)
	}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(parsed.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
