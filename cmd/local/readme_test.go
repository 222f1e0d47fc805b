package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"payout-callbacks/pkg/testkit/templatetest"
)

// runnable matches the blocks of a document that the tests run.
var runnable = regexp.MustCompile("(?s)<!-- make test runs these lines -->\n```sh\n(.*?)```")

func TestReadme_Commands(t *testing.T) {
	d := newDeployed(t)
	root := templatetest.Root(t)
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := runnable.FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatal("README.md has no block to run")
	}
	for _, block := range blocks {
		for line := range strings.Lines(string(block[1])) {
			var out []byte
			// A command may read what the consumer has not applied yet.
			d.eventually(t, line, func(ctx context.Context) bool {
				command := exec.CommandContext(ctx, "sh", "-c", line)
				command.Dir = root
				command.Env = append(os.Environ(), d.stack.orderVariables()...)
				var err error
				out, err = command.CombinedOutput()
				return err == nil
			})
			t.Logf("%s%s", line, out)
		}
	}
}
