package templatetest_test

import (
	"fmt"
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

// document is template.yaml with its intrinsic functions, which Load drops:
// !Ref X reads as {"Ref": "X"} and a text X without a tag as "X".
type document map[string]any

func loadDocument(t *testing.T) document {
	t.Helper()
	template, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// readDocument reads it once: no test changes it.
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
	return plain(file.Docs[0].Body).(map[string]any), nil
})

func plain(node ast.Node) any {
	switch node := node.(type) {
	case *ast.TagNode:
		name := strings.TrimPrefix(node.Start.Value, "!")
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		return map[string]any{name: plain(node.Value)}
	case *ast.MappingNode:
		mapping := map[string]any{}
		for _, value := range node.Values {
			mapping[fmt.Sprint(plain(value.Key))] = plain(value.Value)
		}
		return mapping
	case *ast.MappingValueNode: // a mapping with a single key
		return map[string]any{fmt.Sprint(plain(node.Key)): plain(node.Value)}
	case *ast.SequenceNode:
		list := []any{}
		for _, value := range node.Values {
			list = append(list, plain(value))
		}
		return list
	case *ast.LiteralNode: // a block of text
		return node.Value.Value
	case ast.ScalarNode:
		return node.GetValue()
	}
	panic(fmt.Sprintf("template.yaml has a %T", node))
}

// resources returns the resources of a type, by logical id, as their
// properties are under the parameters.
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

// resolve replaces references as CloudFormation does: a parameter that has a
// value by the value, everything else by "${…}", whichever function names it.
// A text that only looks like a reference becomes "${!…}". Without parameters
// nothing is decided: Fn::If and AWS::NoValue stay.
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
		if resolved, ok := d.call(value, parameters); ok {
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

// call resolves an intrinsic function; ok is false for an ordinary mapping.
func (d document) call(function, parameters map[string]any) (resolved any, ok bool) {
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
			if d.holds(branches[0].(string), parameters) {
				return d.resolve(branches[1], parameters), true
			}
			return d.resolve(branches[2], parameters), true
		}
	}
	return nil, false
}

// holds decides a condition of the template.
func (d document) holds(condition string, parameters map[string]any) bool {
	return d.decide(d["Conditions"].(map[string]any)[condition], parameters)
}

func (d document) decide(expression any, parameters map[string]any) bool {
	for name, argument := range expression.(map[string]any) {
		arguments := argument.([]any)
		switch name {
		case "Fn::Not":
			return !d.decide(arguments[0], parameters)
		case "Fn::And", "Fn::Or":
			isOr := name == "Fn::Or"
			isDecisive := func(argument any) bool { return d.decide(argument, parameters) == isOr }
			return slices.ContainsFunc(arguments, isDecisive) == isOr
		case "Fn::Equals":
			return fmt.Sprint(d.resolve(arguments[0], parameters)) == fmt.Sprint(d.resolve(arguments[1], parameters))
		}
	}
	panic(fmt.Sprintf("no condition of a known form: %v", expression))
}

// defaults returns the parameters with their defaults, and with other values
// where they are given.
func (d document) defaults(changed map[string]any) map[string]any {
	parameters := map[string]any{}
	for name, parameter := range d["Parameters"].(map[string]any) {
		parameters[name] = parameter.(map[string]any)["Default"]
	}
	for name, value := range changed {
		parameters[name] = value
	}
	return parameters
}
