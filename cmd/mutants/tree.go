package main

import (
	"io/fs"
	"os"
	"path/filepath"
)

// copyTree copies the module in root, as it is, into a new temporary folder.
// What lies in hidden folders is not part of it: tools, builds, history.
func copyTree(root string) (dir string, err error) {
	dir, err = os.MkdirTemp("", "mutants-")
	if err != nil {
		return "", err
	}
	err = filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(root, name)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && inside != "." && entry.Name()[0] == '.':
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(dir, inside), 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, inside), text, 0o600)
	})
	return dir, err
}
