package display_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/payout"
	"payout-callbacks/pkg/provider"
)

func from(source payout.Source, status payout.Status) payout.Event {
	e := event(status, "1.1")
	e.Source = source
	return e
}

// expectedBy returns an expectation whose deadline is a time after noon.
func expectedBy(after time.Duration) payout.Event {
	e := from(payout.SourceExpectation, payout.Expected)
	e.Deadline = noon.Add(after).UnixMilli()
	return e
}

// singleSpaced returns the text of a history without the padding of its columns.
func singleSpaced(history display.History) string {
	return regexp.MustCompile(` {2,}`).ReplaceAllString(text(history), " ")
}

// The text is that of one hour after noon.
func TestHistory_Reconciliation(t *testing.T) {
	overdue := func(reason string) payout.Event {
		return payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: reason}
	}
	linked := payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Linked, LinkedTo: "cregis/payout/7/43"}
	for name, test := range map[string]struct {
		events []payout.Event
		want   []string
	}{
		"expected": {[]payout.Event{expectedBy(2 * time.Hour)}, []string{
			"expected deadline 2026-11-03 14:00:00 UTC, in 60 min\n", "sources expectation\n", " expectation expected 1.1 TRX",
		}},
		"past its deadline": {[]payout.Event{expectedBy(0)}, []string{"expected deadline 2026-11-03 12:00:00 UTC, 60 min ago\n"}},
		"overdue": {[]payout.Event{expectedBy(0), overdue("unknown-to-provider"), overdue("another")}, []string{
			"overdue another; the provider does not know it\n", " reconciler overdue ",
		}},
		"confirmed": {[]payout.Event{from("", payout.Succeeded), from(payout.SourceQuery, payout.Succeeded)}, []string{
			"confirmed yes, by a query\n", "sources callback, query\n", " query succeeded 1.1 TRX",
		}},
		"not confirmed": {[]payout.Event{from("", payout.Succeeded)}, []string{"confirmed no\n"}},
		"linked":        {[]payout.Event{expectedBy(0), linked}, []string{"status linked\n", "linked to cregis/payout/7/43\n"}},
		"closed":        {[]payout.Event{expectedBy(0), from(payout.SourceResolution, payout.Failed)}, []string{"Resolutions:\n #2 2026-11-03 12:01:00 UTC closed as failed\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := singleSpaced(newHistory(test.events...))
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in:\n%s", want, got)
				}
			}
		})
	}
	if got := text(newHistory(from(payout.SourceExpectation, payout.Expected), from("", payout.Pending))); strings.Contains(got, "confirmed") {
		t.Errorf("an open payout shows a confirmation:\n%s", got)
	}
}

// Of a provider without an API for queries, a person finds out how a payout ended.
func TestHistory_OverdueWithoutQueries(t *testing.T) {
	unasked := payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "unasked"}
	history := newHistory(expectedBy(0), unasked)
	history.Record.Schedule = inbox.Schedule{At: noon.Add(2 * time.Hour), Tries: 1, AskedAt: noon, Result: "off"}
	if got := singleSpaced(history); !strings.Contains(got, "overdue the provider cannot be asked: queries are off, ") || !strings.Contains(got, "\nquery next ") {
		t.Errorf("a provider with queries:\n%s", got)
	}
	display.SetProvider(t, provider.Description{})
	want := "overdue the provider has no API for queries: look in its dashboard, then: payoutctl --local close cregis/payout/7/42 --status STATUS --reason '…'\n"
	if got := singleSpaced(history); !strings.Contains(got, want) || strings.Contains(got, "\nquery ") {
		t.Errorf("want %q and no query in:\n%s", want, got)
	}
}

func TestHistory_CallerOfAnExpectation(t *testing.T) {
	history := newHistory(expectedBy(time.Minute))
	history.Entries[0].Note = "arn:aws:sts::1:assumed-role/order-service"
	want := "Expectations:\n #1 2026-11-03 12:00:00 UTC deadline 2026-11-03 12:01:00 UTC by arn:aws:sts::1:assumed-role/order-service\n"
	if got := singleSpaced(history); !strings.Contains(got, want) {
		t.Errorf("no %q in:\n%s", want, got)
	}
}

func TestHistory_Query(t *testing.T) {
	for name, test := range map[string]struct {
		schedule inbox.Schedule
		want     string
	}{
		"not asked yet": {inbox.Schedule{At: noon.Add(70 * time.Minute)}, "query next 2026-11-03 13:10:00 UTC, in 10 min\n"},
		"due":           {inbox.Schedule{At: noon}, "query due since 2026-11-03 12:00:00 UTC\n"},
		"asked": {
			inbox.Schedule{At: noon.Add(2 * time.Hour), Tries: 3, AskedAt: noon, Result: "not-found"},
			"next 2026-11-03 14:00:00 UTC, in 60 min; asked 3 times since the last change; last 2026-11-03 12:00:00 UTC not-found\n",
		},
		"ended": {inbox.Schedule{AskedAt: noon, Result: "answered"}, "query last 2026-11-03 12:00:00 UTC answered\n"},
	} {
		history := newHistory(from("", payout.Succeeded))
		history.Record.Schedule = test.schedule
		if got := singleSpaced(history); !strings.Contains(got, test.want) {
			t.Errorf("%s: no %q in:\n%s", name, test.want, got)
		}
	}
}

// A receipt of an answer is found by the beginning of its fingerprint.
func TestHistory_ShortReceiptOfASource(t *testing.T) {
	history := newHistory(from(payout.SourceQuery, payout.Succeeded))
	key := history.Entries[0].Key.Receipt
	if got := history.ShortReceipt(history.Entries[0]); len(got) != len("query/succeeded/")+6 || !strings.HasPrefix(key, got) {
		t.Errorf("got %s of %s", got, key)
	}
}

func TestNewPayout_Reconciliation(t *testing.T) {
	history := newHistory(expectedBy(0), payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "open"})
	history.Record.Schedule = inbox.Schedule{At: noon, Tries: 1, AskedAt: noon, Result: "in-process"}
	got, err := json.Marshal(display.NewPayout(history.Record))
	want := `"confirmed":false,"expected":true,"overdue":["open"],"deadline":"2026-11-03T12:00:00Z","sources":["expectation","reconciler"],` +
		`"query":{"nextAt":"2026-11-03T12:00:00Z","tries":1,"askedAt":"2026-11-03T12:00:00Z","result":"in-process"}}`
	if err != nil || !strings.HasSuffix(string(got), want) {
		t.Errorf("got %s, %v, want …%s", got, err, want)
	}
	history = newHistory(expectedBy(0), payout.Event{ID: paid, Source: payout.SourceReconciler, Status: payout.Overdue, Reason: "open"}, from("", payout.Succeeded))
	if view := display.NewPayout(history.Record); view.Overdue != nil {
		t.Errorf("a final payout is overdue: %v", view.Overdue)
	}
	receipt, err := json.Marshal(display.NewReceipt(history.Entries[0], false))
	if want := `"source":"expectation","state":"applied"`; err != nil || !strings.Contains(string(receipt), want) || !strings.Contains(string(receipt), `"deadline":"2026-11-03T12:00:00Z"`) {
		t.Errorf("got %s, %v, want %s", receipt, err, want)
	}
}

func TestHistory_HeldAnswer(t *testing.T) {
	held := inbox.NewHeldReceipt(inbox.HeldCallback{
		Provider: "pivot", Source: payout.SourceQuery, Type: payout.TypePayout, Account: "m", Subject: []byte("x"), Reason: "unknown-status",
	}, nil, "", noon)
	if got := heldText(cli.Style{}, held, noon); !strings.Contains(got, "source    query\n") {
		t.Errorf("got:\n%s", got)
	}
}
