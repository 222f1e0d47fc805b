package pkg_test

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"payout-callbacks/pkg/testkit/templatetest"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInAnchor  = regexp.MustCompile("[^a-z0-9 _-]")
	citedTest    = regexp.MustCompile("`((?:Test|Fuzz|Benchmark|Example)[A-Z][A-Za-z0-9_]*)`")
	citedPath    = regexp.MustCompile("`((?:pkg|cmd|tools|functions|examples|docs|events|\\.ci)/[A-Za-z0-9_./-]+)`")
)

// Links between documents lead to a file and a heading that exist.
func TestDocuments_LinksResolve(t *testing.T) {
	links := 0
	for _, document := range documents(t) {
		for _, link := range markdownLink.FindAllStringSubmatch(read(t, document), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			links++
			name, anchor, hasAnchor := strings.Cut(link[1], "#")
			target := document
			if name != "" {
				target = filepath.Join(filepath.Dir(document), name)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: no such file", document, link[1])
			} else if hasAnchor && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s links to %s: no such heading", document, link[1])
			}
		}
	}
	if links < 20 {
		t.Errorf("the test found %d links", links)
	}
}

// Tests and files that documents cite exist. The changelog names things of their time,
// and decisions name files of theirs.
func TestDocuments_CitationsExist(t *testing.T) {
	tests := map[string]bool{}
	visitGoFiles(t, func(_ string, file *ast.File, _ *token.FileSet) {
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				tests[function.Name.Name] = true
			}
		}
	})
	root := templatetest.Root(t)
	for _, document := range documents(t) {
		if filepath.Base(document) == "CHANGELOG.md" {
			continue
		}
		text := read(t, document)
		for _, citation := range citedTest.FindAllStringSubmatch(text, -1) {
			if !tests[citation[1]] {
				t.Errorf("%s cites %s: no such test", document, citation[1])
			}
		}
		if filepath.Base(filepath.Dir(document)) == "adr" {
			continue
		}
		for _, citation := range citedPath.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, citation[1])); err != nil {
				t.Errorf("%s cites %s: no such file", document, citation[1])
			}
		}
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		matches, err := filepath.Glob(filepath.Join(templatetest.Root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, matches...)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// anchors returns the anchors of a page's headings, as GitHub renders them.
func anchors(page string) []string {
	var names []string
	for _, match := range heading.FindAllStringSubmatch(page, -1) {
		text := notInAnchor.ReplaceAllString(strings.ToLower(match[1]), "")
		names = append(names, strings.ReplaceAll(text, " ", "-"))
	}
	return names
}
