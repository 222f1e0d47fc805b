package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

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

// fingerprint identifies the content and the location: a virtual environment that was moved does not work.
func fingerprint(requirements, venv string) (string, error) {
	content, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
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
