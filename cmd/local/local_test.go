package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestChild_StopEndsGrandchildren(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	c, err := start(exec.Command("sh", "-c", `sleep 600 & echo $! >"$0.half" && mv "$0.half" "$0"; wait`, pidFile))
	if err != nil {
		t.Fatal(err)
	}
	pid := waitForPID(t, pidFile)
	c.stop()
	for ended := time.After(timeout); !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !isZombie(pid); {
		select {
		case <-ended: // a killed process ends when it is scheduled
			t.Fatalf("grandchild %d is alive after stop", pid)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestProgress_FailedStep(t *testing.T) {
	var out bytes.Buffer
	log := filepath.Join(t.TempDir(), "build.log")
	err := progress{out: &out}.runAll(t.Context(), []step{
		{name: "build", hint: "fix it", run: func(ctx context.Context) error {
			return runLogged(ctx, exec.Command("sh", "-c", "echo the cause >&2; exit 3"), log)
		}},
		{name: "deploy", run: func(context.Context) error { t.Error("the step after a failed one ran"); return nil }},
	})
	if !errors.Is(err, errReported) {
		t.Errorf("got %v, want %v", err, errReported)
	}
	for _, want := range []string{"build failed", "exit status 3", "the cause", log, "fix it"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
}

func TestWorkspace_PortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	w := testWorkspace(t)
	w.port = listener.Addr().(*net.TCPAddr).Port
	_, err = w.claim()
	var h hinted
	if !errors.As(err, &h) || !strings.Contains(h.hint, "PORT=") {
		t.Errorf("got %v, want an error that proposes another port", err)
	}
}

func TestWorkspace_ClaimedTwice(t *testing.T) {
	w := testWorkspace(t)
	port, err := unusedPort()
	if err != nil {
		t.Fatal(err)
	}
	w.port = port
	release, err := w.claim()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.claim(); err == nil {
		t.Error("claimed twice")
	}
	release()
	if release, err = w.claim(); err != nil {
		t.Errorf("not claimable after release: %v", err)
	} else {
		release()
	}
}

func waitForPID(t *testing.T, file string) int {
	t.Helper()
	deadline := time.After(timeout)
	for {
		if content, err := os.ReadFile(file); err == nil {
			pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		select {
		case <-deadline:
			t.Fatal("the child did not start its own child")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// isZombie reports whether a process was killed and not yet collected.
func isZombie(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

// Of two stacks on two ports, the one that stops first leaves the other's description, and its variables for `sam local`.
func TestStack_Withdraw(t *testing.T) {
	older := stack{Name: "older", PID: os.Getppid(), ContainerURL: "http://192.0.2.1:1"} // another process that is alive
	newer := stack{Name: "newer", PID: os.Getpid(), ContainerURL: "http://192.0.2.1:2"}
	withoutDocker := stack{Name: "newer", PID: os.Getpid()}
	for name, c := range map[string]struct {
		announced []stack
		stops     stack
		older     stack
		want      stack // whose files remain
	}{
		"the older stack is running":        {[]stack{older, newer}, newer, older, older},
		"a newer stack owns the files":      {[]stack{older, newer}, older, stack{}, newer},
		"the older stack has ended":         {[]stack{newer}, newer, stack{Name: "gone", PID: 1 << 30}, stack{}},
		"no older stack":                    {[]stack{newer}, newer, stack{}, stack{}},
		"the newer stack is without Docker": {[]stack{older, withoutDocker}, older, stack{}, withoutDocker},
		"the newer stack has ended":         {[]stack{}, older, stack{}, stack{}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, ".local"), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, s := range c.announced {
				if err := s.announce(root); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.stops.withdraw(root, c.older); err != nil && len(c.announced) > 0 {
				t.Fatal(err)
			}
			if got, _ := readStack(newestStackFile(root)); got.Name != c.want.Name {
				t.Errorf("got the stack file of %q, want of %q", got.Name, c.want.Name)
			}
			variables, _ := os.ReadFile(newestVariablesFile(root))
			if url := c.want.ContainerURL; (url == "") != (len(variables) == 0) || !strings.Contains(string(variables), url) {
				t.Errorf("got the variables %s, want those of %q", variables, c.want.Name)
			}
		})
	}
}

// A virtual environment that was moved is installed again. A link to it is not.
func TestFingerprint_Location(t *testing.T) {
	dir := t.TempDir()
	venv, link, moved := filepath.Join(dir, "venv"), filepath.Join(dir, "link"), filepath.Join(dir, "moved")
	requirements := filepath.Join(dir, "requirements.txt")
	if err := errors.Join(os.Mkdir(venv, 0o755), os.Mkdir(moved, 0o755), os.Symlink(venv, link), os.WriteFile(requirements, []byte("sam"), 0o600)); err != nil {
		t.Fatal(err)
	}
	prints := map[string]string{}
	for _, location := range []string{venv, link, moved} {
		var err error
		if prints[location], err = fingerprint(requirements, location); err != nil {
			t.Fatal(err)
		}
	}
	if prints[venv] != prints[link] || prints[venv] == prints[moved] {
		t.Errorf("fingerprints: %v", prints)
	}
}
