package pkg_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/testkit/templatetest"
)

// The workflow and .ci/run call the same targets in the same order.
func TestCI_WorkflowRunsTheSameTargets(t *testing.T) {
	target := regexp.MustCompile(`(?m)^(?: *- run: )?make ([a-z]+)`)
	var targets [2][]string
	for i, path := range []string{".ci/run", ".github/workflows/ci.yml"} {
		for _, match := range target.FindAllStringSubmatch(read(t, filepath.Join(templatetest.Root(t), path)), -1) {
			targets[i] = append(targets[i], match[1])
		}
	}
	if !slices.Equal(targets[0], targets[1]) || len(targets[0]) == 0 {
		t.Errorf(".ci/run calls %v, the workflow calls %v", targets[0], targets[1])
	}
}

// On an unsupported system make stops with a message before it builds anything.
func TestMake_UnsupportedSystem(t *testing.T) {
	program, err := exec.LookPath("make")
	if err != nil {
		t.Skip("needs make")
	}
	bin := t.TempDir()
	uname := "#!/bin/sh\necho MINGW64_NT-10.0\n"
	if err := os.WriteFile(filepath.Join(bin, "uname"), []byte(uname), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"run", "test", "tools"} {
		command := exec.CommandContext(t.Context(), program, "--no-print-directory", target, "LOCAL="+filepath.Join(bin, "local"))
		command.Dir = templatetest.Root(t)
		command.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := command.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "needs Linux or macOS") || !strings.Contains(string(out), "MINGW64_NT-10.0") {
			t.Errorf("make %s: %v\n%s", target, err, out)
		}
		if _, err := os.Stat(filepath.Join(bin, "local")); err == nil {
			t.Errorf("make %s: local was built", target)
		}
	}
}
