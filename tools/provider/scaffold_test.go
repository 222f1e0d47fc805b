package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/testkit/templatetest"
)

// The files of a new provider are written for it: they name no other provider.
func TestRender_NamesNoOtherProvider(t *testing.T) {
	for _, scheme := range []string{schemeHMAC, schemeHeaderKey} {
		files, err := render("dodopay", scheme)
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range files {
			if !strings.Contains(path, "dodopay") || strings.Contains(path+text, "NAME") || strings.Contains(text, "{{") {
				t.Errorf("%s: a placeholder is left:\n%s", path, text)
			}
			for _, other := range providers.All() {
				if regexp.MustCompile(`(?i)\b` + other.Name() + `\b`).MatchString(text) {
					t.Errorf("%s names %s", path, other.Name())
				}
			}
		}
		for _, path := range []string{"docs/providers/dodopay.md", "functions/dodopay/main.go", "pkg/provider/dodopay/dodopay_test.go"} {
			if files[path] == "" {
				t.Errorf("%s: no %s", scheme, path)
			}
		}
		page := files["docs/providers/dodopay.md"]
		if isMentioned := strings.Contains(page, "`Timestamp`"); isMentioned != (scheme == schemeHMAC) {
			t.Errorf("%s: the page mentions a signed time: %t", scheme, isMentioned)
		}
	}
	if files, err := render("dodopay", "hmac-md5"); err == nil {
		t.Errorf("an unknown scheme writes %d files", len(files))
	}
}

func TestCheckName(t *testing.T) {
	root := templatetest.Root(t)
	for name, isValid := range map[string]bool{
		"dodopay": true, "ab": true, "a1": true, "paypal24": true, strings.Repeat("a", 20): true,
		"": false, "a": false, strings.Repeat("a", 21): false, "1acme": false, "Acme": false, "acme-pay": false, "acme_pay": false,
		"acme pay": false, "../acme": false, "acmé": false, "acme\n": false, "--help": false,
		"cregis": false, "pivot": false, "consumer": false, "sweeper": false, "publisher": false, "expected": false, "reconciler": false,
		"events": false, "provider": false, "payout": false, "scheme": false, "jsonbody": false, "callback": false, "functions": false,
		"func": false, "range": false, "string": false, "error": false, "len": false, "testing": false, "main": false, "fmt": false,
	} {
		if err := checkName(root, name); (err == nil) != isValid {
			t.Errorf("%q: %v, valid should be %v", name, err, isValid)
		}
	}
}

func TestRegister_AddsAndRemoves(t *testing.T) {
	before := readFile(t, registry)
	for _, name := range []string{"dodopay", "aa", "zz"} { // before, between, and after the others
		with, err := register(before, name)
		if err != nil || strings.Count(with, name+".Description()") != 1 || strings.Index(with, name+".Description()") < strings.Index(with, "pivot.Description()") {
			t.Fatalf("%v\n%s", err, with)
		}
		if after, err := unregister(with, name); err != nil || after != before {
			t.Errorf("%s removed: %v\n%s", name, err, after)
		}
	}
	if text, err := register("package functions\n", "dodopay"); err == nil {
		t.Errorf("without markers: %s", text)
	}
	if text, err := unregister(before, "dodopay"); err == nil {
		t.Errorf("without an entry: %s", text)
	}
}

// tree writes files and returns their folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		if err := put(filepath.Join(root, path), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The changed files are moved into place all together, or none of them.
func TestMoveAll_WholeOrNothing(t *testing.T) {
	from := tree(t, map[string]string{"changed": "new", "pkg/added/file": "new", "same": "same"})
	before := map[string]string{"changed": "old", "folder/removed": "old", "same": "same", "other": "other"}
	paths := []string{"changed", "pkg/added/file", "folder/removed", "same"}

	to := tree(t, before)
	if err := moveAll(from, to, paths); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, to); !maps.Equal(got, map[string]string{"changed": "new", "pkg/added/file": "new", "same": "same", "other": "other"}) {
		t.Errorf("moved: %v", got)
	}
	if _, err := os.Stat(filepath.Join(to, "folder")); err == nil {
		t.Error("an empty folder is left")
	}

	to = tree(t, before)
	if err := moveAll(from, to, append(paths, "other/below a file")); err == nil {
		t.Error("no error for a path that cannot be read")
	}
	if got := contents(t, to); !maps.Equal(got, before) {
		t.Errorf("after an error: %v", got)
	}
}

// A change takes a while, and each step is written before it runs.
func TestChange_WritesEachStep(t *testing.T) {
	root := tree(t, map[string]string{
		"go.mod": "module m\n\ngo 1.26\n", "tools/provider/main.go": "package main\n\nfunc main() {}\n", "pkg/a.go": "package pkg\n",
		"pkg/testkit/templatetest/a.go": "package templatetest\n", "pkg/lambda/functions/a.go": "package functions\n", "new/a.go": "package added\n",
	})
	var progress bytes.Buffer
	err := change(t.Context(), root, plan{
		files: []string{"new/b.go"}, packages: []string{"new"},
		edit: func(work string) error { return put(filepath.Join(work, "new/b.go"), []byte("package added\n")) },
	}, &progress)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, step := range []string{"change a copy", "go run", "go build", "go vet", "go test", "into place"} {
		next := strings.Index(progress.String()[at:], step)
		if next < 0 {
			t.Fatalf("no step %q after the others:\n%s", step, progress.String())
		}
		at += next
	}
	if lines := strings.Count(progress.String(), "\n"); lines != 6 {
		t.Errorf("%d lines, want 6:\n%s", lines, progress.String())
	}
}

// What exists is not overwritten, whatever it is.
func TestAdd_RefusesExistingFiles(t *testing.T) {
	before := map[string]string{"docs/providers/dodopay.md": "notes", "pkg/doc.go": "package pkg", "functions/x": "", "tools/x": "", "cmd/x": ""}
	root := tree(t, before)
	err := add(t.Context(), root, "dodopay", schemeHMAC, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "docs/providers/dodopay.md exists") {
		t.Errorf("got %v", err)
	}
	if got := contents(t, root); !maps.Equal(got, before) {
		t.Errorf("left: %v", got)
	}
}

// What somebody wrote and did not commit is kept before it is removed.
func TestRemove_KeepsOwnWork(t *testing.T) {
	scaffolded, err := render("dodopay", schemeHeaderKey)
	if err != nil {
		t.Fatal(err)
	}
	root := tree(t, scaffolded)
	own := map[string]string{"pkg/provider/dodopay/status.go": "package dodopay\n", "pkg/provider/dodopay/testdata/paid.txtar": "own work"}
	for path, text := range own {
		if err := put(filepath.Join(root, path), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filesOf(root, "dodopay")
	if err != nil {
		t.Fatal(err)
	}
	unsaved, err := findUnsaved(t.Context(), root, "dodopay", files)
	if err != nil || !slices.Equal(slices.Sorted(slices.Values(unsaved)), slices.Sorted(maps.Keys(own))) {
		t.Fatalf("unsaved: %v, %v", unsaved, err)
	}
	first, err := keep(root, "dodopay", unsaved)
	if err != nil {
		t.Fatal(err)
	}
	second, err := keep(root, "dodopay", unsaved)
	if err != nil || first == second {
		t.Errorf("kept in %s, then in %s: %v", first, second, err)
	}
	if got := contents(t, filepath.Join(root, first)); !maps.Equal(got, own) {
		t.Errorf("kept %v, want %v", got, own)
	}
}

// No package that other code needs is removed.
func TestRemove_Refusals(t *testing.T) {
	scaffolded, err := render("dodopay", schemeHeaderKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		path, text string
		want       string
	}{
		"an importer": {"pkg/ops/tool.go", "package ops\nimport \"payout-callbacks/pkg/provider/dodopay\"\n", "pkg/ops/tool.go"},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, scaffolded)
			if err := put(filepath.Join(root, test.path), []byte(test.text)); err != nil {
				t.Fatal(err)
			}
			before := contents(t, root)
			if err := remove(t.Context(), root, "dodopay", io.Discard); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if got := contents(t, root); !maps.Equal(got, before) {
				t.Error("files changed")
			}
		})
	}
	for _, name := range []string{"absent", "../pkg", "", "consumer"} {
		if err := remove(t.Context(), tree(t, scaffolded), name, io.Discard); err == nil {
			t.Errorf("%q is removed", name)
		}
	}
	if err := remove(t.Context(), templatetest.Root(t), "pivot", io.Discard); err == nil || !strings.Contains(err.Error(), "other code imports") {
		t.Errorf("pivot: %v", err)
	}
}

// The code of a new provider compiles, with its tests, for each scheme.
func TestRender_Compiles(t *testing.T) {
	root := templatetest.Root(t)
	for _, scheme := range []string{schemeHMAC, schemeHeaderKey} {
		files, err := render("dodopay", scheme)
		if err != nil {
			t.Fatal(err)
		}
		written, overlay := tree(t, files), map[string]string{}
		for path := range files {
			overlay[filepath.Join(root, path)] = filepath.Join(written, path)
		}
		text, err := json.Marshal(map[string]any{"Replace": overlay})
		if err != nil {
			t.Fatal(err)
		}
		replaced := filepath.Join(t.TempDir(), "overlay.json")
		if err := os.WriteFile(replaced, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, arguments := range [][]string{{"test", "-vet=off", "-c", "./pkg/provider/dodopay"}, {"build", "./functions/dodopay"}} {
			command := exec.CommandContext(t.Context(), "go", arguments[0], "-overlay="+replaced, "-o="+filepath.Join(t.TempDir(), "binary"))
			command.Args = append(command.Args, arguments[1:]...)
			command.Dir = root
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("%s: go %v: %v\n%s", scheme, arguments, err, output)
			}
		}
	}
}

// A changed file is kept until git has it.
func TestFindUnsaved_CommittedFile(t *testing.T) {
	files, err := render("dodopay", schemeHMAC)
	if err != nil {
		t.Fatal(err)
	}
	const changed = "pkg/provider/dodopay/status.go"
	files[changed] = "package dodopay\n"
	root := tree(t, files)
	git := func(arguments ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), "git", append([]string{"-C", root, "-c", "user.name=a", "-c", "user.email=a@example.com"}, arguments...)...)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", arguments, err, output)
		}
	}
	check := func(isSaved bool) {
		t.Helper()
		unsaved, err := findUnsaved(t.Context(), root, "dodopay", []string{changed})
		if err != nil || (len(unsaved) == 0) != isSaved {
			t.Errorf("unsaved: %v, %v, saved should be %v", unsaved, err, isSaved)
		}
	}
	git("init", "-q")
	check(false)
	git("add", ".")
	check(false)
	git("commit", "-q", "-m", "a provider")
	check(true)
	if err := put(filepath.Join(root, changed), []byte("package dodopay // more\n")); err != nil {
		t.Fatal(err)
	}
	check(false)
}
