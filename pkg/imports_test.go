// Package pkg_test checks rules that hold for all packages together: imports,
// layout, language, documents and licences.
package pkg_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"payout-callbacks/pkg/testkit/templatetest"
)

// importRules lists what the packages of a folder may import besides the
// standard library: folders of this module, and prefixes of other modules. A folder
// that ends in $ does not include its subfolders. The rule of the longest folder holds. Test files are exempt.
var importRules = map[string]string{
	"pkg/payout":       "github.com/shopspring/decimal",
	"pkg/inbox":        "pkg/payout",
	"pkg/notification": "pkg/payout",
	"pkg/callback":     "pkg/payout pkg/inbox",
	"pkg/reconcile":    "pkg/payout pkg/inbox github.com/go-json-experiment/json",
	"pkg/provider":     "pkg/payout pkg/inbox pkg/callback pkg/reconcile pkg/provider$ pkg/provider/jsonbody pkg/provider/scheme github.com/go-json-experiment/json",

	"pkg/aws":    "pkg/payout pkg/inbox pkg/callback pkg/notification pkg/reconcile github.com golang.org", // adapters never import each other
	"pkg/lambda": "pkg/payout pkg/inbox pkg/callback pkg/notification pkg/reconcile pkg/provider pkg/aws pkg/lambda github.com golang.org",
	// A function that answers the callbacks of one provider links no other.
	"pkg/lambda/functions": "pkg/inbox pkg/callback pkg/reconcile pkg/provider$ pkg/aws pkg/lambda/config pkg/lambda/consumer pkg/lambda/publisher pkg/lambda/telemetry github.com",
	"functions":            "pkg/provider pkg/aws pkg/lambda", // nothing of pkg/ops or pkg/testkit is part of a function

	"pkg/ops":            "pkg/payout pkg/inbox pkg/callback pkg/notification pkg/reconcile pkg/provider$ pkg/aws pkg/ops github.com golang.org",
	"pkg/ops/audit":      "pkg/payout pkg/inbox golang.org/x/sync",
	"pkg/ops/repair":     "pkg/payout pkg/inbox",
	"pkg/testkit":        "pkg github.com golang.org",
	"pkg/testkit/memory": "pkg",
	// A second implementation of what pkg/provider implements.
	"pkg/testkit/providersim": "github.com/shopspring/decimal",

	"pkg":      "", // a new folder needs a rule before it imports anything
	"examples": "github.com",
	"tools":    "pkg tools github.com golang.org", // nothing but cmd imports cmd
}

func TestImports_FollowTheRules(t *testing.T) {
	root := templatetest.Root(t)
	unused := map[string]bool{}
	for folder := range importRules {
		unused[folder] = folder != "pkg"
	}
	for _, top := range []string{"pkg", "functions", "examples", "tools"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			folder, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return err
			}
			folder = filepath.ToSlash(folder)
			rule := ruleOf(folder)
			delete(unused, rule)
			return checkImports(t, path, folder, strings.Fields(importRules[rule]))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for folder, isUnused := range unused {
		if isUnused {
			t.Errorf("importRules has %s, and no package is in it", folder)
		}
	}
}

// The functions contain only the modules that docs/adr/0007-dependencies.md allows them.
func TestFunctions_LinkOnlyTheirModules(t *testing.T) {
	allowed := []string{
		"payout-callbacks", "github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go",
		"github.com/go-json-experiment/json", "github.com/shopspring/decimal",
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./functions/...")
	list.Dir = templatetest.Root(t)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range slices.Compact(slices.Sorted(strings.FieldsSeq(string(out)))) {
		if !slices.ContainsFunc(allowed, func(prefix string) bool { return strings.HasPrefix(module+"/", prefix+"/") }) {
			t.Errorf("a function links %s", module)
		}
	}
}

// ruleOf returns the longest folder of importRules that contains a folder.
func ruleOf(folder string) string {
	for importRules[folder] == "" && strings.Contains(folder, "/") {
		folder = folder[:strings.LastIndex(folder, "/")]
	}
	return folder
}

func checkImports(t *testing.T, path, folder string, allowed []string) error {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		imported, isOurs := strings.CutPrefix(imported, "payout-callbacks/")
		if !isOurs && !strings.Contains(imported, ".") {
			continue // the standard library
		}
		isAllowed := slices.ContainsFunc(allowed, func(prefix string) bool { return imported+"$" == prefix || strings.HasPrefix(imported+"/", prefix+"/") })
		if !isAllowed {
			t.Errorf("%s imports %s, which importRules does not allow", folder, imported)
		}
	}
	return nil
}

// A reader sees the parts of the application in one `ls pkg`.
func TestLayout_AtMostTenFolders(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join(templatetest.Root(t), "pkg"))
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, entry := range entries {
		if entry.IsDir() {
			folders = append(folders, entry.Name())
		}
	}
	if len(folders) > 10 {
		t.Errorf("pkg has %d folders, at most 10 are allowed: %v", len(folders), folders)
	}
}
