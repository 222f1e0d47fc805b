package templatetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"payout-callbacks/pkg/testkit/templatetest"
)

// alarmOrder is the order of an alarm's properties.
var alarmOrder = []any{
	"AlarmName", "AlarmDescription", "AlarmActions", "OKActions",
	"Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic", "Period", "Metrics",
	"EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData",
}

// A function is followed by its role and its log group, monitoring comes last, and
// the properties of all alarms are in one order.
func TestTemplate_Order(t *testing.T) {
	resources := section(t, "Resources")
	var ids []string
	monitoring := false
	for _, item := range resources {
		id, resource := item.Key.(string), item.Value.(yaml.MapSlice)
		ids = append(ids, id)
		kind, _ := valueOf(resource, "Type").(string)
		isMonitoring := strings.HasPrefix(kind, "AWS::CloudWatch::") || strings.HasPrefix(kind, "AWS::SNS::") || kind == "AWS::Logs::MetricFilter"
		if monitoring && !isMonitoring {
			t.Errorf("%s is among the monitoring resources", id)
		}
		monitoring = monitoring || isMonitoring
		if kind == "AWS::CloudWatch::Alarm" {
			checkAlarmOrder(t, id, valueOf(resource, "Properties").(yaml.MapSlice))
		}
	}
	for i, id := range ids {
		name, ok := strings.CutSuffix(id, "Function")
		if want := []string{name + "Role", name + "LogGroup"}; ok && !slices.Equal(ids[i+1:i+3], want) {
			t.Errorf("%s is followed by %v, want %v", id, ids[i+1:i+3], want)
		}
	}
}

func checkAlarmOrder(t *testing.T, id string, properties yaml.MapSlice) {
	t.Helper()
	last := -1
	for _, property := range properties {
		index := slices.Index(alarmOrder, property.Key)
		if index <= last {
			t.Errorf("%s: %v is out of order, or not in alarmOrder", id, property.Key)
		}
		last = index
	}
}

// A parameter or an output without a description leaves the console without one.
func TestTemplate_Descriptions(t *testing.T) {
	var described, grouped []string
	for _, name := range []string{"Parameters", "Outputs"} {
		for _, item := range section(t, name) {
			if text, _ := valueOf(item.Value.(yaml.MapSlice), "Description").(string); text == "" {
				t.Errorf("%s.%v has no description", name, item.Key)
			}
			if name == "Parameters" {
				described = append(described, item.Key.(string))
			}
		}
	}
	groups := valueOf(section(t, "Metadata"), "AWS::CloudFormation::Interface").(yaml.MapSlice)
	for _, group := range valueOf(groups, "ParameterGroups").([]any) {
		for _, name := range valueOf(group.(yaml.MapSlice), "Parameters").([]any) {
			grouped = append(grouped, fmt.Sprint(name))
		}
	}
	if !slices.Equal(described, grouped) {
		t.Errorf("the parameters are %v, the groups have %v", described, grouped)
	}
}

// section reads a section of template.yaml with its order.
func section(t *testing.T, name string) yaml.MapSlice {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(templatetest.Root(t), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(text, &template, yaml.UseOrderedMap()); err != nil {
		t.Fatal(err)
	}
	return valueOf(template, name).(yaml.MapSlice)
}

func valueOf(mapping yaml.MapSlice, key string) any {
	for _, item := range mapping {
		if item.Key == key {
			return item.Value
		}
	}
	return nil
}
