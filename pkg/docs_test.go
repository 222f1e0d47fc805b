package pkg_test

import (
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
)

// A runbook that leads nowhere at 3 a.m. is worse than none.
func TestEveryLinkInTheDocumentsLeadsSomewhere(t *testing.T) {
	root := templatetest.Root(t)
	documents := []string{filepath.Join(root, "README.md")}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		texts, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, texts...)
	}
	links := 0
	for _, document := range documents {
		for _, item := range markdownLink.FindAllStringSubmatch(read(t, document), -1) {
			if strings.Contains(item[1], "://") {
				continue
			}
			links++
			name, anchor, anchored := strings.Cut(item[1], "#")
			target := document
			if name != "" {
				target = filepath.Join(filepath.Dir(document), name)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s leads to %s, which there is not", document, item[1])
			} else if anchored && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s leads to %s, and the page has no such part", document, item[1])
			}
		}
	}
	if links < 20 {
		t.Errorf("%d links were found", links)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// anchors names the parts of a page as the usual renderers do.
func anchors(page string) []string {
	var names []string
	for _, texts := range heading.FindAllStringSubmatch(page, -1) {
		text := notInAnchor.ReplaceAllString(strings.ToLower(texts[1]), "")
		names = append(names, strings.ReplaceAll(text, " ", "-"))
	}
	return names
}
