package templatetest_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// metricMath evaluates metric math expressions of alarms. It supports the functions
// that return one series:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
type metricMath struct {
	words   []string
	metrics map[string]series
	n       int
}

// operand is a series, or a number if it is scalar.
type operand struct {
	points series
	scalar bool
}

func (m *metricMath) constant(value float64) operand {
	return operand{slices.Repeat(series{value}, m.n), true}
}

var mathWord = regexp.MustCompile(`\s*(\d+(?:\.\d+)?|[A-Za-z_]\w*|[<>=!]=|&&|\|\||[-+*/^()<>,\[\]])`)

// computeSeries evaluates an expression over metrics by id.
func computeSeries(expression string, metrics map[string]series) (points series, err error) {
	m := &metricMath{metrics: metrics}
	for _, points := range metrics {
		m.n = len(points)
	}
	matches := mathWord.FindAllStringSubmatch(expression, -1)
	length := 0
	for _, word := range matches {
		m.words, length = append(m.words, word[1]), length+len(word[0])
	}
	if length != len(strings.TrimRight(expression, " ")) {
		return nil, fmt.Errorf("unexpected characters beside %v", m.words)
	}
	defer func() {
		if problem := recover(); problem != nil {
			points, err = nil, fmt.Errorf("%v", problem)
		}
	}()
	result := m.binary(0)
	if len(m.words) > 0 || result.scalar {
		return nil, fmt.Errorf("the result is not a series, or is followed by %v", m.words)
	}
	return result.points, nil
}

func (m *metricMath) next() string {
	if len(m.words) == 0 {
		panic("unexpected end")
	}
	word := m.words[0]
	m.words = m.words[1:]
	return word
}

func (m *metricMath) peek() string {
	if len(m.words) == 0 {
		return ""
	}
	return m.words[0]
}

func (m *metricMath) expect(word string) {
	if got := m.next(); got != word {
		panic(fmt.Sprintf("found %q, expected %q", got, word))
	}
}

// mathLevels lists the operators by precedence, the lowest first.
var mathLevels = [][]string{{"OR", "||"}, {"AND", "&&"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/"}, {"^"}}

func (m *metricMath) binary(level int) operand {
	if level == len(mathLevels) {
		return m.unary()
	}
	left := m.binary(level + 1)
	for slices.Contains(mathLevels[level], m.peek()) {
		operator := m.next()
		left = m.combine(operator, left, m.binary(level+1))
	}
	return left
}

// combine applies an operator to each pair of points. A missing value counts as 0;
// if both are missing, the result is missing. A division by zero drops the point.
func (m *metricMath) combine(operator string, left, right operand) operand {
	result := operand{make(series, m.n), left.scalar && right.scalar}
	for i := range m.n {
		a, b := left.points[i], right.points[i]
		isMissing := math.IsNaN(a) && math.IsNaN(b) || math.IsNaN(a) && right.scalar || left.scalar && math.IsNaN(b)
		if result.points[i] = missing; !isMissing {
			result.points[i] = apply(operator, zeroIfMissing(a), zeroIfMissing(b))
		}
	}
	return result
}

func zeroIfMissing(value float64) float64 {
	if math.IsNaN(value) {
		return 0
	}
	return value
}

func apply(operator string, a, b float64) float64 {
	switch operator {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		if b == 0 {
			return missing
		}
		return a / b
	case "^":
		return math.Pow(a, b)
	}
	truth := map[string]bool{
		"==": a == b, "!=": a != b, "<=": a <= b, ">=": a >= b, "<": a < b, ">": a > b,
		"AND": a != 0 && b != 0, "&&": a != 0 && b != 0, "OR": a != 0 || b != 0, "||": a != 0 || b != 0,
	}
	if truth[operator] {
		return 1
	}
	return 0
}

func (m *metricMath) unary() operand {
	word := m.next()
	switch {
	case word == "-":
		return m.combine("-", m.constant(0), m.unary())
	case word == "(":
		inner := m.binary(0)
		m.expect(")")
		return inner
	case word[0] >= '0' && word[0] <= '9':
		value, err := strconv.ParseFloat(word, 64)
		if err != nil {
			panic(err)
		}
		return m.constant(value)
	case m.peek() == "(":
		return m.function(word)
	}
	points, known := m.metrics[word]
	if !known {
		panic("unknown metric id " + word)
	}
	return operand{points: points}
}

// function evaluates IF, FILL, and SUM, MAX and MIN of a list of series. It panics
// on SUM, MAX and MIN of a single series, which return a number over the whole
// range; the documentation advises against them in alarms.
func (m *metricMath) function(name string) operand {
	m.expect("(")
	isList := m.peek() == "["
	if isList {
		m.next()
	}
	arguments := []operand{m.binary(0)}
	for m.peek() == "," {
		m.next()
		arguments = append(arguments, m.binary(0))
	}
	if isList {
		m.expect("]")
	}
	m.expect(")")
	fold := map[string]func(a, b float64) float64{
		"SUM": func(a, b float64) float64 { return a + b }, "MAX": math.Max, "MIN": math.Min,
	}[name]
	switch {
	case fold != nil && isList:
		return m.fold(fold, arguments)
	case name == "FILL" && len(arguments) == 2 && !isList:
		return m.selectValues(arguments[0], arguments[0], arguments[1])
	case name == "IF" && len(arguments) == 3 && !isList:
		return m.conditional(arguments[0], arguments[1], arguments[2])
	}
	panic(fmt.Sprintf("unknown function %s of %d arguments", name, len(arguments)))
}

func (m *metricMath) fold(with func(a, b float64) float64, arguments []operand) operand {
	result := operand{points: slices.Clone(arguments[0].points)}
	for _, argument := range arguments[1:] {
		for i, value := range argument.points {
			switch {
			case math.IsNaN(value):
			case math.IsNaN(result.points[i]):
				result.points[i] = value
			default:
				result.points[i] = with(result.points[i], value)
			}
		}
	}
	return result
}

// selectValues takes the first value if the tested one is not missing, else the second.
func (m *metricMath) selectValues(tested, first, second operand) operand {
	result := operand{points: slices.Clone(second.points)}
	for i, value := range tested.points {
		if !math.IsNaN(value) {
			result.points[i] = first.points[i]
		}
	}
	return result
}

// conditional drops a point if the condition's is missing. If the condition is true
// and the value is missing, the result is 0.
func (m *metricMath) conditional(condition, then, otherwise operand) operand {
	result := operand{points: slices.Clone(otherwise.points), scalar: condition.scalar && then.scalar && otherwise.scalar}
	for i, value := range condition.points {
		switch {
		case math.IsNaN(value):
			result.points[i] = missing
		case value != 0:
			result.points[i] = zeroIfMissing(then.points[i])
		}
	}
	return result
}
