package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long a child may take to exit after SIGTERM. The emulator needs about a second.
const stopGrace = 8 * time.Second

// child is a running program that leads a process group: its own children stop with it, and a Ctrl-C in the terminal
// reaches only this process, which stops its children in order.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once err is set
	err  error
}

func start(cmd *exec.Cmd) (*child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// stop ends the process group and waits for its leader.
func (c *child) stop() {
	group := -c.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(stopGrace):
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // the rest of the group
	<-c.done
}

// wait returns how the child ended. If ctx ends first, it stops the child.
func (c *child) wait(ctx context.Context) error {
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		c.stop()
		return ctx.Err()
	}
}

// startLogged starts cmd with its output in the log file.
func startLogged(cmd *exec.Cmd, log string) (*child, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	return start(cmd)
}

// runLogged runs cmd to its end. Its error has the end of the log.
func runLogged(ctx context.Context, cmd *exec.Cmd, log string) error {
	c, err := startLogged(cmd, log)
	if err == nil {
		err = c.wait(ctx)
	}
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args[:min(2, len(cmd.Args))], " "), err, tail(log))
}

// tail returns the last lines of a log, which usually have the cause.
func tail(log string) string {
	const lines = 25
	content, err := os.ReadFile(log)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	last := all[max(0, len(all)-lines):]
	return fmt.Sprintf("the end of %s:\n    %s", log, strings.Join(last, "\n    "))
}

// emulatorTimeout bounds how long the emulator may take to start. On an idle machine it takes a second or two.
const emulatorTimeout = time.Minute

// startEmulator starts the emulator and waits until it responds. The functions send their requests to the endpoint.
func startEmulator(ctx context.Context, w workspace, endpoint string) (*child, error) {
	cmd := exec.Command(filepath.Join(venvBin(w.root), "ministack"))
	cmd.Dir = w.dir
	cmd.Env = append(isolated(w),
		"AUTH=true", // enforce the functions' IAM roles, as AWS does
		"BIND_HOST=127.0.0.1",
		"GATEWAY_PORT="+strconv.Itoa(w.port),
		"STATE_DIR="+w.state(),
		"MINISTACK_REGION="+region,
		"AWS_ENDPOINT_URL="+endpoint,
		// Two more listeners, on fixed ports of all interfaces: two stacks on one machine would conflict.
		"IOT_MTLS_ENABLED=0",
		"SFTP_ENABLED=0",
	)
	emulator, err := startLogged(cmd, w.log("emulator"))
	if err != nil {
		return nil, err
	}
	if err := emulator.untilHealthy(ctx, w); err != nil {
		emulator.stop()
		return nil, err
	}
	return emulator, nil
}

func (c *child) untilHealthy(ctx context.Context, w workspace) error {
	ctx, cancel := context.WithTimeout(ctx, emulatorTimeout)
	defer cancel()
	for {
		if _, err := callSigned(ctx, w, apiCall{method: http.MethodGet, path: "/_ministack/health"}); err == nil {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("the emulator exited: %s\n%s", c.cmd.ProcessState, tail(w.log("emulator")))
		case <-ctx.Done():
			return fmt.Errorf("the emulator does not respond on %s: %w\n%s", w.endpoint(), ctx.Err(), tail(w.log("emulator")))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// startConsole starts the console of a stack, which reads the stack's description.
func startConsole(w workspace, port int, token string) (*child, error) {
	cmd := exec.Command(w.payoutctl(), "--local", "console", "--port", strconv.Itoa(port))
	cmd.Dir = w.dir
	cmd.Env = append(isolated(w), "PAYOUT_CALLBACKS_STACK="+w.stackFile(), "PAYOUT_CALLBACKS_CONSOLE_TOKEN="+token)
	return startLogged(cmd, w.log("console"))
}
