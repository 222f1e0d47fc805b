package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"payout-callbacks/pkg/payout"
)

// The commands of `sam local`, and make invoke, run the functions in containers. The test starts no daemon.
func TestSamLocal(t *testing.T) {
	d := newDeployed(t)
	needImage(t)
	prepared, err := prepareContainers(t.Context(), d.workspace, d.stack)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = prepared.close() })
	for _, function := range functionFolders() {
		if samples, _ := filepath.Glob(filepath.Join(d.workspace.root, "events", function+"*.json")); len(samples) == 0 {
			continue
		}
		t.Run("invoke "+function, func(t *testing.T) { d.invokeSample(t, prepared.daemon, function) })
	}
	t.Run("invoke without the provider", func(t *testing.T) { d.askFromContainer(t, prepared.daemon) })
	t.Run("invoke without the stack", func(t *testing.T) { d.invokeUnreachable(t, prepared) })
	for _, command := range []string{"invoke", "start-api", "start-lambda"} {
		t.Run(command+" without variables", func(t *testing.T) { d.runWithoutVariables(t, prepared.daemon, command) })
	}
	t.Run("start-api", func(t *testing.T) { d.postToStartAPI(t, prepared) })
	t.Run("start-lambda", func(t *testing.T) { d.invokeByStartLambda(t, prepared) })
}

// needImage skips the test without a Docker daemon or without the image of the functions. It uses a local image.
func needImage(t *testing.T) {
	t.Helper()
	if _, err := findDaemon(t.Context()); err != nil {
		t.Skip(err)
	}
	if os.Getenv("SAM_SKIP_PULL_IMAGE") != "" {
		return
	}
	image := "public.ecr.aws/lambda/provided:al2023-" + hostArchitecture()
	if _, err := docker(t.Context(), "image", "inspect", image); err != nil {
		if _, err := docker(t.Context(), "pull", "--quiet", image); err != nil {
			t.Skip(err)
		}
	}
	t.Setenv("SAM_SKIP_PULL_IMAGE", "1")
}

func (d *deployed) invokeSample(t *testing.T, on daemon, function string) {
	_, event, err := invokeCommand{Function: function}.readEvent(d.workspace.root, nil)
	if err != nil {
		t.Fatal(err)
	}
	log, err := samLocalInvoke(t.Context(), d.workspace, on, logicalID(function), event)
	if err != nil {
		t.Fatal(err)
	}
	hasPayout := !slices.Contains([]string{"sweeper", "publisher", "reconciler"}, function)
	if id := payoutIn(log); (id != "") != hasPayout {
		t.Errorf("the log names the payout %q:\n%s", id, log)
	}
}

// askFromContainer asks about the payout of events/expected.json. The simulated provider listens on this machine's loopback
// address, which a container does not reach: that is an outcome and not an error.
func (d *deployed) askFromContainer(t *testing.T, on daemon) {
	const expected = "cregis/payout/" + demoProject + "/1391751691780001"
	log, err := samLocalInvoke(t.Context(), d.workspace, on, "ReconcilerFunction", []byte(`{"payouts":["`+expected+`"]}`))
	if err != nil || !bytes.Contains(log, []byte(`"outcomes":{"unavailable":1}`)) {
		t.Errorf("got %v, want the outcome unavailable:\n%s", err, log)
	}
}

// SAM exits with 0 here.
func (d *deployed) invokeUnreachable(t *testing.T, prepared containers) {
	if err := d.stack.writeVariables(variablesFile(d.workspace), "http://127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	_, event, err := invokeCommand{Function: "cregis"}.readEvent(d.workspace.root, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = samLocalInvoke(t.Context(), d.workspace, prepared.daemon, "CregisFunction", event)
	if err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v, want an error that names 503 and its cause", err)
	}
}

// startSamLocal runs a command of `sam local` with the repository's samconfig.toml, in a folder in place of the
// repository, with credentials that the emulator does not know.
func (d *deployed) startSamLocal(t *testing.T, on daemon, folder string, args ...string) *child {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(d.workspace.root, "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.workspace.samConfig(), config, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := samLocal(d.workspace, on, args...)
	cmd.Dir = folder
	cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token")
	c, err := startLogged(cmd, filepath.Join(folder, "sam.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.stop()
		if t.Failed() {
			t.Log(tail(filepath.Join(folder, "sam.log")))
		}
	})
	return c
}

func (d *deployed) runWithoutVariables(t *testing.T, on daemon, command string) {
	folder := t.TempDir()
	args := []string{command}
	if command == "invoke" {
		args = append(args, "SweeperFunction", "--no-event")
	}
	err := d.startSamLocal(t, on, folder, args...).wait(t.Context())
	if log := tail(filepath.Join(folder, "sam.log")); err == nil || !strings.Contains(log, ".local/env.json") {
		t.Errorf("got %v, want an error that names the file:\n%s", err, log)
	}
}

// startServer starts a server of `sam local` with the variables of make run, and returns its URL.
func (d *deployed) startServer(t *testing.T, prepared containers, command string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, ".local"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := d.stack
	s.ContainerURL = prepared.endpoint
	if err := s.announce(folder); err != nil {
		t.Fatal(err)
	}
	port, err := unusedPort()
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	server := d.startSamLocal(t, prepared.daemon, folder, command, "--port", strconv.Itoa(port))
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !accepts(t.Context(), address) {
		select {
		case <-server.done:
			t.Fatalf("sam local %s ends: %v", command, server.err)
		case <-tick.C:
		}
	}
	return "http://" + address
}

func accepts(ctx context.Context, address string) bool {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}

func (d *deployed) postToStartAPI(t *testing.T, prepared containers) {
	url := d.startServer(t, prepared, "start-api")
	sample := sampleEvents()["cregis-payout.json"]
	sample.replace = append([]string{"1391751691788288", "8" + d.run}, sample.replace...)
	event := sample.event(t, d.workspace.root)
	if got, text := post(t, url+event.RawPath, event.Body); got != http.StatusOK || text != "success" {
		t.Fatalf("got %d %s, want 200 success", got, text)
	}
	if got, _ := post(t, url+event.RawPath, strings.Replace(event.Body, `"1.1"`, `"9000"`, 1)); got != http.StatusUnauthorized {
		t.Errorf("a forged callback: got %d, want 401", got)
	}
	result, err := d.awaitResult(t.Context(), scene{kind: payout.TypePayout}, receiptOf(t, "cregis", event).Key)
	if err != nil || result != "payout succeeded, 1 event" {
		t.Errorf("got %s, %v", result, err)
	}
}

func (d *deployed) invokeByStartLambda(t *testing.T, prepared containers) {
	url := d.startServer(t, prepared, "start-lambda")
	code, text := post(t, url+"/2015-03-31/functions/SweeperFunction/invocations", "{}")
	if err := checkAnswer([]byte(text), nil); code != http.StatusOK || err != nil || !json.Valid([]byte(text)) {
		t.Errorf("got %d %s, want 200 and the sweep", code, text)
	}
}

func post(t *testing.T, url, body string) (code int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := directHTTP().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}
