package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// add adds a provider. It writes each step to progress.
func add(ctx context.Context, root, name, scheme string, progress io.Writer) error {
	if err := checkName(root, name); err != nil {
		return err
	}
	files, err := render(name, scheme)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if _, err := os.Lstat(filepath.Join(root, path)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists: move it away, or choose another name", path)
		}
	}
	err = change(ctx, root, plan{
		files: append(slices.Collect(maps.Keys(files)), registry), packages: []string{packageOf(name), "functions/" + name},
		edit: func(work string) error {
			for path, text := range files {
				if err := put(filepath.Join(work, path), []byte(text)); err != nil {
					return err
				}
			}
			return edit(filepath.Join(work, registry), func(text string) (string, error) { return register(text, name) })
		},
	}, progress)
	if err != nil {
		return fmt.Errorf("add %s, nothing is changed: %w", name, err)
	}
	fmt.Printf(`%[1]s verifies its callbacks, and holds all of them.
Left to do, each with the provider's page and the date on which you read it:
  1. docs/providers/%[1]s.md: what is marked [open]
  2. pkg/provider/%[1]s/description.go, provider.go: accounts, keys, the header of the proof, retries, answers
  3. pkg/provider/%[1]s/parse.go, status.go: fields and statuses
  4. pkg/provider/%[1]s/testdata: the documented examples as printed, one forged, one with an unknown status, replies.txtar
make provider-check NAME=%[1]s lists what is not shown yet; make unit, make check, and make run ONCE=1 pass.
make provider REMOVE=%[1]s takes it out again.
`, name)
	return nil
}

// remove takes a provider out. It writes each step to progress.
func remove(ctx context.Context, root, name string, progress io.Writer) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%q is not a name of a provider", name)
	}
	files, err := filesOf(root, name)
	if err != nil {
		return err
	}
	unsaved, err := findUnsaved(ctx, root, name, files)
	if err = errors.Join(checkImporters(root, name), err); err != nil {
		return fmt.Errorf("remove %s, nothing is changed: %w", name, err)
	}
	kept, err := keep(root, name, unsaved)
	if err != nil {
		return fmt.Errorf("remove %s, nothing is changed: keep what you wrote: %w", name, err)
	}
	err = change(ctx, root, plan{
		files: append(files, registry),
		edit: func(work string) error {
			for _, path := range files {
				if err := drop(filepath.Join(work, path)); err != nil {
					return err
				}
			}
			return edit(filepath.Join(work, registry), func(text string) (string, error) { return unregister(text, name) })
		},
	}, progress)
	if err != nil {
		return fmt.Errorf("remove %s, nothing is changed: %w", name, err)
	}
	fmt.Printf("%s is removed, with its parts of %s.\n", name, strings.Join(generatedFiles, ", "))
	if kept != "" {
		fmt.Printf("What you wrote and did not commit is in %s, until make clean.\n", kept)
	}
	return nil
}

// keep copies files to a new folder and returns it, or "" without files.
func keep(root, name string, files []string) (folder string, err error) {
	if len(files) == 0 {
		return "", nil
	}
	parent := filepath.Join(root, ".local", "removed")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	if folder, err = os.MkdirTemp(parent, name+"-"); err != nil {
		return "", err
	}
	for _, path := range files {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return "", err
		}
		if err := put(filepath.Join(folder, path), text); err != nil {
			return "", err
		}
	}
	return filepath.Rel(root, folder)
}

// filesOf returns the files of a provider.
func filesOf(root, name string) ([]string, error) {
	var files []string
	for _, top := range []string{packageOf(name), "functions/" + name, "docs/providers/" + name + ".md"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			path, err = filepath.Rel(root, path)
			files = append(files, path)
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is not a provider: no %s", name, top)
		} else if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// checkImporters refuses a provider whose package is used by other code.
func checkImporters(root, name string) error {
	var importers []string
	err := walk(root, func(path string) error {
		isOwn := strings.HasPrefix(path, packageOf(name)+"/") || path == "functions/"+name+"/main.go" || path == registry
		if filepath.Ext(path) != ".go" || isOwn {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if bytes.Contains(text, []byte("\"payout-callbacks/"+packageOf(name)+"\"")) {
			importers = append(importers, path)
		}
		return err
	})
	if len(importers) > 0 {
		err = errors.Join(err, fmt.Errorf("other code imports its package: %s", strings.Join(importers, ", ")))
	}
	return err
}

// findUnsaved returns the files that nobody could get back: those that are neither as
// they were written for a new provider, nor committed.
func findUnsaved(ctx context.Context, root, name string, files []string) (unsaved []string, err error) {
	var scaffolds []map[string]string
	for _, scheme := range []string{schemeHMAC, schemeHeaderKey} {
		scaffold, err := render(name, scheme)
		if err != nil {
			return nil, err
		}
		scaffolds = append(scaffolds, scaffold)
	}
	for _, path := range files {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, err
		}
		isNew := slices.ContainsFunc(scaffolds, func(files map[string]string) bool { return files[path] == string(text) })
		if !isNew && !isCommitted(ctx, root, path) {
			unsaved = append(unsaved, path)
		}
	}
	return unsaved, nil
}

// isCommitted reports whether git has the file as it is.
func isCommitted(ctx context.Context, root, path string) bool {
	tracked := exec.CommandContext(ctx, "git", "-C", root, "ls-files", "--error-unmatch", "--", path)
	same := exec.CommandContext(ctx, "git", "-C", root, "diff", "--quiet", "HEAD", "--", path)
	return tracked.Run() == nil && same.Run() == nil
}

// plan is a change of the repository.
type plan struct {
	files    []string // that change, besides those with generated regions
	packages []string // whose tests run
	edit     func(work string) error
}

// change changes a copy of the repository, generates and verifies it, and moves the
// changed files into place.
func change(ctx context.Context, root string, p plan, progress io.Writer) error {
	if err := os.MkdirAll(filepath.Join(root, ".local"), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Join(root, ".local"), "provider-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	fmt.Fprintln(progress, "provider: change a copy of the repository")
	err = walk(root, func(path string) error {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		return put(filepath.Join(work, path), text)
	})
	if err == nil {
		err = p.edit(work)
	}
	if err == nil {
		err = verify(ctx, work, p.packages, progress)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(progress, "provider: move the changed files into place")
	return moveAll(work, root, append(p.files, generatedFiles...))
}

// walk calls a function with the path of each regular file of the repository.
func walk(root string, visit func(path string) error) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path, err = filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case slices.Contains([]string{".git", ".local", ".aws-sam"}, path) && entry.IsDir():
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		return visit(path)
	})
}

// verify generates the copy's regions with its own code, builds it, and runs the tests of
// the given packages and of what is common to all providers.
func verify(ctx context.Context, work string, packages []string, progress io.Writer) error {
	for i := range packages {
		packages[i] = "./" + packages[i]
	}
	common := []string{"./pkg", "./pkg/testkit/templatetest"}
	for _, arguments := range [][]string{
		{"run", "./tools/provider", "generate"},
		{"build", "./..."},
		append([]string{"vet", "./pkg/lambda/functions"}, packages...),
		slices.Concat([]string{"test"}, packages, common),
	} {
		fmt.Fprintln(progress, "provider: go", strings.Join(arguments, " "))
		command := exec.CommandContext(ctx, "go", arguments...)
		command.Dir = work
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(arguments, " "), err, output)
		}
	}
	return nil
}

// moveAll makes files as they are in another folder, or removes those that it lacks. If
// it fails, it restores those that it has changed.
func moveAll(from, to string, paths []string) error {
	before := map[string][]byte{}
	for _, path := range paths {
		text, err := read(filepath.Join(to, path))
		next, nextErr := read(filepath.Join(from, path))
		if err = errors.Join(err, nextErr); err == nil {
			before[path] = text
			err = replace(filepath.Join(to, path), text, next)
		}
		if err != nil {
			for path, text := range before {
				err = errors.Join(err, replace(filepath.Join(to, path), nil, text))
			}
			return err
		}
	}
	return nil
}

// read returns the content of a file, or nil if it does not exist.
func read(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// replace writes a file, or removes it if the content is nil, unless it has the content.
func replace(file string, old, text []byte) error {
	switch {
	case text == nil:
		return drop(file)
	case bytes.Equal(old, text):
		return nil
	}
	return put(file, text)
}

// put writes a file whole.
func put(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	temporary := file + ".provider"
	if err := os.WriteFile(temporary, text, mode); err != nil {
		return err
	}
	return os.Rename(temporary, file)
}

// drop removes a file, and the folders that are empty then.
func drop(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for folder := filepath.Dir(file); os.Remove(folder) == nil; folder = filepath.Dir(folder) {
	}
	return nil
}
