package callback_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"payout-callbacks/pkg/callback"
)

// Tools refuse a reason that Reasons does not list.
func TestReasons_Complete(t *testing.T) {
	source, err := os.ReadFile("provider.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`Reason\w+ +Reason = "([^"]+)"`).FindAllSubmatch(source, -1)
	if len(declared) == 0 || len(declared) != len(callback.Reasons()) {
		t.Errorf("%d reasons are declared, and %d listed", len(declared), len(callback.Reasons()))
	}
	for _, match := range declared {
		if !slices.Contains(callback.Reasons(), callback.Reason(match[1])) {
			t.Errorf("%s is not listed", match[1])
		}
	}
}
