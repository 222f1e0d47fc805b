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
	Foreign      int64 `json:"foreign,omitempty"`      // lines of another kind: passed over
	Answered     int64 `json:"answered,omitempty"`     // of the gateway: callbacks answered 200
	Acknowledged int64 `json:"acknowledged,omitempty"` // of the functions: callbacks acknowledged
	Receipts     int64 `json:"receipts"`               // that stand for a callback accepted in the window
}

// maxLine bounds a line of a log: CloudWatch's own bound on an event is 1 MiB.
const maxLine = 1 << 20

// slack is how far apart a receipt's time and its log lines' may be.
const slack = time.Minute

// callbackRoutes is how the route keys of callbacks begin.
const callbackRoutes = http.MethodPost + " /callbacks/"

// log is what is kept of logs until both sides of a request were read.
type log struct {
	LogSummary

	// open are the requests of which one side was read: true where the gateway
	// answered 200, false where a function acknowledged.
	open map[string]bool
}

// line is a line of the gateway's access log or of a function's own log.
type line struct {
	RouteKey    string          `json:"routeKey"`
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
// weighed by Run: call it afterwards. An id is kept of each request until both
// of its lines were read.
func (a *Audit) ReadLog(ctx context.Context, r io.Reader) error {
	if a.log == nil {
		a.log = &log{open: map[string]bool{}}
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
		var one line
		if json.Unmarshal(text, &one) != nil || !a.readLine(work, one) {
			a.log.Foreign++
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

// readLine reports whether the line is one that says something about a callback
// in the window.
func (a *Audit) readLine(work *pool, one line) bool {
	switch {
	case !a.within(one.at()):
		return true
	case one.RouteKey != "":
		if strings.HasPrefix(one.RouteKey, callbackRoutes) && string(bytes.Trim(one.Status, `"`)) == strconv.Itoa(http.StatusOK) {
			a.log.Answered++
			a.log.pair(one.Integration, true)
		}
		return true
	case one.Message+one.Msg != "callback":
		return false
	case one.Accepted == "":
		return true // refused, or not kept: nothing was promised
	}
	a.log.Acknowledged++
	a.log.pair(one.Function, false)
	work.do(func() error { return a.acknowledged(work.ctx, one) })
	return true
}

// pair notes one side of a request, and forgets it once it has the other.
func (l *log) pair(id string, answered bool) {
	if id == "" {
		return
	}
	if side, open := l.open[id]; open && side != answered {
		delete(l.open, id)
		return
	}
	l.open[id] = answered
}

func (a *Audit) acknowledged(ctx context.Context, one line) error {
	key := inbox.Key{Payout: one.Payout, Receipt: one.Receipt}
	_, there, err := a.Source.Receipt(ctx, key)
	switch {
	case errors.Is(err, inbox.ErrDamaged):
		return nil
	case err != nil:
		return err
	case !there:
		finding := about(AcknowledgedLost, key, "acknowledged, and there is no such receipt")
		if one.Accepted == string(inbox.ByQueue) {
			finding.Detail = "acknowledged by the queue only, and not recorded yet: look at the queue and the dead letters"
		}
		finding.Request = one.Function
		a.found(finding)
	}
	return nil
}

// reckonLog weighs what the logs say together, once the receipts are counted.
func (a *Audit) reckonLog() {
	if a.log == nil {
		return
	}
	summary := a.log.LogSummary
	summary.Receipts = a.summary.told
	a.mu.Lock()
	a.summary.Log = &summary
	a.mu.Unlock()
	if summary.Answered > 0 && summary.Acknowledged > 0 {
		for id, answered := range a.log.open {
			if answered {
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
