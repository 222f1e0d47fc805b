package pkg_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/testkit/templatetest"
)

// Users of this application accept the licences of its modules, so the document
// lists them, whether a module is part of a function or only of a test.
func TestLicences_AreListed(t *testing.T) {
	root := templatetest.Root(t)
	list := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, module := range mod.Require {
		rows = append(rows, fmt.Sprintf("| `%s` | %s |", module.Path, licence(t, root, module.Path)))
	}
	slices.Sort(rows)
	var listed []string
	for line := range strings.Lines(read(t, filepath.Join(root, "docs", "LICENCES.md"))) {
		if strings.HasPrefix(line, "| `") && strings.Contains(line, "/") {
			listed = append(listed, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(rows, listed) {
		t.Errorf("docs/LICENCES.md should list:\n%s", strings.Join(rows, "\n"))
	}
}

// licence identifies the licence of a module by phrases of its text.
func licence(t *testing.T, root, module string) string {
	t.Helper()
	find := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module)
	find.Dir = root
	folder, err := find.Output()
	if err != nil {
		t.Fatalf("%s: %v", module, err)
	}
	var files []string
	for _, name := range []string{"LICEN[SC]E*", "COPYING*"} {
		matches, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(folder)), name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, matches...)
	}
	if len(files) == 0 {
		return "none found"
	}
	text := strings.Join(strings.Fields(read(t, files[0])), " ")
	switch {
	case strings.Contains(text, "Apache License") && strings.Contains(text, "Version 2.0"):
		return "Apache-2.0"
	case strings.Contains(text, "Mozilla Public License"):
		return "MPL-2.0"
	case strings.Contains(text, "Permission is hereby granted, free of charge"):
		return "MIT"
	case strings.Contains(text, "Redistribution and use in source and binary forms") && strings.Contains(text, "Neither the name"):
		return "BSD-3-Clause"
	case strings.Contains(text, "Redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	}
	return "unknown"
}
