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

func TestAStoppedChildTakesItsChildrenWithIt(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	c, err := start(exec.Command("sh", "-c", `sleep 600 & echo $! >"$0.half" && mv "$0.half" "$0"; wait`, pidFile))
	if err != nil {
		t.Fatal(err)
	}
	pid := waitForPID(t, pidFile)
	c.stop()
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) && !zombie(pid) {
		t.Errorf("grandchild %d is alive after stop", pid)
	}
}

func TestAFailedStepSaysWhichWhyAndWhatToDo(t *testing.T) {
	var out bytes.Buffer
	log := filepath.Join(t.TempDir(), "build.log")
	err := progress{out: &out}.runAll(t.Context(), []step{
		{name: "build", hint: "mend it", run: func(ctx context.Context) error {
			return runLogged(ctx, exec.Command("sh", "-c", "echo the cause >&2; exit 3"), log)
		}},
		{name: "deploy", run: func(context.Context) error { t.Error("the step after a failed one ran"); return nil }},
	})
	if !errors.Is(err, errReported) {
		t.Errorf("got %v, want %v", err, errReported)
	}
	for _, want := range []string{"build failed", "exit status 3", "the cause", log, "mend it"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
}

func TestATakenPortIsNamedWithAWayOut(t *testing.T) {
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

func TestAWorkspaceIsClaimedOnce(t *testing.T) {
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

func TestAStackFileIsRemovedByItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stack.json")
	older, newer := stack{PID: 1}, stack{PID: 2}
	for _, s := range []stack{older, newer} {
		if err := s.write(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := older.remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := readStack(path); err != nil {
		t.Errorf("the newer stack's file is gone: %v", err)
	}
	if err := newer.remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want the file gone", err)
	}
}

func waitForPID(t *testing.T, file string) int {
	t.Helper()
	deadline := time.After(10 * time.Second)
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

// zombie: killed, and waiting for whoever adopted it to collect it.
func zombie(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

// Two copies on two ports: the one that stops first leaves the other's
// description where tools look for it.
func TestAStackThatStopsHandsTheFileBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stack.json")
	older := stack{Name: "older", PID: os.Getppid()} // a process that is alive, and another one
	newer := stack{Name: "newer", PID: os.Getpid()}
	for _, s := range []stack{older, newer} {
		if err := s.write(path); err != nil {
			t.Fatal(err)
		}
	}
	newer.handBack(path, older)
	if got, err := readStack(path); err != nil || got.Name != "older" {
		t.Errorf("got %q, %v, want the older stack's", got.Name, err)
	}
	newer.handBack(path, stack{})
	if got, err := readStack(path); err != nil || got.Name != "older" {
		t.Errorf("a stack that is not its owner took it away: %q, %v", got.Name, err)
	}
	older.handBack(path, stack{Name: "dead", PID: 1 << 30})
	if _, err := os.Stat(path); err == nil {
		t.Error("a stack that is gone got the file back")
	}
}
