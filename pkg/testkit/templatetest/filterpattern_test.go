package templatetest_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// filterPattern matches lines of JSON as a metric filter does. It knows the part
// of the syntax that compares properties with texts and numbers:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
type filterPattern struct {
	words []string
	line  any
}

var patternWord = regexp.MustCompile(`\s*(\$(?:\.[\w-]+|\[\d+\])+|"[^"]*"|[<>!]=|&&|\|\||[<>={}()]|[-+\w.*]+)`)

// matchesFilter reports whether a pattern matches a line.
func matchesFilter(pattern, line string) (matches bool, err error) {
	f := &filterPattern{}
	length := 0
	for _, word := range patternWord.FindAllStringSubmatch(pattern, -1) {
		f.words, length = append(f.words, word[1]), length+len(word[0])
	}
	if length != len(strings.TrimRight(pattern, " ")) || len(f.words) < 2 || f.words[0] != "{" || f.words[len(f.words)-1] != "}" {
		return false, fmt.Errorf("no pattern of JSON: %s", pattern)
	}
	if json.Unmarshal([]byte(line), &f.line) != nil {
		return false, nil // such a line matches no pattern of JSON
	}
	f.words = f.words[1:]
	defer func() {
		if problem := recover(); problem != nil {
			matches, err = false, fmt.Errorf("pattern %s: %v", pattern, problem)
		}
	}()
	matches = f.any()
	if len(f.words) != 1 {
		return false, fmt.Errorf("pattern %s: %v is left", pattern, f.words)
	}
	return matches, nil
}

func (f *filterPattern) next() string {
	word := f.words[0]
	f.words = f.words[1:]
	return word
}

func (f *filterPattern) any() bool {
	matches := f.all()
	for f.words[0] == "||" {
		f.next()
		matches = f.all() || matches
	}
	return matches
}

func (f *filterPattern) all() bool {
	matches := f.condition()
	for f.words[0] == "&&" {
		f.next()
		matches = f.condition() && matches
	}
	return matches
}

func (f *filterPattern) condition() bool {
	if f.words[0] == "(" {
		f.next()
		matches := f.any()
		if word := f.next(); word != ")" {
			panic("no ) but " + word)
		}
		return matches
	}
	selector, operator, operand := f.next(), f.next(), f.next()
	if !strings.HasPrefix(selector, "$") {
		panic(selector + " is no selector")
	}
	switch value := selected(f.line, selector).(type) {
	case string:
		// A bare number is compared with numbers; a text is another type.
		if _, err := strconv.ParseFloat(operand, 64); err == nil {
			return false
		}
		return compareText(operator, value, strings.Trim(operand, `"`))
	case float64:
		number, err := strconv.ParseFloat(operand, 64)
		return err == nil && compareNumber(operator, value, number)
	}
	return false // neither there, nor a value
}

func compareText(operator, value, operand string) bool {
	glob := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(operand), `\*`, ".*") + "$")
	switch operator {
	case "=":
		return glob.MatchString(value)
	case "!=":
		return !glob.MatchString(value)
	}
	panic("texts are not compared by " + operator)
}

func compareNumber(operator string, value, operand float64) bool {
	matches, known := map[string]bool{
		"=": value == operand, "!=": value != operand, "<": value < operand, "<=": value <= operand, ">": value > operand, ">=": value >= operand,
	}[operator]
	if !known {
		panic("numbers are not compared by " + operator)
	}
	return matches
}

var selectorStep = regexp.MustCompile(`\.([\w-]+)|\[(\d+)\]`)

func selected(value any, selector string) any {
	for _, step := range selectorStep.FindAllStringSubmatch(selector, -1) {
		if step[1] != "" {
			object, _ := value.(map[string]any)
			value = object[step[1]]
			continue
		}
		index, _ := strconv.Atoi(step[2])
		list, _ := value.([]any)
		if index >= len(list) {
			return nil
		}
		value = list[index]
	}
	return value
}
