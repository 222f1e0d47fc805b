package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/localstack"
	"payout-callbacks/pkg/payout"
)

const (
	loadPayouts  = 10_000
	loadRate     = 20 // callbacks per second
	loadDuration = 30 * time.Second
)

// BenchmarkConsole_Load measures the console of a stack with 10,000 payouts that receives 20 callbacks per second: the time
// to the first list, until the pages are shown in the browser, and the memory of the process. It needs Linux:
//
//	.local/bin/local exec -- go test -run '^$' -bench Console -benchtime 1x ./cmd/payoutctl/internal/console/browser -args -shared
func BenchmarkConsole_Load(b *testing.B) {
	if os.Getenv("PAYOUT_CALLBACKS_STACK") == "" {
		b.Skip("PAYOUT_CALLBACKS_STACK is not set")
	}
	stack, err := readStack()
	if err != nil {
		b.Fatal(err)
	}
	seed(b, stack)
	for b.Loop() {
		c, err := start("--local")
		if err != nil {
			b.Fatal(err)
		}
		sent := make(chan int, 1)
		ctx, cancel := context.WithTimeout(b.Context(), loadDuration)
		go func() { sent <- sendCallbacks(ctx, stack) }()
		v := c.visitor(b)
		b.ReportMetric(seconds(func() { v.get("/payouts") }), "s-first-list")
		b.ReportMetric(seconds(func() { v.get("/payouts") }), "s-second-list")
		b.ReportMetric(seconds(func() { v.get("/") }), "s-overview")
		tab := newTab(b)
		tab.open(c.address("/"))
		b.ReportMetric(seconds(func() { tab.open(c.base + "/callbacks") }), "s-callbacks-in-browser")
		b.ReportMetric(memory(b, c, "VmRSS"), "MB-at-first")
		b.ReportMetric(float64(<-sent)/loadDuration.Seconds(), "callbacks/s")
		cancel()
		b.ReportMetric(seconds(func() { v.get("/payouts") }), "s-list-under-load")
		b.ReportMetric(memory(b, c, "VmRSS"), "MB-after")
		b.ReportMetric(memory(b, c, "VmHWM"), "MB-highest")
		if err := c.stop(); err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

func seconds(do func()) float64 {
	begin := time.Now()
	do()
	return time.Since(begin).Seconds()
}

// memory returns a field of /proc/PID/status in megabytes.
func memory(b *testing.B, c *console, field string) float64 {
	b.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.pid), "status"))
	if err != nil {
		b.Skip("needs Linux: ", err)
	}
	match := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(status)
	if match == nil {
		b.Fatalf("no %s in\n%s", field, status)
	}
	kilobytes, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes / 1024
}

// seed applies events of 10,000 payouts.
func seed(b *testing.B, stack localstack.Stack) {
	b.Helper()
	store := storeOf(stack)
	in := &inbox.Inbox{Store: store, Now: time.Now}
	statuses := []payout.Status{payout.Succeeded, payout.Succeeded, payout.Failed, payout.Pending}
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(16)
	for i := range loadPayouts {
		group.Go(func() error {
			event := payout.Event{
				ID:     payout.NewID("cregis", payout.TypePayout, demoProject, newID(), ""),
				Status: statuses[i%len(statuses)], Amount: payout.Amount(fmt.Sprintf("%d.5", i+1)), Reference: fmt.Sprintf("load-%d", i),
			}
			_, _, err := in.ApplyNew(ctx, inbox.NewReceipt(event, []byte(`{"load":true}`), "load", time.Now()))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// sendCallbacks sends 20 callbacks per second until the context ends, and returns how many were acknowledged.
func sendCallbacks(ctx context.Context, stack localstack.Stack) (acknowledged int) {
	const merchant = "922e39ab-7565-49f6-b84f-fb56122821ae"
	tick := time.NewTicker(time.Second / loadRate)
	defer tick.Stop()
	answers := make(chan bool, loadRate*int(loadDuration.Seconds())+1)
	sent := 0
	for ctx.Err() == nil {
		body := fmt.Sprintf(`{"event":"PAYOUT.SUCCESS","data":{"uuid":"%s","merchantId":"%s","payouts":{"referenceId":"load-%s",`+
			`"amount":{"currency":"IDR","value":"100000"},"status":"SUCCESS","reason":null}}}`, newID(), merchant, newID())
		go func() {
			request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, stack.APIURL+"/callbacks/pivot/payout", strings.NewReader(body))
			if err != nil {
				answers <- false
				return
			}
			request.Header.Set("X-Api-Key", string(stack.DemoKeys["pivot"][merchant]))
			response, err := http.DefaultClient.Do(request)
			if err == nil {
				_ = response.Body.Close()
			}
			answers <- err == nil && response.StatusCode == http.StatusOK
		}()
		sent++
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	for range sent {
		if <-answers {
			acknowledged++
		}
	}
	return acknowledged
}
