// Package pkg_test holds what is true of the packages together.
package pkg_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"payout-callbacks/pkg/testkit/templatetest"
)

// Imports point down: a package may import those of our packages that stand
// here beside it, and no others. A package that is missing here is at the top.
var ladder = map[string][]string{
	"pkg/payout":               {},
	"pkg/inbox":                {"pkg/payout"},
	"pkg/callback":             {"pkg/payout", "pkg/inbox"},
	"pkg/provider/strictjson":  {},
	"pkg/provider/cregis":      {"pkg/payout", "pkg/callback", "pkg/provider/strictjson"},
	"pkg/provider/pivot":       {"pkg/payout", "pkg/callback", "pkg/provider/strictjson"},
	"pkg/testkit/providertest": {"pkg/payout", "pkg/callback"},
	"pkg/ops/repair":           {"pkg/payout", "pkg/inbox"},
	"pkg/ops/audit":            {"pkg/payout", "pkg/inbox"},
	"pkg/testkit/inboxtest":    {"pkg/payout", "pkg/inbox", "pkg/ops/repair"},
	"pkg/testkit/memory":       {"pkg/payout", "pkg/inbox", "pkg/aws/sqsqueue"},
	"pkg/notification":         {"pkg/payout"},
	"pkg/aws/dynamostore":      {"pkg/payout", "pkg/inbox", "pkg/notification"},
	"pkg/aws/eventbus":         {"pkg/notification"},
	"pkg/aws/sqsqueue":         {"pkg/payout", "pkg/inbox"},
	"pkg/aws/apigateway":       {"pkg/payout", "pkg/callback"},
	"pkg/aws/secrets":          {"pkg/callback"},
	"pkg/ops/explain":          {"pkg/payout", "pkg/inbox", "pkg/callback", "pkg/aws/apigateway"},
	"pkg/ops/keyring":          {"pkg/callback", "pkg/reason", "pkg/aws/secrets"},
	"pkg/reason":               {},
	"pkg/ops/redrive":          {"pkg/payout", "pkg/inbox", "pkg/aws/sqsqueue"},
	"pkg/lambda/config":        {},
	"pkg/aws/httpclient":       {},
	"pkg/testkit/awsfault":     {},
	"pkg/testkit/templatetest": {"pkg/aws/httpclient"},
	"pkg/lambda/telemetry":     {"pkg/payout", "pkg/callback", "pkg/aws/dynamostore", "pkg/inbox", "pkg/aws/sqsqueue"},
	"pkg/testkit/simulation": {
		"pkg/payout", "pkg/inbox", "pkg/testkit/inboxtest", "pkg/testkit/memory", "pkg/callback", "pkg/aws/secrets", "pkg/aws/sqsqueue",
		"pkg/provider/cregis", "pkg/provider/pivot",
	},
}

// What the inner packages may import of others: no SDK, no HTTP server, no
// environment reaches the business truth.
var thirdParty = map[string][]string{
	"pkg/payout":         {"github.com/shopspring/decimal"},
	"pkg/inbox":          {},
	"pkg/notification":   {},
	"pkg/callback":       {},
	"pkg/testkit/memory": {},
	"pkg/ops/repair":     {},
	"pkg/ops/audit":      {},
}

func TestImportsPointDown(t *testing.T) {
	root := templatetest.Root(t)
	seen := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(root, "pkg"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		folder = filepath.ToSlash(folder)
		seen[folder] = true
		return checkImports(t, path, folder)
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder := range ladder {
		if !seen[folder] {
			t.Errorf("%s stands in the ladder and is gone", folder)
		}
	}
}

func checkImports(t *testing.T, path, folder string) error {
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
		if own, ok := strings.CutPrefix(imported, "payout-callbacks/"); ok {
			complainUnless(t, folder, own, ladder)
		} else if strings.Contains(imported, ".") {
			complainUnless(t, folder, imported, thirdParty)
		}
	}
	return nil
}

func complainUnless(t *testing.T, folder, imported string, rules map[string][]string) {
	t.Helper()
	allowed, bound := rules[folder]
	if bound && !slices.Contains(allowed, imported) {
		t.Errorf("%s imports %s, which stands above it", folder, imported)
	}
}
