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

// functions are the folders of functions/; in the template each is called <Name>Function.
func functionFolders() []string {
	return []string{"cregis", "pivot", "consumer", "sweeper", "publisher"}
}

func logicalID(function string) string {
	return strings.ToUpper(function[:1]) + function[1:] + "Function"
}

// hostArchitecture is this machine's, in the template's words: here the emulator runs the functions, not Lambda.
func hostArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// architecture is the parameter that build, deploy and `sam local` have to agree on.
func architecture() string { return "Architecture=" + hostArchitecture() }

// fetchModules downloads what the functions import, so that the build itself needs no network.
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

// compile fills the cache for the build by SAM, which swallows the compiler's own words where a function does not compile.
func compile(ctx context.Context, w workspace, env []string) error {
	cmd := exec.Command("go", "build", "./functions/...")
	cmd.Dir = w.root
	cmd.Env = slices.Concat(env, []string{"GOOS=linux", "GOARCH=" + runtime.GOARCH})
	return runLogged(ctx, cmd, w.log("build"))
}

func samBuild(ctx context.Context, w workspace, env []string) error {
	// Without a file of our own SAM takes samconfig.toml, which is about real deployments.
	if err := os.WriteFile(w.samConfig(), []byte("version = 0.1\n"), 0o600); err != nil {
		return err
	}
	return runLogged(ctx, buildCommand(w, env), w.log("build"))
}

func buildCommand(w workspace, env []string) *exec.Cmd {
	return sam(w, env, "build", "--template", "template.yaml", "--build-dir", w.build(),
		"--parameter-overrides", architecture(), "OnEmulator=true")
}

// rebuildForHost replaces the Linux binaries that SAM always makes: the emulator starts them on this very machine.
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
