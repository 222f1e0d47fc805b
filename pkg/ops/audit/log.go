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

	"payout-callbacks/pkg/inbox"
)

// LogSummary is what was counted in logs.
type LogSummary struct {
	Lines        int64 `json:"lines"`
	Unreadable   int64 `json:"unreadable,omitempty"`   // lines of another kind: passed over
	Repeated     int64 `json:"repeated,omitempty"`     // lines of a request that was counted before
	Answered     int64 `json:"answered,omitempty"`     // of the gateway: callbacks answered 200
	Acknowledged int64 `json:"acknowledged,omitempty"` // of the functions: callbacks acknowledged
	NoRoute      int64 `json:"noRoute,omitempty"`      // of the gateway: POST requests answered 404, at a URL that is not ours
	Receipts     int64 `json:"receipts"`               // that stand for a callback accepted in the window
}

// Recognised is how many lines were of the gateway or of a function.
func (s LogSummary) Recognised() int64 { return s.Lines - s.Unreadable }

// MaxRequests bounds the requests of one audit's logs: at some 100 bytes for
// each, half a gigabyte.
const MaxRequests = 5_000_000

// errTooMany means that a log has more requests than MaxRequests.
var errTooMany = errors.New("more than 5000000 requests: give --from and --to, and less of the log")

// maxLine bounds a line of a log: CloudWatch's own bound on an event is 1 MiB.
const maxLine = 1 << 20

// slack is how far apart a receipt's time and its log lines' may be.
const slack = time.Minute

// log is what is kept of logs: the sides of each request that were read, so
// that a line that is there twice counts once.
type log struct {
	LogSummary

	requests map[string]side
	most     int // of requests
}

func newLog(most int) *log { return &log{requests: map[string]side{}, most: most} }

// side is who told of a request; both may have.
type side uint8

const (
	byGateway side = 1 << iota
	byFunction
	noRoute
)

// line is a line of the gateway's access log or of a function's own log.
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

// ReadLog reads lines of JSON, of the gateway's access log or of the functions'
// own logs, in any order and mixture. Each callback that a function acknowledged
// must have its receipt; that is checked at once. What else the logs say is
// weighed by Run: call it afterwards. The id of each request is kept, and a
// request counts once, in however many logs it is; more than MaxRequests are an
// error.
func (a *Audit) ReadLog(ctx context.Context, r io.Reader) error {
	if a.log == nil {
		a.log = newLog(MaxRequests)
	}
	work := newPool(ctx)
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for lines.Scan() && work.ctx.Err() == nil {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		a.log.Lines++
		var l line
		if json.Unmarshal(text, &l) != nil || !a.readLine(work, l) {
			a.log.Unreadable++
		}
		if len(a.log.requests) > a.log.most {
			return errors.Join(errTooMany, work.wait())
		}
		if a.log.Lines%progressEvery == 0 {
			a.progress(0)
		}
	}
	if err := work.wait(); err != nil {
		return err
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	return ctx.Err()
}

// readLine reports whether the line is of the gateway or of a function's
// callback, and counts it if it is of the window.
func (a *Audit) readLine(work *pool, l line) bool {
	ofGateway, ofFunction := l.RouteKey != "" || len(l.Status) > 0, l.Message+l.Msg == "callback"
	switch {
	case !ofGateway && !ofFunction:
		return false
	case !a.within(l.at()):
	case ofGateway:
		a.log.countAnswer(l)
	case l.Accepted == "": // refused, or not kept: nothing was promised
	case a.log.isNew(l.Function, byFunction):
		a.log.Acknowledged++
		work.do(func() error { return a.acknowledged(work.ctx, l) })
	}
	return true
}

// countAnswer counts a line of the gateway. A request to no route never met a
// function, so the gateway's own id names it.
func (l *log) countAnswer(item line) {
	isCallback := strings.HasPrefix(item.RouteKey, http.MethodPost+" /") && strings.Contains(item.RouteKey, "/callbacks/")
	switch status := string(bytes.Trim(item.Status, `"`)); {
	case status == strconv.Itoa(http.StatusOK) && isCallback && l.isNew(item.Integration, byGateway):
		l.Answered++
	case status == strconv.Itoa(http.StatusNotFound) && item.Method == http.MethodPost && l.isNew(item.RequestID, noRoute):
		l.NoRoute++
	}
}

// isNew notes one side of a request, and reports whether it was not known. Of a
// line without an id nobody can say, so it counts.
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

func (a *Audit) acknowledged(ctx context.Context, l line) error {
	key := inbox.Key{Payout: l.Payout, Receipt: l.Receipt}
	_, ok, err := a.Source.Receipt(ctx, key)
	switch {
	case errors.Is(err, inbox.ErrDamagedReceipt):
		return nil
	case err != nil:
		return err
	case !ok:
		finding := about(AcknowledgedLost, key, "acknowledged, and there is no such receipt")
		if l.Accepted == string(inbox.AcceptedQueueOnly) {
			finding.Detail = "acknowledged by the queue only, and not recorded yet: look at the queue and the dead letters"
		}
		finding.Request = l.Function
		a.found(finding)
	}
	return nil
}

// reckonLog weighs what the logs say together, once the receipts are counted.
func (a *Audit) compareLogCounts() {
	if a.log == nil {
		return
	}
	summary := a.log.LogSummary
	summary.Receipts = a.summary.counts
	a.mu.Lock()
	a.summary.Log = &summary
	a.mu.Unlock()
	if summary.Answered > 0 && summary.Acknowledged > 0 {
		for id, request := range a.log.requests {
			if request == byGateway {
				a.found(Finding{Kind: AcknowledgedUnlogged, Request: id, Detail: "the gateway answered 200, and no function's line says what was kept"})
			}
		}
	}
	acknowledged := max(summary.Answered, summary.Acknowledged)
	if bounded := !a.From.IsZero() && !a.To.IsZero(); bounded && summary.Receipts > acknowledged {
		a.found(Finding{Kind: AcknowledgedTooFew, Detail: fmt.Sprintf(
			"%d callbacks have receipts, and %d were acknowledged: the log is not whole, or something else wrote receipts",
			summary.Receipts, acknowledged)})
	}
}

func (a *Audit) within(at time.Time) bool {
	return at.IsZero() || !at.Before(a.From.Add(-slack)) && (a.To.IsZero() || at.Before(a.To.Add(slack)))
}

// at returns the time of a line: RFC 3339, the common log format or
// milliseconds since 1970; zero where it has none of them.
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
