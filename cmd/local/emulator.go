package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// emulatorTimeout bounds how long the emulator may take to start. On an idle machine it takes a second or two.
const emulatorTimeout = time.Minute

// startEmulator starts the emulator and waits until it responds.
func startEmulator(ctx context.Context, w workspace) (*child, error) {
	cmd := exec.Command(filepath.Join(venvBin(w.root), "ministack"))
	cmd.Dir = w.dir
	cmd.Env = append(isolated(w),
		"AUTH=true", // enforce the functions' IAM roles, as AWS does
		"BIND_HOST=127.0.0.1",
		"GATEWAY_PORT="+strconv.Itoa(w.port),
		"STATE_DIR="+w.state(),
		"MINISTACK_REGION="+region,
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
	for !healthy(ctx, w) {
		select {
		case <-c.done:
			return fmt.Errorf("the emulator exited: %w\n%s", cmpError(c.err), tail(w.log("emulator")))
		case <-ctx.Done():
			return fmt.Errorf("the emulator does not respond on %s: %w\n%s", w.endpoint(), ctx.Err(), tail(w.log("emulator")))
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func healthy(ctx context.Context, w workspace) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.endpoint()+"/_ministack/health", nil)
	if err != nil {
		return false
	}
	response, err := directHTTP().Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func cmpError(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}
