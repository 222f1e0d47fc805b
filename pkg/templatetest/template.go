// Package templatetest reads template.yaml for tests, so that what they assert
// and what they run on is what is deployed.
package templatetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/goccy/go-yaml"
)

// Template is the part of template.yaml that tests ask for. Intrinsic
// functions such as !Ref read as their argument.
type Template struct {
	Parameters map[string]map[string]any `yaml:"Parameters"`
	Globals    map[string]any            `yaml:"Globals"`
	Resources  map[string]Resource       `yaml:"Resources"`
	Outputs    map[string]any            `yaml:"Outputs"`
}

// Resource is one resource of the template.
type Resource struct {
	Type                string         `yaml:"Type"`
	DeletionPolicy      string         `yaml:"DeletionPolicy"`
	UpdateReplacePolicy string         `yaml:"UpdateReplacePolicy"`
	Properties          map[string]any `yaml:"Properties"`
}

// Load reads the template of the module that the test belongs to.
func Load(t testing.TB) Template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(t), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template Template
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatalf("read template.yaml: %v", err)
	}
	return template
}

// CreateTable returns the request that makes a table like the template's.
func (template Template) CreateTable(t testing.TB, resource, name string) *dynamodb.CreateTableInput {
	t.Helper()
	text, err := json.Marshal(template.Resources[resource].Properties)
	if err != nil {
		t.Fatal(err)
	}
	// CloudFormation names the properties of a table as the API does.
	var input dynamodb.CreateTableInput
	if err := json.Unmarshal(text, &input); err != nil {
		t.Fatalf("read table %s: %v", resource, err)
	}
	input.TableName = &name
	if input.StreamSpecification != nil {
		input.StreamSpecification.StreamEnabled = aws.Bool(true) // goes without saying in a template
	}
	return &input
}

// Root returns the folder of the module that the test belongs to.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("no go.mod above the working directory")
		}
		folder = parent
	}
}
