package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// workspace has the files of one local stack. Each port has its own folder, so that two stacks of one clone share only the
// tools.
type workspace struct {
	root string // the repository
	dir  string // .local/<port>
	port int
}

func openWorkspace(port int) (workspace, error) {
	root, err := repository()
	if err != nil {
		return workspace{}, err
	}
	return workspace{root: root, dir: filepath.Join(root, ".local", strconv.Itoa(port)), port: port}, nil
}

func repository() (string, error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(root, "template.yaml")); err != nil {
		return "", errors.New("no template.yaml here: run this from the root of the repository")
	}
	return root, nil
}

// claim locks the workspace for this process and empties it.
func (w workspace) claim() (release func(), err error) {
	file := w.dir + ".lock"
	release, err = lock(file, syscall.LOCK_NB)
	if err != nil {
		holder, _ := os.ReadFile(file)
		return nil, withHint(
			fmt.Errorf("a local stack is already running on port %d (process %s)", w.port, strings.TrimSpace(string(holder))),
			"stop it with Ctrl-C, or choose another port: make run PORT=4600")
	}
	for _, prepare := range []func() error{w.freePort, func() error { return os.RemoveAll(w.dir) }, w.makeFolders} {
		if err := prepare(); err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}

// makeFolders also writes the time of SAM's last version check, so that SAM does not check for a newer version.
func (w workspace) makeFolders() error {
	sam := filepath.Join(w.home(), ".aws-sam")
	checked := fmt.Appendf(nil, `{"lastVersionCheck": %d}`, time.Now().Unix())
	return cmp.Or(
		os.MkdirAll(sam, 0o700),
		os.MkdirAll(w.temporary(), 0o700),
		os.MkdirAll(w.state(), 0o700),
		os.WriteFile(filepath.Join(sam, "metadata.json"), checked, 0o600),
	)
}

func (w workspace) freePort() error {
	if w.port < 1 || w.port > 65535 {
		return withHint(fmt.Errorf("invalid port %d", w.port), "choose a port from 1024 to 65535: make run PORT=4600")
	}
	listener, err := net.Listen("tcp", w.address())
	if err != nil {
		return withHint(fmt.Errorf("port %d is in use: %w", w.port, err),
			fmt.Sprintf("find the process with `lsof -i :%d`, or choose another port: make run PORT=4600", w.port))
	}
	return listener.Close()
}

func (w workspace) address() string         { return net.JoinHostPort("127.0.0.1", strconv.Itoa(w.port)) }
func (w workspace) endpoint() string        { return "http://" + w.address() }
func (w workspace) home() string            { return filepath.Join(w.dir, "home") }
func (w workspace) temporary() string       { return filepath.Join(w.dir, "tmp") }
func (w workspace) state() string           { return filepath.Join(w.dir, "state") }
func (w workspace) build() string           { return filepath.Join(w.dir, "build") }
func (w workspace) payoutctl() string       { return filepath.Join(w.dir, "payoutctl") }
func (w workspace) samConfig() string       { return filepath.Join(w.dir, "samconfig.toml") }
func (w workspace) log(step string) string  { return filepath.Join(w.dir, step+".log") }
func (w workspace) stackFile() string       { return filepath.Join(w.dir, "stack.json") }
func (w workspace) newestStackFile() string { return newestStackFile(w.root) }

func newestStackFile(root string) string { return filepath.Join(root, ".local", "stack.json") }

// lock locks the file until release or the end of this process. If the file is locked, it waits, or fails with mode
// LOCK_NB.
func lock(path string, mode int) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|mode); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	_ = file.Truncate(0)
	_, _ = fmt.Fprintln(file, os.Getpid())
	return func() { _ = file.Close() }, nil
}

// unusedPort returns a port that is free now. If another process takes it, the emulator fails to start.
func unusedPort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return int(netip.MustParseAddrPort(listener.Addr().String()).Port()), nil
}

type toolsCommand struct{}

func (toolsCommand) Run(ctx context.Context) error {
	root, err := repository()
	if err != nil {
		return err
	}
	return progress{out: os.Stderr}.runAll(ctx, []step{installTools(root)})
}

func venvBin(root string) string { return filepath.Join(root, ".local", "venv", "bin") }

func installTools(root string) step {
	return step{
		name: "install the tools of requirements.txt, about a minute the first time",
		run:  func(ctx context.Context) error { return install(ctx, root) },
		hint: "check the network (proxy variables and PIP_* are used); on Debian and Ubuntu also `apt install python3-venv`",
	}
}

// install creates the virtual environment once for each content of requirements.txt. It writes the stamp last, so that an
// interrupted installation is repeated. The lock makes two stacks that start together install once.
func install(ctx context.Context, root string) error {
	venv := filepath.Join(root, ".local", "venv")
	release, err := lock(venv+".lock", 0)
	if err != nil {
		return err
	}
	defer release()

	requirements := filepath.Join(root, "requirements.txt")
	want, err := fingerprint(requirements, venv)
	if err != nil {
		return err
	}
	stamp := filepath.Join(venv, "installed")
	if got, _ := os.ReadFile(stamp); string(got) == want {
		return nil
	}
	python, err := findPython(ctx)
	if err != nil {
		return err
	}
	log := venv + ".log"
	if err := errors.Join(os.RemoveAll(venv), os.RemoveAll(log)); err != nil {
		return err
	}
	for _, args := range [][]string{
		{python, "-m", "venv", venv},
		{filepath.Join(venv, "bin", "pip"), "install", "--no-deps", "--require-hashes", "--requirement", requirements},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = downloading(os.Environ())
		if err := runLogged(ctx, cmd, log); err != nil {
			return err
		}
	}
	return os.WriteFile(stamp, []byte(want), 0o600)
}

// fingerprint identifies the content and the location: a virtual environment that was moved does not work. A link to that
// of another clone does.
func fingerprint(requirements, venv string) (string, error) {
	content, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(venv); err == nil {
		venv = target
	}
	sum := sha256.Sum256(append(content, venv...))
	return hex.EncodeToString(sum[:]), nil
}

func findPython(ctx context.Context) (string, error) {
	for _, name := range []string{"python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"} {
		cmd := exec.CommandContext(ctx, name, "-c", "import sys; sys.exit(sys.version_info < (3, 10))")
		cmd.Env = downloading(os.Environ())
		if cmd.Run() == nil {
			return exec.LookPath(name)
		}
	}
	return "", withHint(errors.New("no Python 3.10 or later on the PATH"), "install Python 3.10 or later and put it on the PATH as python3")
}
