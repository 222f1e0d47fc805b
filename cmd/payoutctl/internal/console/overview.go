package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/find"
	"payout-callbacks/cmd/payoutctl/internal/prove"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/lambda/telemetry"
)

const (
	maxCounted  = 1000 // of what an index counts
	recentShown = 8
	intervals   = 60 // of an activity
)

// overviewPage is the data of templates/overview.html.
type overviewPage struct {
	Activity *activity           // nil if it cannot be read
	Counts   *dynamostore.Counts // nil if they cannot be read
	Limit    int
	Queue    prove.QueueDepth
	Dead     prove.QueueDepth
	Payouts  *tableCopy // nil if it cannot be read, and of a deployed stack

	reading  sync.WaitGroup
	mu       sync.Mutex // guards Problems
	Problems []string   // what cannot be read
}

// count is a number with its name, and the page that lists what it counts.
type count struct {
	Name, Class, Path string
	N                 int
}

// overviewCache keeps what the overview shows, so that open pages share the reading.
type overviewCache struct {
	mu   sync.Mutex
	at   time.Time
	page *overviewPage
}

// refreshPause is how long the overview is kept, of the local and of a deployed stack.
var refreshPause = map[bool]time.Duration{true: time.Second, false: 15 * time.Second}

func (c *Console) overview(r *http.Request, stack cli.Stack) (view, error) {
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	if time.Since(c.cache.at) >= refreshPause[stack.Local] {
		c.cache.page = c.readOverview(r.Context(), stack)
		if r.Context().Err() == nil { // otherwise the next page reads it again
			c.cache.at = time.Now()
		}
	}
	return view{template: "overview.html", Title: "Overview", Live: true, Data: c.cache.page}, nil
}

// readOverview reads the parts of the overview at the same time. A part that fails is
// named; the others are shown.
func (c *Console) readOverview(ctx context.Context, stack cli.Stack) *overviewPage {
	page := &overviewPage{Limit: maxCounted}
	readPart(page, "indexes", &page.Counts, func() (*dynamostore.Counts, error) {
		counts, err := stack.Reader().Counts(ctx, maxCounted)
		return &counts, err
	})
	readPart(page, "queue", &page.Queue, func() (prove.QueueDepth, error) { return prove.MeasureQueue(ctx, stack, stack.EventsQueueURL) })
	readPart(page, "dead-letter queue", &page.Dead, func() (prove.QueueDepth, error) { return prove.MeasureQueue(ctx, stack, stack.DeadLetterQueueURL) })
	if stack.Local {
		readPart(page, "payouts", &page.Payouts, func() (*tableCopy, error) { return c.readTable(ctx, stack) })
		readPart(page, "logs of the functions", &page.Activity, func() (*activity, error) { return c.readActivity(ctx, stack) })
	} else {
		readPart(page, "metrics", &page.Activity, func() (*activity, error) { return readMetrics(ctx, stack, c.session.Now()) })
	}
	page.reading.Wait()
	slices.Sort(page.Problems)
	return page
}

// readPart begins to read a part of the page. A part that fails stays empty.
func readPart[T any](p *overviewPage, name string, part *T, read func() (T, error)) {
	p.reading.Go(func() {
		value, err := read()
		if err == nil {
			*part = value
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.Problems = append(p.Problems, name+": "+cli.AsExitError(err).Error())
	})
}

// Attention returns what needs a person, as far as it can be read.
func (p *overviewPage) Attention() (counts []count) {
	if n := p.Counts; n != nil {
		counts = []count{{Name: "held", Path: "/held", N: n.Held}, {Name: "in conflict", Path: "/conflicts", N: n.Conflicted},
			{Name: "overdue", Path: "/overdue", N: n.Overdue}}
	}
	if n := p.Dead.Waiting; n != nil {
		counts = append(counts, count{Name: "in the dead-letter queue", Path: "/dead-letters", N: int(*n)})
	}
	return counts
}

// Statuses returns the number of payouts with each status.
func (t *tableCopy) Statuses() []count {
	counts := []count{{Name: "damaged", Class: "bad", Path: "/payouts", N: t.ByStatus[""]}}
	for _, status := range find.Statuses {
		counts = append(counts, count{Name: string(status), Class: statusClass(status), Path: "/payouts?status=" + string(status), N: t.ByStatus[status]})
	}
	return slices.DeleteFunc(counts, func(c count) bool { return c.N == 0 })
}

// Recent returns the payouts that were updated last.
func (t *tableCopy) Recent() []dynamostore.Stored { return t.Rows[:min(len(t.Rows), recentShown)] }

// The names of the numbers of an activity, besides the verdicts.
const (
	answered  = "callbacks"
	published = "published" // notifications
	latency   = "latency"   // the longest from acceptance to application, in milliseconds
)

// activity is what happened until now: numbers for each interval, the oldest first.
type activity struct {
	begin    time.Time
	interval time.Duration
	numbers  map[string][]int
}

func newActivity(now time.Time, interval time.Duration) *activity {
	numbers := map[string][]int{answered: make([]int, intervals), latency: make([]int, intervals)}
	return &activity{begin: now.Truncate(interval).Add(-(intervals - 1) * interval), interval: interval, numbers: numbers}
}

// number returns a number of the interval of a time, for a change. Outside the intervals a
// change has no effect.
func (a *activity) number(name string, at time.Time) *int {
	interval := int(at.Sub(a.begin) / a.interval)
	if at.Before(a.begin) || interval >= intervals {
		return new(int)
	}
	if a.numbers[name] == nil {
		a.numbers[name] = make([]int, intervals)
	}
	return &a.numbers[name][interval]
}

// readActivity returns the activity of the local stack, from the logs of its functions.
func (c *Console) readActivity(ctx context.Context, stack cli.Stack) (*activity, error) {
	logs, err := c.readLogs(ctx, stack)
	if err != nil {
		return nil, err
	}
	a := newActivity(c.session.Now(), 10*time.Second)
	for _, line := range logs.callbacks() {
		*a.number(answered, line.At)++
		*a.number(line.Verdict(), line.At)++
		longest := a.number(latency, line.At)
		*longest = max(*longest, int(line.Latency.Milliseconds()))
	}
	for _, line := range logs["publisher"] {
		*a.number(published, line.At) += line.Published
	}
	return a, nil
}

// readMetrics returns the activity of a deployed stack, from its metrics, which are complete
// after a few minutes. CloudWatch keeps those of a minute for 15 days.
func readMetrics(ctx context.Context, stack cli.Stack, now time.Time) (*activity, error) {
	a := newActivity(now, time.Minute)
	var queries []types.MetricDataQuery
	for id, metric := range map[string]telemetry.Metric{
		answered: telemetry.Callbacks, telemetry.VerdictAccepted: telemetry.Acknowledged, telemetry.VerdictDuplicate: telemetry.Duplicates,
		telemetry.VerdictHeld: telemetry.Held, telemetry.VerdictRefused: telemetry.Refused, telemetry.VerdictUnavailable: telemetry.Unavailable,
		published: telemetry.Published, latency: telemetry.ApplyLatency,
	} {
		statistic := types.StatisticSum
		if id == latency {
			statistic = types.StatisticMaximum
		}
		queries = append(queries, types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("PayoutCallbacks/" + stack.Name), MetricName: &metric.Name},
			Period: aws.Int32(int32(a.interval.Seconds())), Stat: aws.String(string(statistic)),
		}})
	}
	out, err := cloudwatch.NewFromConfig(stack.AWS).GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		MetricDataQueries: queries, StartTime: &a.begin, EndTime: aws.Time(now.Add(a.interval)),
	})
	if err != nil {
		return nil, err
	}
	for _, result := range out.MetricDataResults {
		id := aws.ToString(result.Id)
		for n, at := range result.Timestamps {
			value := int(result.Values[n])
			if id == telemetry.VerdictHeld { // which Acknowledged includes
				*a.number(telemetry.VerdictAccepted, at) -= value
			}
			*a.number(id, at) += value
		}
	}
	return a, nil
}

// Span returns the time that the numbers are of.
func (a *activity) Span() string { return cli.FormatAge(intervals * a.interval) }

// Total returns the sum of a number.
func (a *activity) Total(name string) (total int) {
	for _, n := range a.numbers[name] {
		total += n
	}
	return max(0, total) // of accepted callbacks: a held answer to a query is not acknowledged
}

// Verdicts returns the numbers of callbacks by verdict.
func (a *activity) Verdicts() []count { return countVerdicts(a.Total) }

// Sparklines returns pictures of the activity.
func (a *activity) Sparklines() []sparkline {
	interval := cli.FormatAge(a.interval)
	milliseconds := func(n int) string {
		if n == 0 {
			return "none"
		}
		return (time.Duration(n) * time.Millisecond).String()
	}
	return []sparkline{
		newSparkline("Callbacks in each "+interval, a.numbers[answered], strconv.Itoa),
		newSparkline("Longest time from acceptance to application, in each "+interval, a.numbers[latency], milliseconds),
	}
}

// sparkline is a picture of a number over time, with its text alternative. Bars is an SVG
// path in a box of 300 times 48.
type sparkline struct{ Title, Text, Bars string }

func newSparkline(title string, values []int, format func(int) string) sparkline {
	most := slices.Max(values)
	var bars strings.Builder
	for n, value := range values {
		if value > 0 {
			height := max(2, value*48/most)
			fmt.Fprintf(&bars, "M%d 48v-%dh4v%dz", n*300/intervals, height, height)
		}
	}
	return sparkline{Title: title, Text: "most " + format(most) + ", last " + format(values[len(values)-1]), Bars: bars.String()}
}
