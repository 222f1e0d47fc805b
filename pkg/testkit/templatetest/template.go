// Package templatetest reads template.yaml for tests, so that tests run on tables as
// they are deployed. Its own tests check the template.
package templatetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/goccy/go-yaml"
)

// Template is the part of template.yaml that tests use. An intrinsic function such
// as !Ref is read as its argument.
type Template struct {
	Parameters map[string]map[string]any `yaml:"Parameters"`
	Globals    map[string]any            `yaml:"Globals"`
	Resources  map[string]Resource       `yaml:"Resources"`
	Outputs    map[string]any            `yaml:"Outputs"`
}

// Resource is one resource of the template.
type Resource struct {
	Type                string         `yaml:"Type"`
	DependsOn           string         `yaml:"DependsOn"`
	DeletionPolicy      string         `yaml:"DeletionPolicy"`
	UpdateReplacePolicy string         `yaml:"UpdateReplacePolicy"`
	Properties          map[string]any `yaml:"Properties"`
}

// Load reads the template of the module that the test belongs to.
func Load(t testing.TB) Template {
	t.Helper()
	template, err := Read(Root(t))
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// Read reads the template of the module in a directory.
func Read(root string) (Template, error) {
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		return Template{}, err
	}
	var template Template
	if err := yaml.Unmarshal(text, &template); err != nil {
		return Template{}, fmt.Errorf("read template.yaml: %w", err)
	}
	return template, nil
}

// Table returns the request that creates a table like a table of the template.
func (template Template) Table(resource, name string) (*dynamodb.CreateTableInput, error) {
	properties := maps.Clone(template.Resources[resource].Properties)
	delete(properties, "DeletionProtectionEnabled") // tests delete their tables
	text, err := json.Marshal(properties)
	if err != nil {
		return nil, err
	}
	// Properties in CloudFormation have the same names as fields of the API.
	var input dynamodb.CreateTableInput
	if err := json.Unmarshal(text, &input); err != nil {
		return nil, fmt.Errorf("read table %s: %w", resource, err)
	}
	input.TableName = &name
	if input.StreamSpecification != nil {
		input.StreamSpecification.StreamEnabled = aws.Bool(true) // implied in a template
	}
	return &input, nil
}

// Root returns the directory of the module that the test belongs to.
func Root(t testing.TB) string {
	t.Helper()
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// FindRoot returns the directory of the module that contains the working directory.
func FindRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no go.mod above the working directory")
		}
		folder = parent
	}
}
