package pkg_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/testkit/templatetest"
)

// Who uses this application takes on these licences, so they are told, whether they
// end up in a function or only in a test.
func TestEveryModulesLicenceIsListed(t *testing.T) {
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
	content, err := os.ReadFile(filepath.Join(root, "docs", "LICENCES.md"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "| `") && strings.Contains(line, "/") {
			listed = append(listed, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(rows, listed) {
		t.Errorf("docs/LICENCES.md should list:\n%s", strings.Join(rows, "\n"))
	}
}

// licence recognises a module's licence by the words that are its own.
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
		texts, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(folder)), name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, texts...)
	}
	if len(files) == 0 {
		return "none found"
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(content)), " ")
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
