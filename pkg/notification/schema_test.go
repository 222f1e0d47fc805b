package notification_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/testkit/templatetest"
)

var update = flag.Bool("update", false, "rewrite the examples of docs/events")

// published returns a notification of each type, for the examples.
func published(t *testing.T) map[notification.Type]notification.Notification {
	t.Helper()
	succeeded := []any{event(payout.Pending), event(payout.Succeeded, txid("7d0a1d7e5d7c2a6fb1e0c9b8a7968574635241302f1e0d9cab8a79685746352d"))}
	histories := map[notification.Type][]any{
		notification.PayoutSucceeded:  succeeded,
		notification.PayoutFailed:     {event(payout.Failed, reason("insufficient energy"))},
		notification.PayoutRejected:   {event(payout.Rejected, reason("approval"))},
		notification.PayoutCancelled:  {event(payout.Cancelled)},
		notification.PayoutConflicted: append(slices.Clone(succeeded), event(payout.Failed)),
		notification.PayoutResolved:   append(slices.Clone(succeeded), event(payout.Failed), reject(payout.FieldStatus, "failed")),
		notification.PayoutConfirmed:  append(slices.Clone(succeeded), event(payout.Succeeded, from(payout.SourceQuery))),
		notification.PayoutOverdue:    {expectation(), overdue(paid, "open")},
		notification.BatchUpdated:     {totals(payout.Pending, 0, 0, 0), totals(payout.Done, 2, 1, 0)},
	}
	all := map[notification.Type]notification.Notification{}
	for kind, history := range histories {
		records := fold(history...)
		n, ok := notification.FromChange(records[len(history)-1], records[len(history)], at)
		if !ok || n.Type != kind {
			t.Fatalf("the example of %s is a %s (%t)", kind, n.Type, ok)
		}
		all[kind] = n
	}
	return all
}

// schemas compiles what docs/events promises.
func schemas(t *testing.T) map[notification.Type]*jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	all := map[notification.Type]*jsonschema.Schema{}
	for _, kind := range notification.Types() {
		schema, err := compiler.Compile(documentPath(t, string(kind)+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		all[kind] = schema
	}
	return all
}

func documentPath(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(templatetest.Root(t), "docs", "events", name)
}

func TestExamples_Current(t *testing.T) {
	for kind, n := range published(t) {
		want, err := json.MarshalIndent(n, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, '\n')
		path := documentPath(t, string(kind)+".example.json")
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s differs from what is published (%v); go test ./pkg/notification -update rewrites it:\n%s", path, err, cmp.Diff(string(want), string(got)))
		}
	}
}

func TestSchemas_Complete(t *testing.T) {
	texts, err := filepath.Glob(documentPath(t, "*.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, path := range texts {
		got[strings.TrimSuffix(filepath.Base(path), ".schema.json")] = true
	}
	want := map[string]bool{"notification": true}
	for _, kind := range notification.Types() {
		want[string(kind)] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("schemas (-want +got):\n%s", diff)
	}
}

// A notification of any history is valid by the schema of its type and by no other.
func TestSchema_AnyHistory(t *testing.T) {
	all := schemas(t)
	rapid.Check(t, func(t *rapid.T) {
		for _, n := range notificationsFor(history(t)) {
			detail := asJSON(t, n)
			for kind, schema := range all {
				if err := schema.Validate(detail); (err == nil) != (kind == n.Type) {
					t.Fatalf("%v\nof the schema of %s: %v", detail, kind, err)
				}
			}
		}
	})
}

// No schema promises a field that is never published.
func TestSchema_FieldsPublished(t *testing.T) {
	seen := map[notification.Type]map[string]bool{}
	for _, kind := range notification.Types() {
		seen[kind] = map[string]bool{}
	}
	histories := rapid.Custom(history)
	for seed := range 3000 {
		for _, n := range notificationsFor(histories.Example(seed)) {
			for field := range asJSON(t, n) {
				seen[n.Type][field] = true
			}
		}
	}
	for kind, fields := range seen {
		if diff := cmp.Diff(promised(t, kind), slices.Sorted(maps.Keys(fields))); diff != "" {
			t.Errorf("fields of %s (-in the schema +published):\n%s", kind, diff)
		}
	}
}

// notificationsFor returns the notifications of a history, and the one that is
// published again by hand at its end.
func notificationsFor(statements []any) []notification.Notification {
	var all []notification.Notification
	records := fold(statements...)
	for n := range statements {
		if published, ok := notification.FromChange(records[n], records[n+1], at); ok {
			all = append(all, published)
		}
	}
	if again, ok := notification.FromRecord(records[len(statements)], at); ok {
		again.Republished = "the queue was purged"
		all = append(all, again)
	}
	return all
}

// history draws statements about a payout or a batch, which may be in conflict.
func history(t *rapid.T) []any {
	if rapid.Bool().Draw(t, "batch") {
		return rapid.SliceOfN(rapid.Custom(anyTotals), 1, 6).Draw(t, "totals")
	}
	return rapid.SliceOfN(rapid.Custom(anyStatement), 1, 6).Draw(t, "statements")
}

func anyTotals(t *rapid.T) any {
	switch rapid.IntRange(0, 11).Draw(t, "source") {
	case 0:
		return overdue(batch, "open")
	case 1:
		return payout.Event{ID: batch, Source: payout.SourceExpectation, Status: payout.Expected, Reference: "payday"}
	case 2:
		return payout.Event{ID: batch, Source: payout.SourceResolution, Status: payout.Done}
	case 3:
		return payout.Resolution{ID: batch, Rejected: map[payout.Field][]string{payout.FieldReference: {"payday"}}}
	case 4:
		return payout.Event{ID: batch, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: "pivot/batch/7/1"}
	}
	status := rapid.SampledFrom([]payout.Status{payout.Pending, payout.Delayed, payout.Done, payout.Cancelled}).Draw(t, "status")
	settled := rapid.Permutation([]int64{rapid.Int64Range(0, 3).Draw(t, "settled"), 0, 0}).Draw(t, "as")
	e := totals(status, settled[0], settled[1], settled[2])
	e.Reason = rapid.SampledFrom([]string{"", "why"}).Draw(t, "reason")
	e.Currency = rapid.SampledFrom([]string{"", "IDR"}).Draw(t, "currency")
	e.Source = rapid.SampledFrom([]payout.Source{"", payout.SourceQuery}).Draw(t, "answered")
	return e
}

func anyStatement(t *rapid.T) any {
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		field := rapid.SampledFrom([]payout.Field{payout.FieldStatus, payout.FieldAmount}).Draw(t, "field")
		value := rapid.SampledFrom([]string{"succeeded", "failed", "2.5", "2.6"}).Draw(t, "rejected")
		return reject(field, value)
	case 1:
		return rapid.SampledFrom([]payout.Event{
			overdue(paid, "open"), overdue(paid, "unasked"), linked("cregis/payout/7/1"), linked("cregis/payout/7/2"),
		}).Draw(t, "reconciler")
	}
	text := func(name, value string) string { return rapid.SampledFrom([]string{"", value}).Draw(t, name) }
	e := payout.Event{
		ID: paid,
		Status: rapid.SampledFrom([]payout.Status{
			payout.Pending, payout.Delayed, payout.Succeeded, payout.Failed, payout.Rejected, payout.Cancelled,
		}).Draw(t, "status"),
		Source:   rapid.SampledFrom([]payout.Source{"", "", payout.SourceQuery, payout.SourceResolution, payout.SourceExpectation}).Draw(t, "source"),
		Amount:   rapid.SampledFrom([]payout.Amount{"2.5", "2.5", "2.6"}).Draw(t, "amount"),
		Currency: text("currency", "TRX"), Chain: text("chain", "195"), Token: text("token", "195"),
		Reference: text("reference", "order-7001"), TxID: text("txid", "0xabc"), Reason: text("reason", "why"),
		To: text("to", "canary"), From: text("from", "canary"), Memo: text("memo", "canary"),
	}
	if e.Source == payout.SourceExpectation {
		e.Status, e.Deadline = payout.Expected, at.UnixMilli()
	}
	return e
}

func asJSON(t rapid.TB, n notification.Notification) map[string]any {
	text, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("canary")) {
		t.Fatal("an address or a memo is published: ", string(text)) // I9
	}
	detail, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return detail.(map[string]any)
}

// promised lists the fields that the schema of a type allows.
func promised(t *testing.T, kind notification.Type) []string {
	t.Helper()
	read := func(name string) map[string]any {
		text, err := os.ReadFile(documentPath(t, name+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Properties map[string]any `json:"properties"`
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		return schema.Properties
	}
	fields := read("notification")
	maps.Copy(fields, read(string(kind)))
	maps.DeleteFunc(fields, func(_ string, schema any) bool { return schema == false })
	return slices.Sorted(maps.Keys(fields))
}

func TestSchema_UnknownField(t *testing.T) {
	for kind, n := range published(t) {
		detail := asJSON(t, n)
		schema := schemas(t)[kind]
		if err := schema.Validate(detail); err != nil {
			t.Errorf("the example of %s: %v", kind, err)
		}
		detail["address"] = "x"
		if schema.Validate(detail) == nil {
			t.Errorf("the schema of %s allows an unknown field", kind)
		}
	}
}
