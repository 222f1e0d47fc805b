package audit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/payout"
)

// functionLine is a function's log line of a callback.
func functionLine(request string, key inbox.Key, acceptance inbox.Acceptance) string {
	return fmt.Sprintf(`{"timestamp":"2026-11-21T12:00:00.1Z","level":"INFO","message":"callback","provider":"cregis","payout":%q,"receipt":%q,"accepted":%q,"request_id":%q}`,
		key.Payout, key.Receipt, acceptance, request)
}

// gatewayLine is a line of the gateway's access log.
func gatewayLine(request, route, status, at string) string {
	return fmt.Sprintf(`{"requestId":"g","time":%q,"routeKey":%q,"status":%s,"integrationRequestId":%q}`, at, route, status, request)
}

// noRouteLine is a line of the gateway about a request without a route.
func noRouteLine(request, method, route, status string) string {
	return fmt.Sprintf(`{"requestId":%q,"time":%q,"routeKey":%q,"method":%q,"status":%s,"integrationRequestId":"-"}`, request, at, route, method, status)
}

const (
	route = "POST /callbacks/cregis/payout"
	at    = "21/Nov/2026:12:00:00 +0000"
)

func TestReadLog_ComparedWithReceipts(t *testing.T) {
	key := inbox.NewReceipt(event("1", payout.Succeeded, 0), nil, "", noon).Key
	lost := inbox.NewReceipt(event("9", payout.Succeeded, 0), nil, "", noon).Key
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	for name, test := range map[string]struct {
		from, to time.Time
		lines    []string
		want     []audit.Finding
		summary  audit.LogSummary
	}{
		"complete": {
			lines: []string{
				gatewayLine("r1", route, `"200"`, at), functionLine("r1", key, inbox.AcceptedNew), functionLine("r2", key, inbox.AcceptedDuplicate),
				gatewayLine("r2", route, "200", "2026-11-21T12:00:00Z"),
				"", "START RequestId: r1", `{"message":"sweep"}`, `{"message":"callback","provider":"cregis","outcome":"unauthentic","request_id":"r3"}`,
				gatewayLine("r3", route, `"401"`, at), gatewayLine("r4", "$default", `"200"`, at),
			},
			summary: audit.LogSummary{Lines: 9, Unreadable: 2, Answered: 2, Acknowledged: 2, Receipts: 1},
		},
		"acknowledged receipt missing": {
			lines:   []string{functionLine("r1", lost, inbox.AcceptedNew), functionLine("r2", lost, inbox.AcceptedQueueOnly)},
			want:    []audit.Finding{{Kind: audit.AcknowledgedLost, Payout: lost.Payout, Receipt: lost.Receipt, Request: "r1"}, {Kind: audit.AcknowledgedLost, Payout: lost.Payout, Receipt: lost.Receipt, Request: "r2"}},
			summary: audit.LogSummary{Lines: 2, Acknowledged: 2, Receipts: 1},
		},
		"response without a function line": {
			lines:   []string{gatewayLine("r1", route, `"200"`, at), gatewayLine("r2", route, `"200"`, at), functionLine("r1", key, inbox.AcceptedNew)},
			want:    []audit.Finding{{Kind: audit.AcknowledgedUnlogged, Request: "r2"}},
			summary: audit.LogSummary{Lines: 3, Answered: 2, Acknowledged: 1, Receipts: 1},
		},
		"gateway log alone": {
			lines:   []string{gatewayLine("r1", route, `"200"`, at), gatewayLine("r2", route, `"200"`, at)},
			summary: audit.LogSummary{Lines: 2, Answered: 2, Receipts: 1},
		},
		"more receipts than responses in a window": {
			from: noon, to: minute(1), lines: []string{gatewayLine("r1", route, `"503"`, at)},
			want:    []audit.Finding{{Kind: audit.AcknowledgedTooFew}},
			summary: audit.LogSummary{Lines: 1, Receipts: 1},
		},
		"repeated lines": {
			from: noon, to: minute(1),
			lines:   []string{gatewayLine("r1", route, `"200"`, at), gatewayLine("r1", route, `"200"`, at), functionLine("r1", key, inbox.AcceptedNew), functionLine("r1", key, inbox.AcceptedNew)},
			summary: audit.LogSummary{Lines: 4, Repeated: 2, Answered: 1, Acknowledged: 1, Receipts: 1},
		},
		"unknown lines outside the window": {
			from: minute(10), to: minute(20), lines: []string{`{"message":"sweep","timestamp":"2026-11-21T12:00:00Z"}`, "91 lines"},
			summary: audit.LogSummary{Lines: 2, Unreadable: 2},
		},
		"requests without a route": {
			lines: []string{
				gatewayLine("r1", route, `"200"`, at), functionLine("r1", key, inbox.AcceptedNew),
				noRouteLine("g1", "POST", "-", `"404"`), noRouteLine("g1", "POST", "-", `"404"`), noRouteLine("g2", "POST", "", "404"), noRouteLine("g3", "GET", "-", `"404"`),
			},
			summary: audit.LogSummary{Lines: 6, Repeated: 1, Answered: 1, Acknowledged: 1, NoRoute: 2, Receipts: 1},
		},
		"route with a token": {
			lines:   []string{gatewayLine("r1", "POST /0123456789abcdef/callbacks/cregis/payout", `"200"`, at), functionLine("r1", key, inbox.AcceptedNew)},
			summary: audit.LogSummary{Lines: 2, Answered: 1, Acknowledged: 1, Receipts: 1},
		},
		"lines outside the window": {
			from: minute(10), to: minute(20), lines: []string{functionLine("r1", lost, inbox.AcceptedNew), gatewayLine("r1", route, `"200"`, at), gatewayLine("r2", route, "200", fmt.Sprint(noon.UnixMilli()))},
			summary: audit.LogSummary{Lines: 3},
		},
		"line without a time": {
			from: minute(10), to: minute(20), lines: []string{gatewayLine("r2", route, "200", "-")},
			summary: audit.LogSummary{Lines: 1, Answered: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMemoryBed(t)
			b.acceptAndApply(event("1", payout.Succeeded, 0))
			findings, summary := b.audit(func(a *audit.Audit) {
				a.From, a.To = test.from, test.to
				if err := a.ReadLog(t.Context(), strings.NewReader(strings.Join(test.lines, "\n"))); err != nil {
					t.Fatal(err)
				}
			})
			byRequest := cmpopts.SortSlices(func(x, y audit.Finding) bool { return x.Request < y.Request })
			if diff := cmp.Diff(test.want, findings, byRequest, cmpopts.IgnoreFields(audit.Finding{}, "Detail")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(&test.summary, summary.Log); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}

// A log that is read twice does not account for twice as many receipts.
func TestReadLog_SameLogTwice(t *testing.T) {
	b := newMemoryBed(t)
	b.acceptAndApply(event("1", payout.Succeeded, 0), event("2", payout.Succeeded, 0))
	findings, _ := b.audit(func(a *audit.Audit) {
		a.From, a.To = noon, noon.Add(time.Minute)
		for range 2 {
			if err := a.ReadLog(t.Context(), strings.NewReader(gatewayLine("r1", route, `"200"`, at))); err != nil {
				t.Fatal(err)
			}
		}
	})
	if len(findings) != 1 || findings[0].Kind != audit.AcknowledgedTooFew {
		t.Errorf("findings %+v", findings)
	}
}

func TestReadLog_TooManyRequests(t *testing.T) {
	a := &audit.Audit{Source: newMemoryBed(t).source, Now: noon}
	a.LimitRequests(2)
	lines := []string{gatewayLine("r1", route, `"200"`, at), gatewayLine("r2", route, `"200"`, at), gatewayLine("r2", route, `"200"`, at)}
	if err := a.ReadLog(t.Context(), strings.NewReader(strings.Join(lines, "\n"))); err != nil {
		t.Error(err)
	}
	if err := a.ReadLog(t.Context(), strings.NewReader(gatewayLine("r3", route, `"200"`, at))); !errors.Is(err, audit.ErrTooMany) {
		t.Errorf("got %v", err)
	}
}

// A released callback and the receipt of its event count as one callback; a
// resolution is not a callback.
func TestReadLog_CountsReceiptsOfCallbacks(t *testing.T) {
	b := newMemoryBed(t)
	b.fill() // 5 applied, 1 received, 1 held, 1 released, 1 dismissed: 9 receipts of 8 callbacks
	b.accept(inbox.NewResolutionReceipt(payout.Resolution{ID: payoutID("2")}, "", noon))
	_, summary := b.audit(func(a *audit.Audit) {
		if err := a.ReadLog(t.Context(), strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
	})
	if summary.Receipts != 10 || summary.Log.Receipts != 8 {
		t.Errorf("%d receipts, %d of callbacks, want 10 and 8", summary.Receipts, summary.Log.Receipts)
	}
}

func TestReadLog_ReadErrors(t *testing.T) {
	b := newMemoryBed(t)
	broken := errors.New("broken")
	b.audit(func(a *audit.Audit) {
		if err := a.ReadLog(t.Context(), iotest.ErrReader(broken)); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		if err := a.ReadLog(t.Context(), strings.NewReader(strings.Repeat("x", 2<<20))); err == nil {
			t.Error("a line of 2 MiB was read")
		}
	})
}
