package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

type invokeCommand struct {
	Function string `arg:"" help:"Folder of functions/: ${functions}."`
	Event    string `help:"Event file, or - for standard input; by default the first of events/<function>*.json."`
}

// Run invokes the function in Lambda's container image, with the tables, queues and keys of the running stack.
func (c invokeCommand) Run(ctx context.Context) error {
	if !slices.Contains(functionFolders(), c.Function) {
		return fmt.Errorf("invoke: no function %q; the functions are %s", c.Function, strings.Join(functionFolders(), ", "))
	}
	root, err := repository()
	if err != nil {
		return err
	}
	s, err := readStack(cmp.Or(os.Getenv("PAYOUT_CALLBACKS_STACK"), newestStackFile(root)))
	if err != nil {
		return errors.New("invoke: no local stack is running: start it with `make run`, and invoke from another terminal")
	}
	name, event, err := c.readEvent(root, os.Stdin)
	if err != nil {
		return fmt.Errorf("invoke: %w", err)
	}
	w, err := attach(root, s)
	if err != nil {
		return err
	}
	containers, err := prepareContainers(ctx, w, s)
	if err != nil {
		return err
	}
	defer func() { _ = containers.close() }()
	fmt.Fprintf(os.Stderr, "invoking %s with %s\n", logicalID(c.Function), name)
	log, err := samLocalInvoke(ctx, w, containers.daemon, logicalID(c.Function), event)
	if err != nil {
		return fmt.Errorf("invoke: %w", err)
	}
	if payout := payoutIn(log); payout != "" {
		fmt.Fprintf(os.Stderr, "Show the payout: go run ./cmd/payoutctl --local show %s\n", payout)
	}
	return nil
}

// readEvent returns the event and its name. It runs before the build, which takes a minute.
func (c invokeCommand) readEvent(root string, stdin io.Reader) (name string, event []byte, err error) {
	name, path := c.Event, c.Event
	if c.Event == "" {
		samples, _ := filepath.Glob(filepath.Join(root, "events", c.Function+"*.json"))
		if len(samples) == 0 {
			return "", nil, fmt.Errorf("no events/%s*.json: specify an event with EVENT=", c.Function)
		}
		name, path = "events/"+filepath.Base(samples[0]), samples[0]
	}
	if c.Event == "-" {
		name = "standard input"
		event, err = io.ReadAll(stdin)
	} else {
		event, err = os.ReadFile(path)
	}
	if err == nil && !json.Valid(event) {
		err = fmt.Errorf("%s is not JSON", name)
	}
	return name, event, err
}

// attach returns a workspace that uses the port of a running stack without owning it.
func attach(root string, s stack) (workspace, error) {
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

// containers is what `sam local` needs beside the build: a daemon, and a way to the running stack.
type containers struct {
	daemon
	forwarder
}

// prepareContainers builds the functions for containers on this machine, and lets the containers reach the stack.
func prepareContainers(ctx context.Context, w workspace, s stack) (prepared containers, err error) {
	err = progress{out: os.Stderr}.runAll(ctx, []step{
		{name: "find Docker", run: func(ctx context.Context) (err error) {
			prepared.daemon, err = findDaemon(ctx)
			return err
		}, hint: "start Docker, or run the functions without it: `make run` and `make test`"},
		installTools(w.root),
		{name: "build the functions (sam build)", run: func(ctx context.Context) error { return buildForContainer(ctx, w) },
			hint: "`go build ./functions/...` shows the errors of the compiler"},
		{name: "let containers reach the stack", run: func(context.Context) (err error) {
			if prepared.forwarder, err = forward(prepared.daemon, w); err != nil {
				return err
			}
			return s.writeVariables(variablesFile(w), prepared.endpoint)
		}},
	})
	return prepared, err
}

func variablesFile(w workspace) string { return filepath.Join(w.dir, "env.json") }

// samLocal returns a command of `sam local`, for the architecture that samBuild builds for.
func samLocal(w workspace, d daemon, args ...string) *exec.Cmd {
	cmd := sam(w, append(isolated(w), "DOCKER_HOST="+d.host), slices.Concat([]string{"local"}, args, []string{
		"--template", filepath.Join(w.build(), "template.yaml"), "--region", region, "--parameter-overrides", architecture(),
	})...)
	if skip, ok := os.LookupEnv("SAM_SKIP_PULL_IMAGE"); ok {
		cmd.Env = append(cmd.Env, "SAM_SKIP_PULL_IMAGE="+skip)
	}
	return cmd
}

// samLocalInvoke invokes a function and returns its log. It fails if the function fails; SAM exits with 0 whatever the
// function returns.
func samLocalInvoke(ctx context.Context, w workspace, d daemon, function string, event []byte) (log []byte, err error) {
	file := filepath.Join(w.dir, "event.json")
	if err := os.WriteFile(file, event, 0o600); err != nil {
		return nil, err
	}
	cmd := samLocal(w, d, "invoke", function, "--event", file, "--env-vars", variablesFile(w))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(os.Stdout, &stdout), io.MultiWriter(os.Stderr, &stderr)
	c, err := start(cmd)
	if err != nil {
		return nil, err
	}
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr) // SAM may print the response without a line break
	if err := checkAnswer(stdout.Bytes(), stderr.Bytes()); err != nil {
		return nil, fmt.Errorf("%s %w", function, err)
	}
	return stderr.Bytes(), nil
}

// checkAnswer returns an error if a function's answer reports a failure, with the cause from its log.
func checkAnswer(answer, log []byte) error {
	var response struct {
		StatusCode        int               `json:"statusCode"`
		BatchItemFailures []json.RawMessage `json:"batchItemFailures"`
		ErrorType         string            `json:"errorType"`
		ErrorMessage      string            `json:"errorMessage"`
	}
	answer = bytes.TrimSpace(answer)
	if len(answer) == 0 {
		return fmt.Errorf("returns no response: %s", causeIn(log))
	}
	if err := json.Unmarshal(answer, &response); err != nil && !json.Valid(answer) {
		return fmt.Errorf("returns a response that is not JSON: %s", causeIn(log))
	}
	switch {
	case response.ErrorType != "" || response.ErrorMessage != "":
		return fmt.Errorf("fails: %s: %s", response.ErrorType, response.ErrorMessage)
	case response.StatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("returns %d: %s", response.StatusCode, causeIn(log))
	case len(response.BatchItemFailures) > 0:
		return fmt.Errorf("reports %d failed items: %s", len(response.BatchItemFailures), causeIn(log))
	}
	return nil
}

// logLine is the part of a log line that is read here.
type logLine struct {
	Err    string `json:"err"`
	Payout string `json:"payout"`
}

// causeIn returns the last error in a function's log, or the last line, which SAM wrote.
func causeIn(log []byte) string {
	cause, last := "", ""
	for line := range bytes.Lines(log) {
		last = cmp.Or(string(bytes.TrimSpace(line)), last)
		var entry logLine
		if json.Unmarshal(line, &entry) == nil {
			cause = cmp.Or(entry.Err, cause)
		}
	}
	return cmp.Or(cause, last, "the log is empty")
}

// payoutIn returns the first payout id in a function's log, quoted for a shell, or "".
func payoutIn(log []byte) string {
	for line := range bytes.Lines(log) {
		var entry logLine
		if json.Unmarshal(line, &entry) != nil || entry.Payout == "" {
			continue
		}
		if strings.ContainsAny(entry.Payout, "$&") { // the other characters of a payout id need no quotes
			return "'" + entry.Payout + "'"
		}
		return entry.Payout
	}
	return ""
}

// daemon is the Docker daemon that `sam local` starts its containers with.
type daemon struct {
	host   string // value of DOCKER_HOST
	listen string // address of this machine that the containers reach
	dial   string // name under which they reach it
}

// findDaemon asks the docker command for the daemon, which need not be at the default socket.
func findDaemon(ctx context.Context) (daemon, error) {
	system, err := docker(ctx, "info", "--format", "{{.OperatingSystem}}")
	if err != nil {
		return daemon{}, fmt.Errorf("sam local needs Docker, which does not respond: %w", err)
	}
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		if host, err = docker(ctx, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"); err != nil {
			return daemon{}, err
		}
	}
	// If the containers run in a virtual machine, its bridge is no interface of this machine.
	if runtime.GOOS != "linux" || strings.Contains(system, "Docker Desktop") {
		return daemon{host: host, listen: "127.0.0.1", dial: "host.docker.internal"}, nil
	}
	configuration, err := docker(ctx, "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}")
	if err != nil {
		return daemon{}, err
	}
	address, err := bridgeAddress([]byte(configuration))
	return daemon{host: host, listen: address, dial: address}, err
}

// docker runs a docker command with the developer's configuration, and returns its output.
func docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = keep(os.Environ(), func(name string) bool {
		return name == "PATH" || name == "HOME" || strings.HasPrefix(name, "DOCKER_")
	})
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// bridgeAddress returns the address of this machine on Docker's default network. SAM puts its containers there, even with
// --docker-network.
func bridgeAddress(configuration []byte) (string, error) {
	var networks []struct {
		Subnet  string `json:"Subnet"`
		Gateway string `json:"Gateway"`
	}
	if err := json.Unmarshal(configuration, &networks); err != nil {
		return "", fmt.Errorf("docker network inspect: %w", err)
	}
	for _, network := range networks {
		if gateway, err := netip.ParseAddr(network.Gateway); err == nil && gateway.Is4() && !gateway.IsUnspecified() {
			return gateway.String(), nil
		}
		// Some versions omit the gateway: it is the first address.
		if subnet, err := netip.ParsePrefix(network.Subnet); err == nil && subnet.Addr().Is4() {
			return subnet.Masked().Addr().Next().String(), nil
		}
	}
	return "", fmt.Errorf("the Docker network bridge has no IPv4 address: %s", configuration)
}

// forwarder lets containers reach the emulator, which listens on 127.0.0.1 only.
type forwarder struct {
	endpoint string // the URL that a container calls
	server   *http.Server
}

// credential matches the part of a signature that names the signer.
var credential = regexp.MustCompile(`Credential=[^/]*/`)

// forward listens on the address that the containers of d reach, not on all interfaces. It uses the emulator's port if
// that is free.
func forward(d daemon, w workspace) (forwarder, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(d.listen, strconv.Itoa(w.port)))
	if err != nil {
		listener, err = net.Listen("tcp", net.JoinHostPort(d.listen, "0"))
	}
	if err != nil {
		return forwarder{}, fmt.Errorf("containers reach this machine at %s, where it cannot listen "+
			"(does the daemon %s run on another machine, or without root?): %w", d.listen, d.host, err)
	}
	target := &url.URL{Scheme: "http", Host: w.address()}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: &httputil.ReverseProxy{
			Transport: &http.Transport{},
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				signAsRoot(r.Out.Header)
			},
		},
	}
	go func() { _ = server.Serve(listener) }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return forwarder{endpoint: "http://" + net.JoinHostPort(d.dial, port), server: server}, err
}

// signAsRoot names the emulator's root user as the signer. SAM passes the developer's credentials, or dummies, to a
// container, and the emulator rejects both. It does not check the signature of its root user.
func signAsRoot(header http.Header) {
	header.Del("X-Amz-Security-Token")
	if signature := header.Get("Authorization"); signature != "" {
		header.Set("Authorization", credential.ReplaceAllString(signature, "Credential="+accessKeyID+"/"))
	}
}

func (f forwarder) close() error {
	if f.server == nil {
		return nil // not open
	}
	return f.server.Close()
}
