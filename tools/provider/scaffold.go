package main

import (
	"embed"
	"errors"
	"fmt"
	"go/format"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

//go:embed scaffold
var scaffold embed.FS

// The schemes of a new provider, see pkg/provider/scheme.
const (
	schemeHMAC      = "hmac"
	schemeHeaderKey = "header-key"
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9]{1,19}$`)

// reserved are names that the code of a provider, the template, or the stack's secrets and
// logs use for something else. Names of packages of the repository are reserved, too.
var reserved = []string{
	"event", "events", "provider", "providers", "payouts", "receipts", "accounts", "keys", "api", "total", "answers", "gateway",
	"main", "init", "internal", "vendor", "test", "testdata", "example",
	"fmt", "http", "regexp", "time", "testing", "utf8", // packages that a provider's package imports
}

// checkName refuses a name that cannot be that of a new provider.
func checkName(root, name string) error {
	switch {
	case !nameForm.MatchString(name):
		return fmt.Errorf("%q is not a name: want 2 to 20 lower-case letters and digits, and no digit first", name)
	case slices.Contains(reserved, name), token.IsKeyword(name), types.Universe.Lookup(name) != nil:
		return fmt.Errorf("the name %s is reserved: choose another", name)
	}
	for _, top := range []string{"pkg", "functions", "tools", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(folder string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && entry.Name() == name {
				return fmt.Errorf("the name %s is taken by %s: choose another, or remove the provider first: make provider REMOVE=%s", name, folder, name)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// render returns the files of a new provider by their paths.
func render(name, scheme string) (map[string]string, error) {
	if scheme != schemeHMAC && scheme != schemeHeaderKey {
		return nil, fmt.Errorf("unknown scheme %q: want %s or %s", scheme, schemeHMAC, schemeHeaderKey)
	}
	data := struct {
		Name, Title string
		HMAC        bool
	}{name, strings.ToUpper(name[:1]) + name[1:], scheme == schemeHMAC}
	files := map[string]string{}
	err := fs.WalkDir(scaffold, "scaffold", func(source string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		target := strings.TrimSuffix(strings.TrimPrefix(strings.ReplaceAll(source, "NAME", name), "scaffold/"), ".tmpl")
		parsed, err := template.ParseFS(scaffold, source)
		if err != nil {
			return err
		}
		var text strings.Builder
		if err := parsed.Execute(&text, data); err != nil {
			return err
		}
		if files[target] = text.String(); path.Ext(target) == ".go" {
			formatted, err := format.Source([]byte(text.String()))
			files[target] = string(formatted)
			return err
		}
		return nil
	})
	return files, err
}

// registry is the list of providers. An entry is a line between two markers, and an import.
const (
	registry    = "pkg/lambda/providers/providers.go"
	listEnd     = "\t\t// providers: end\n"
	importAfter = "\t\"payout-callbacks/pkg/provider\"\n"
)

func entryOf(name string) string   { return "\t\t" + name + ".Description(),\n" }
func importOf(name string) string  { return "\t\"payout-callbacks/pkg/provider/" + name + "\"\n" }
func packageOf(name string) string { return "pkg/provider/" + name }

// register returns the text of the registry with a provider.
func register(text, name string) (string, error) {
	if strings.Count(text, listEnd) != 1 || strings.Count(text, importAfter) != 1 {
		return "", errors.New("add to " + registry + ": the import of pkg/provider or the line \"// providers: end\" is missing")
	}
	text = strings.Replace(text, listEnd, entryOf(name)+listEnd, 1)
	text = strings.Replace(text, importAfter, importAfter+importOf(name), 1)
	formatted, err := format.Source([]byte(text)) // sorts the imports
	return string(formatted), err
}

// unregister returns the text of the registry without a provider.
func unregister(text, name string) (string, error) {
	if strings.Count(text, entryOf(name)) != 1 || strings.Count(text, importOf(name)) != 1 {
		return "", fmt.Errorf("%s has no entry of %s", registry, name)
	}
	return strings.Replace(strings.Replace(text, entryOf(name), "", 1), importOf(name), "", 1), nil
}

// edit replaces the text of a file by what a function returns.
func edit(file string, change func(string) (string, error)) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := change(string(old))
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
