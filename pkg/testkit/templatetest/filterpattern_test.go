package templatetest_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// filterPattern matches JSON log lines as a metric filter does. It supports the
// part of the syntax that compares properties with strings and numbers:
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
		return false, fmt.Errorf("not a JSON filter pattern: %s", pattern)
	}
	if json.Unmarshal([]byte(line), &f.line) != nil {
		return false, nil // no JSON pattern matches such a line
	}
	f.words = f.words[1:]
	defer func() {
		if problem := recover(); problem != nil {
			matches, err = false, fmt.Errorf("pattern %s: %v", pattern, problem)
		}
	}()
	matches = f.any()
	if len(f.words) != 1 {
		return false, fmt.Errorf("pattern %s: unexpected %v", pattern, f.words)
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
			panic("expected ), found " + word)
		}
		return matches
	}
	selector, operator, operand := f.next(), f.next(), f.next()
	if !strings.HasPrefix(selector, "$") {
		panic(selector + " is not a selector")
	}
	switch value := selected(f.line, selector).(type) {
	case string:
		// An unquoted number matches numbers only.
		if _, err := strconv.ParseFloat(operand, 64); err == nil {
			return false
		}
		return compareText(operator, value, strings.Trim(operand, `"`))
	case float64:
		number, err := strconv.ParseFloat(operand, 64)
		return err == nil && compareNumber(operator, value, number)
	}
	return false // missing, or not a string or number
}

func compareText(operator, value, operand string) bool {
	glob := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(operand), `\*`, ".*") + "$")
	switch operator {
	case "=":
		return glob.MatchString(value)
	case "!=":
		return !glob.MatchString(value)
	}
	panic("operator does not apply to strings: " + operator)
}

func compareNumber(operator string, value, operand float64) bool {
	matches, known := map[string]bool{
		"=": value == operand, "!=": value != operand, "<": value < operand, "<=": value <= operand, ">": value > operand, ">=": value >= operand,
	}[operator]
	if !known {
		panic("operator does not apply to numbers: " + operator)
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
