package templatetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"payout-callbacks/pkg/testkit/templatetest"
)

// The README lists exactly the parameters of the template, with their defaults.
func TestReadme_ListsParameters(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(templatetest.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Configuration\n")
	section, _, _ = strings.Cut(section, "\n## ")
	got := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| (none|`[^`]+`) \\| .+ \\|$").FindAllStringSubmatch(section, -1) {
		got[row[1]] = strings.Trim(row[2], "`")
	}
	want := map[string]string{}
	for name, parameter := range templatetest.Load(t).Parameters {
		want[name] = fmt.Sprint(parameter["Default"])
		if parameter["Default"] == "" {
			want[name] = "none"
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("template.yaml is -, README.md is +:\n%s", diff)
	}
}
