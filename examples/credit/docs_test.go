package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	published "payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/testkit/templatetest"
)

// docs/EVENTS.md quotes the code, the rule and the example event.
func TestDocs_EventsQuotesExample(t *testing.T) {
	root := templatetest.Root(t)
	read := func(path ...string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	document := read("docs", "EVENTS.md")
	quoted := func(language string) string {
		t.Helper()
		block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(document)
		if block == nil {
			t.Fatalf("no %s is quoted", language)
		}
		return block[1]
	}

	var event struct{ Detail any }
	var example any
	if err := json.Unmarshal([]byte(quoted("json")), &event); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(read("docs", "events", "PayoutSucceeded.example.json")), &example); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example, event.Detail); diff != "" {
		t.Errorf("the event (-example +quoted):\n%s", diff)
	}

	if code := quoted("go"); !strings.Contains(read("examples", "credit", "entry.go"), code) {
		t.Errorf("entry.go does not have:\n%s", code)
	}

	var rule map[string]any
	var template struct {
		Resources map[string]any `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(quoted("yaml")), &rule); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(read("examples", "credit", "template.yaml")), &template); err != nil {
		t.Fatal(err)
	}
	for name, resource := range rule {
		if diff := cmp.Diff(template.Resources[name], resource); diff != "" {
			t.Errorf("%s (-template +quoted):\n%s", name, diff)
		}
	}

	for _, kind := range published.Types() {
		if !strings.Contains(document, "| `"+string(kind)+"` |") {
			t.Errorf("%s is not documented", kind)
		}
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal([]byte(read("docs", "events", "notification.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	_, fields, _ := strings.Cut(document, "| field |")
	for field := range schema.Properties {
		if field != "v" && field != "type" && !strings.Contains(fields, "`"+field+"`") {
			t.Errorf("the field %s is not documented", field)
		}
	}
}
