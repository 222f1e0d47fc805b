package templatetest_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"payout-callbacks/pkg/testkit/templatetest"
)

// document is template.yaml with its intrinsic functions, which Load does not
// keep: !Ref X is {"Ref": "X"}, and the string X is "X".
type document map[string]any

func loadDocument(t *testing.T) document {
	t.Helper()
	template, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// readDocument reads template.yaml once, because no test changes the result.
var readDocument = sync.OnceValues(func() (document, error) {
	root, err := templatetest.FindRoot()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, err
	}
	return toPlain(file.Docs[0].Body).(map[string]any), nil
})

func toPlain(node ast.Node) any {
	switch node := node.(type) {
	case *ast.TagNode:
		name := strings.TrimPrefix(node.Start.Value, "!")
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		return map[string]any{name: toPlain(node.Value)}
	case *ast.MappingNode:
		mapping := map[string]any{}
		for _, value := range node.Values {
			mapping[fmt.Sprint(toPlain(value.Key))] = toPlain(value.Value)
		}
		return mapping
	case *ast.MappingValueNode: // a mapping with a single key
		return map[string]any{fmt.Sprint(toPlain(node.Key)): toPlain(node.Value)}
	case *ast.SequenceNode:
		list := []any{}
		for _, value := range node.Values {
			list = append(list, toPlain(value))
		}
		return list
	case *ast.LiteralNode: // a block of text
		return node.Value.Value
	case ast.ScalarNode:
		return node.GetValue()
	}
	panic(fmt.Sprintf("unexpected %T in template.yaml", node))
}

// resources returns the properties of all resources of a type, by logical id,
// resolved with the given parameters.
func (d document) resources(kind string, parameters map[string]any) map[string]map[string]any {
	items := map[string]map[string]any{}
	for id, resource := range d["Resources"].(map[string]any) {
		resource := resource.(map[string]any)
		if resource["Type"] == kind {
			properties, _ := d.resolve(resource["Properties"], parameters).(map[string]any)
			items[id] = properties
		}
	}
	return items
}

// resolve replaces references as CloudFormation does: a given parameter by its
// value, any other reference by "${…}", whichever function it uses. In a string
// outside of functions "${" becomes "${!". Without parameters Fn::If and
// AWS::NoValue stay.
func (d document) resolve(value any, parameters map[string]any) any {
	switch value := value.(type) {
	case string:
		return strings.ReplaceAll(value, "${", "${!")
	case []any:
		list := []any{}
		for _, element := range value {
			if resolved := d.resolve(element, parameters); parameters == nil || resolved != "${AWS::NoValue}" {
				list = append(list, resolved)
			}
		}
		return list
	case map[string]any:
		if resolved, ok := d.resolveFunction(value, parameters); ok {
			return resolved
		}
		mapping := map[string]any{}
		for key, element := range value {
			if resolved := d.resolve(element, parameters); parameters == nil || resolved != "${AWS::NoValue}" {
				mapping[key] = resolved
			}
		}
		return mapping
	}
	return value
}

var placeholder = regexp.MustCompile(`\$\{[^}]+\}`)

// resolveFunction resolves an intrinsic function; ok is false for an ordinary mapping.
func (d document) resolveFunction(function, parameters map[string]any) (resolved any, ok bool) {
	if len(function) != 1 {
		return nil, false
	}
	for name, argument := range function {
		switch name {
		case "Ref":
			if parameter, known := parameters[argument.(string)]; known {
				return parameter, true
			}
			return "${" + argument.(string) + "}", true
		case "Fn::GetAtt":
			return "${" + argument.(string) + "}", true
		case "Fn::Sub":
			return placeholder.ReplaceAllStringFunc(argument.(string), func(reference string) string {
				if parameter, known := parameters[strings.Trim(reference, "${}")]; known {
					return fmt.Sprint(parameter)
				}
				return reference
			}), true
		case "Fn::Join":
			arguments := d.resolve(argument, parameters).([]any)
			var parts []string
			for _, part := range arguments[1].([]any) {
				parts = append(parts, fmt.Sprint(part))
			}
			return strings.Join(parts, arguments[0].(string)), true
		case "Fn::If":
			if parameters == nil {
				return nil, false
			}
			branches := argument.([]any)
			if d.isTrue(branches[0].(string), parameters) {
				return d.resolve(branches[1], parameters), true
			}
			return d.resolve(branches[2], parameters), true
		}
	}
	return nil, false
}

// isTrue evaluates a condition of the template.
func (d document) isTrue(condition string, parameters map[string]any) bool {
	return d.evaluate(d["Conditions"].(map[string]any)[condition], parameters)
}

func (d document) evaluate(expression any, parameters map[string]any) bool {
	for name, argument := range expression.(map[string]any) {
		arguments := argument.([]any)
		switch name {
		case "Fn::Not":
			return !d.evaluate(arguments[0], parameters)
		case "Fn::And", "Fn::Or":
			isOr := name == "Fn::Or"
			isDecisive := func(argument any) bool { return d.evaluate(argument, parameters) == isOr }
			return slices.ContainsFunc(arguments, isDecisive) == isOr
		case "Fn::Equals":
			return fmt.Sprint(d.resolve(arguments[0], parameters)) == fmt.Sprint(d.resolve(arguments[1], parameters))
		}
	}
	panic(fmt.Sprintf("unknown form of a condition: %v", expression))
}

// parameterValues returns the defaults of all parameters, overridden by the given
// values.
func (d document) parameterValues(overrides map[string]any) map[string]any {
	parameters := map[string]any{}
	for name, parameter := range d["Parameters"].(map[string]any) {
		parameters[name] = parameter.(map[string]any)["Default"]
	}
	maps.Copy(parameters, overrides)
	return parameters
}
