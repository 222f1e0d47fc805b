package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

type invokeCommand struct {
	Function string `arg:"" help:"Folder of functions/: cregis, pivot, consumer, sweeper or publisher."`
	Event    string `help:"Event file; by default the first of events/<function>*.json."`
}

// Run invokes the function in Lambda's own container image. The stack that is up lends its tables, queues and keys.
func (c invokeCommand) Run(ctx context.Context) error {
	if !slices.Contains(functions(), c.Function) {
		return fmt.Errorf("invoke: no function %q; there are %s", c.Function, strings.Join(functions(), ", "))
	}
	root, err := repository()
	if err != nil {
		return err
	}
	s, err := readStack(newestStackFile(root))
	if err != nil {
		return errors.New("invoke: no local stack is up: start one with `make run`, and invoke from another terminal")
	}
	w, err := besides(root, s)
	if err != nil {
		return err
	}
	event, err := c.eventFile()
	if err != nil {
		return err
	}
	var docker string
	show := showOn(os.Stderr)
	err = show.runAll(ctx, []step{
		{name: "find Docker", run: func(ctx context.Context) (err error) {
			docker, err = dockerHost(ctx)
			return err
		}, hint: "start Docker; where there is none, `make run` and `make test` run the same functions without it"},
		installTools(root),
		{name: "build the functions (sam build)", run: func(ctx context.Context) error { return buildForContainer(ctx, w, s) },
			hint: "`go build ./functions/...` shows the compiler's own words"},
	})
	if err != nil {
		return err
	}
	return samLocalInvoke(ctx, w, docker, logicalID(c.Function), event)
}

func (c invokeCommand) eventFile() (string, error) {
	if c.Event != "" {
		return c.Event, nil
	}
	found, err := filepath.Glob(filepath.Join("events", c.Function+"*.json"))
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("invoke: no events/%s*.json: name one with EVENT=", c.Function)
	}
	return found[0], nil
}

// besides is a workspace that uses a running stack's port without being its owner.
func besides(root string, s stack) (workspace, error) {
	endpoint, err := url.Parse(s.EndpointURL)
	if err != nil {
		return workspace{}, err
	}
	port, err := strconv.Atoi(endpoint.Port())
	if err != nil {
		return workspace{}, err
	}
	w := workspace{root: root, dir: filepath.Join(root, ".local", "invoke"), port: port}
	return w, errors.Join(os.RemoveAll(w.dir), w.makeFolders())
}

// dockerHost asks docker itself, as its daemon may be elsewhere than at the default socket.
func dockerHost(ctx context.Context) (string, error) {
	if _, err := exec.LookPath("docker"); err != nil {
		return "", errors.New("sam local invoke needs Docker, and there is no docker on the PATH")
	}
	environ := keep(os.Environ(), func(name string) bool {
		return name == "PATH" || name == "HOME" || strings.HasPrefix(name, "DOCKER_")
	})
	docker := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "docker", args...)
		cmd.Env = environ
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := docker("version", "--format", "{{.Server.Version}}"); err != nil {
		return "", fmt.Errorf("sam local invoke needs Docker, and its daemon does not answer: %s", out)
	}
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return host, nil
	}
	return docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
}

// buildForContainer builds for Linux, and gives the built template the one variable that only a local stack needs:
// SAM hands a container no variable that the template does not name.
func buildForContainer(ctx context.Context, w workspace, s stack) error {
	goEnv, err := goEnvironment(ctx)
	if err != nil {
		return err
	}
	if err := samBuild(ctx, w, compiling(w, goEnv)); err != nil {
		return err
	}
	template := filepath.Join(w.build(), "template.yaml")
	content, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	content = regexp.MustCompile(`(?m)^( +)RECEIPTS_TABLE:`).ReplaceAll(content, []byte("${1}AWS_ENDPOINT_URL: overridden\n$0"))
	variables, err := json.Marshal(map[string]map[string]string{"Parameters": containerVariables(w, s)})
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(template, content, 0o600), os.WriteFile(variablesFile(w), variables, 0o600))
}

func containerVariables(w workspace, s stack) map[string]string {
	endpoint := w.endpoint()
	if runtime.GOOS != "linux" {
		endpoint = fmt.Sprintf("http://host.docker.internal:%d", w.port)
	}
	return map[string]string{
		"AWS_ENDPOINT_URL":      endpoint,
		"RECEIPTS_TABLE":        s.ReceiptsTable,
		"PAYOUTS_TABLE":         s.PayoutsTable,
		"EVENTS_QUEUE_URL":      s.EventsQueueURL,
		"DEAD_LETTER_QUEUE_URL": s.DeadLetterQueueURL,
		"PAYOUT_BUS_NAME":       s.Outputs["PayoutBusName"],
		"KEYS_SECRET_PREFIX":    s.Name + "/keys/",
	}
}

func variablesFile(w workspace) string { return filepath.Join(w.dir, "variables.json") }

func samLocalInvoke(ctx context.Context, w workspace, docker, function, event string) error {
	args := []string{"local", "invoke", function, "--template", filepath.Join(w.build(), "template.yaml"),
		"--event", event, "--env-vars", variablesFile(w), "--region", region}
	if runtime.GOOS == "linux" {
		args = append(args, "--docker-network", "host") // or the emulator on 127.0.0.1 would be out of reach
	}
	cmd := sam(w, append(isolated(w), "DOCKER_HOST="+docker), args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	c, err := start(cmd)
	if err != nil {
		return err
	}
	return c.wait(ctx)
}
