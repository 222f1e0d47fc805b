package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// functionFolders lists the folders of functions/. The template calls each function <Name>Function.
func functionFolders() []string {
	return []string{"cregis", "pivot", "consumer", "sweeper", "publisher"}
}

func logicalID(function string) string {
	return strings.ToUpper(function[:1]) + function[1:] + "Function"
}

// hostArchitecture returns the architecture of this machine, on which the emulator runs the functions, as the template
// calls it.
func hostArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// architecture returns the parameter that build, deploy and `sam local` must share.
func architecture() string { return "Architecture=" + hostArchitecture() }

// fetchModules downloads the modules of the functions, so that the build needs no network.
func fetchModules(ctx context.Context, w workspace) error {
	cmd := exec.Command("go", "list", "-deps", "./functions/...")
	cmd.Dir = w.root
	cmd.Env = downloading(os.Environ())
	return runLogged(ctx, cmd, w.log("modules"))
}

func build(ctx context.Context, w workspace) error {
	goEnv, err := goEnvironment(ctx)
	if err != nil {
		return err
	}
	env := compiling(w, goEnv)
	if err := compile(ctx, w, env); err != nil {
		return err
	}
	if err := samBuild(ctx, w, env); err != nil || runtime.GOOS == "linux" {
		return err
	}
	return rebuildForHost(ctx, w, env)
}

// compile fills the build cache before SAM builds, because SAM omits the compiler's error messages.
func compile(ctx context.Context, w workspace, env []string) error {
	cmd := exec.Command("go", "build", "./functions/...")
	cmd.Dir = w.root
	cmd.Env = slices.Concat(env, []string{"GOOS=linux", "GOARCH=" + runtime.GOARCH})
	return runLogged(ctx, cmd, w.log("build"))
}

func samBuild(ctx context.Context, w workspace, env []string) error {
	// By default SAM reads samconfig.toml, which configures real deployments.
	if err := os.WriteFile(w.samConfig(), []byte("version = 0.1\n"), 0o600); err != nil {
		return err
	}
	return runLogged(ctx, buildCommand(w, env), w.log("build"))
}

func buildCommand(w workspace, env []string) *exec.Cmd {
	return sam(w, env, "build", "--template", "template.yaml", "--build-dir", w.build(),
		"--parameter-overrides", architecture(), "OnEmulator=true")
}

// rebuildForHost replaces the Linux binaries that SAM builds: the emulator runs the functions on this machine.
func rebuildForHost(ctx context.Context, w workspace, env []string) error {
	for _, function := range functionFolders() {
		bootstrap := filepath.Join(w.build(), logicalID(function), "bootstrap")
		cmd := exec.Command("go", "build", "-o", bootstrap, "./functions/"+function)
		cmd.Dir = w.root
		cmd.Env = slices.Concat(env, []string{"GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH})
		if err := runLogged(ctx, cmd, w.log("build")); err != nil {
			return err
		}
	}
	return nil
}

func sam(w workspace, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(venvBin(w.root), "sam"), append(args, "--config-file", w.samConfig())...)
	cmd.Dir = w.root
	cmd.Env = env
	return cmd
}
