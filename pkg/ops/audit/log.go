package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"payout-callbacks/pkg/inbox"
)

// LogSummary counts what ReadLog read.
type LogSummary struct {
	Lines        int64 `json:"lines"`
	Unreadable   int64 `json:"unreadable,omitempty"`   // lines that are not of a callback
	Repeated     int64 `json:"repeated,omitempty"`     // lines of a request that was already counted
	Answered     int64 `json:"answered,omitempty"`     // callbacks that the gateway answered with 200
	Acknowledged int64 `json:"acknowledged,omitempty"` // callbacks that the functions acknowledged
	NoRoute      int64 `json:"noRoute,omitempty"`      // POST requests that the gateway answered with 404: no such route
	Receipts     int64 `json:"receipts"`               // receipts of callbacks that were accepted in the window
}

// Recognised returns the number of lines of the gateway or of a function.
func (s LogSummary) Recognised() int64 { return s.Lines - s.Unreadable }

// MaxRequests is the maximum number of requests in the logs of one audit. They
// take about 100 bytes each.
const MaxRequests = 5_000_000

var errTooMany = errors.New("more than 5000000 requests: give --from and --to, and less of the log")

// maxLine is the maximum length of a line, which is CloudWatch's limit.
const maxLine = 1 << 20

// clockSkew is how much the times of a receipt and of its log lines may differ.
const clockSkew = time.Minute

// log holds which sides logged each request, so that a repeated line counts once.
type log struct {
	LogSummary

	requests    map[string]side
	maxRequests int
}

func newLog(maxRequests int) *log { return &log{requests: map[string]side{}, maxRequests: maxRequests} }

// side is a set of what logged a request.
type side uint8

const (
	byGateway side = 1 << iota
	byFunction
	noRoute
)

// line is a line of the gateway's access log, or of a function's log.
type line struct {
	RouteKey    string          `json:"routeKey"`
	Method      string          `json:"method"`
	Status      json.RawMessage `json:"status"`
	Integration string          `json:"integrationRequestId"`
	RequestID   string          `json:"requestId"`
	Time        json.RawMessage `json:"time"`

	Message   string `json:"message"`
	Msg       string `json:"msg"`
	Payout    string `json:"payout"`
	Receipt   string `json:"receipt"`
	Accepted  string `json:"accepted"`
	Function  string `json:"request_id"`
	Timestamp string `json:"timestamp"`
}

// ReadLog reads the access log of the gateway and the logs of the functions, as
// lines of JSON in any order. It checks that each callback that a function
// acknowledged has a receipt; Run, which is called afterwards, compares the
// counts. It keeps the id of each request, counts each request once, and fails
// after MaxRequests.
func (a *Audit) ReadLog(ctx context.Context, r io.Reader) error {
	if a.log == nil {
		a.log = newLog(MaxRequests)
	}
	group, groupCtx := newGroup(ctx)
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() && groupCtx.Err() == nil {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		a.log.Lines++
		var l line
		if json.Unmarshal(text, &l) != nil || !a.readLine(groupCtx, group, l) {
			a.log.Unreadable++
		}
		if len(a.log.requests) > a.log.maxRequests {
			return errors.Join(errTooMany, group.Wait())
		}
		if a.log.Lines%progressInterval == 0 {
			a.reportProgress(0)
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	return ctx.Err()
}

// readLine counts a line of the window. It reports whether the line is of the
// gateway or of a function's callback.
func (a *Audit) readLine(ctx context.Context, group *errgroup.Group, l line) bool {
	isGateway, isFunction := l.RouteKey != "" || len(l.Status) > 0, l.Message+l.Msg == "callback"
	switch {
	case !isGateway && !isFunction:
		return false
	case !a.isInWindow(l.at()):
	case isGateway:
		a.log.countResponse(l)
	case l.Accepted == "": // not acknowledged
	case a.log.isNew(l.Function, byFunction):
		a.log.Acknowledged++
		group.Go(func() error { return a.checkAcknowledged(ctx, l) })
	}
	return true
}

// countResponse counts a line of the gateway. A request without a route reaches
// no function, so it has only the gateway's id.
func (l *log) countResponse(entry line) {
	isCallback := strings.HasPrefix(entry.RouteKey, http.MethodPost+" /") && strings.Contains(entry.RouteKey, "/callbacks/")
	switch status := string(bytes.Trim(entry.Status, `"`)); {
	case status == strconv.Itoa(http.StatusOK) && isCallback && l.isNew(entry.Integration, byGateway):
		l.Answered++
	case status == strconv.Itoa(http.StatusNotFound) && entry.Method == http.MethodPost && l.isNew(entry.RequestID, noRoute):
		l.NoRoute++
	}
}

// isNew records a side of a request, and reports whether it was new. A line
// without an id counts as new.
func (l *log) isNew(id string, by side) bool {
	if id == "" {
		return true
	}
	known := l.requests[id]
	if known&by != 0 {
		l.Repeated++
		return false
	}
	l.requests[id] = known | by
	return true
}

// checkAcknowledged checks that an acknowledged callback has a receipt.
func (a *Audit) checkAcknowledged(ctx context.Context, l line) error {
	key := inbox.Key{Payout: l.Payout, Receipt: l.Receipt}
	_, ok, err := a.Source.Receipt(ctx, key)
	if err == nil && !ok {
		finding := newFinding(AcknowledgedLost, key, "acknowledged, and its receipt does not exist")
		if l.Accepted == string(inbox.AcceptedQueueOnly) {
			finding.Detail = "accepted into the queue only, and not stored yet: see the queue and the dead-letter queue"
		}
		finding.Request = l.Function
		a.addFinding(finding)
	}
	return ignoreCorrupt(err)
}

// compareLogCounts compares the counts of the logs with the receipts.
func (a *Audit) compareLogCounts() {
	if a.log == nil {
		return
	}
	summary := a.log.LogSummary
	summary.Receipts = a.summary.callbacks
	a.mu.Lock()
	a.summary.Log = &summary
	a.mu.Unlock()
	if summary.Answered > 0 && summary.Acknowledged > 0 {
		for id, sides := range a.log.requests {
			if sides == byGateway {
				a.addFinding(Finding{Kind: AcknowledgedUnlogged, Request: id, Detail: "the gateway answered 200, and no function logged the callback"})
			}
		}
	}
	acknowledged := max(summary.Answered, summary.Acknowledged)
	if isBounded := !a.From.IsZero() && !a.To.IsZero(); isBounded && summary.Receipts > acknowledged {
		a.addFinding(Finding{Kind: AcknowledgedTooFew, Detail: fmt.Sprintf(
			"%d callbacks have receipts, and %d were acknowledged: the log is incomplete, or something else wrote receipts",
			summary.Receipts, acknowledged)})
	}
}

func (a *Audit) isInWindow(at time.Time) bool {
	return at.IsZero() || !at.Before(a.From.Add(-clockSkew)) && (a.To.IsZero() || at.Before(a.To.Add(clockSkew)))
}

// at returns the time of a line, or the zero time. The formats are RFC 3339, the
// common log format, and milliseconds since 1970.
func (l line) at() time.Time {
	text := l.Timestamp
	if text == "" {
		text = string(bytes.Trim(l.Time, `"`))
	}
	for _, layout := range []string{time.RFC3339Nano, "02/Jan/2006:15:04:05 -0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	if millis, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(millis)
	}
	return time.Time{}
}
