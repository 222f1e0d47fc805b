package pkg_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"payout-callbacks/pkg/testkit/templatetest"
)

// docs/GLOSSARY.md defines the words of this project. These tests count words
// that other texts and names use in their place; go test ./pkg -run Language -v
// lists them. The ceilings only fall: a change that lowers a count lowers its
// ceiling.
const (
	maxDialectWords       = 0
	maxDialectIdentifiers = 4
	maxSentenceTests      = 0
)

var (
	dialectWords = regexp.MustCompile(`(?i)\b(told|tells?|telling|untold|anew|mend(s|ed|ing)?|reckon\w*|believ\w*|letters?|desks?|weather|refold\w*|` +
		`there is none|nothing of it|what it is of|is to be had)\b`)
	// plainUses are phrases of ordinary English that contain such a word.
	plainUses = regexp.MustCompile(`(?i)dead[- ]letter(s|ed)?|(small|capital|(upper|lower)[- ]case) letters?|letters?,? (and|or)?\s*digits?|letter case|case of a letter`)

	dialectIdentifiers = wordSet("told tell tells telling untold one made anew there some so letter letters desk hand mended foreign weather " +
		"standing swept adopt adopted refold story became reckon believe happening misfit overdrawn bury spoil")
	// unlessFirst are words that a name may contain, but not begin with: runOne.
	unlessFirst = wordSet("one there some so hand")

	sentence = regexp.MustCompile(`^(Test|Fuzz|Benchmark)(A|An|The|Every|Each|What|Who|Where|When|Nothing|Nobody|No|Of|Two|Both|All|Only|Our|It|Its|Some|Which|How)[A-Z]`)
)

// texts are the files whose whole text is checked. docs/GLOSSARY.md and the
// decisions of docs/adr, which are never edited, are not.
var texts = []string{
	"*.md", "docs/*.md", "docs/providers/*.md", "template.yaml", "samconfig.toml", "Makefile", ".ci/*", ".github/workflows/*", ".*.yaml",
}

// Comments, string literals outside tests, documents and configuration.
func TestLanguage_Words(t *testing.T) {
	count := 0
	check := func(place, text string) {
		text = strings.Join(strings.Fields(text), " ") // phrases go across lines
		for _, word := range dialectWords.FindAllString(plainUses.ReplaceAllString(text, ""), -1) {
			count++
			list(t, place, word)
		}
	}
	visitGoFiles(t, func(name string, file *ast.File, set *token.FileSet) {
		for _, group := range file.Comments {
			check(set.Position(group.Pos()).String(), group.Text())
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING && !strings.HasSuffix(name, "_test.go") {
				check(set.Position(literal.Pos()).String(), literal.Value)
			}
			return true
		})
	})
	for _, pattern := range texts {
		names, err := filepath.Glob(filepath.Join(templatetest.Root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if filepath.Base(name) != "GLOSSARY.md" {
				check(name, read(t, name))
			}
		}
	}
	checkCeiling(t, "words", count, maxDialectWords)
}

func TestLanguage_Identifiers(t *testing.T) {
	count := 0
	visitGoFiles(t, func(_ string, file *ast.File, set *token.FileSet) {
		ast.Inspect(file, func(node ast.Node) bool {
			if identifier, ok := node.(*ast.Ident); ok && hasDialectWord(identifier.Name) {
				count++
				list(t, set.Position(identifier.Pos()).String(), identifier.Name)
			}
			return true
		})
	})
	checkCeiling(t, "identifiers", count, maxDialectIdentifiers)
}

// A test is named Test<Subject>_<Condition>.
func TestLanguage_TestNames(t *testing.T) {
	count := 0
	visitGoFiles(t, func(name string, file *ast.File, set *token.FileSet) {
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if ok && strings.HasSuffix(name, "_test.go") && sentence.MatchString(function.Name.Name) {
				count++
				list(t, set.Position(function.Pos()).String(), function.Name.Name)
			}
		}
	})
	checkCeiling(t, "test names", count, maxSentenceTests)
}

func TestHasDialectWord(t *testing.T) {
	for name, want := range map[string]bool{
		"told": true, "toldBatch": true, "isTold": true, "one": true, "spoilReceipt": true, "nonceLetters": true,
		"runOne": false, "onePayout": false, "handler": false, "handle": false, "someone": false, "DeadLetter": false, "deadLetters": false, "source": false,
	} {
		if got := hasDialectWord(name); got != want {
			t.Errorf("hasDialectWord(%q) is %v, want %v", name, got, want)
		}
	}
}

// hasDialectWord reports whether a word of a name in camel case is in the list.
func hasDialectWord(name string) bool {
	if strings.Contains(strings.ToLower(name), "deadletter") || name != "one" && strings.HasPrefix(name, "one") {
		return false // onePayout is a number of payouts
	}
	for i, word := range camelWords(name) {
		if dialectIdentifiers[word] && (i == 0 || !unlessFirst[word]) {
			return true
		}
	}
	return false
}

func camelWords(name string) []string {
	var words []string
	start := 0
	for i, char := range name {
		if i > 0 && (unicode.IsUpper(char) || char == '_') {
			words = append(words, strings.ToLower(strings.Trim(name[start:i], "_")))
			start = i
		}
	}
	return append(words, strings.ToLower(strings.Trim(name[start:], "_")))
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

func list(t *testing.T, place, word string) {
	t.Helper()
	if testing.Verbose() {
		t.Logf("%s: %q", place, word)
	}
}

func checkCeiling(t *testing.T, subject string, count, ceiling int) {
	t.Helper()
	switch {
	case count > ceiling:
		t.Errorf("%d %s are outside docs/GLOSSARY.md, the ceiling is %d; go test ./pkg -run Language -v lists them", count, subject, ceiling)
	case count < ceiling:
		t.Logf("%d %s are outside docs/GLOSSARY.md: lower the ceiling of %d in language_test.go to %d", count, subject, ceiling, count)
	}
}

// visitGoFiles parses each Go file of the module, this file excepted.
func visitGoFiles(t *testing.T, visit func(name string, file *ast.File, set *token.FileSet)) {
	t.Helper()
	set := token.NewFileSet()
	root := templatetest.Root(t)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && name != root:
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || entry.Name() == "language_test.go":
			return nil
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil {
			visit(name, file, set)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
