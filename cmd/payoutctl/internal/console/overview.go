package console

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/find"
	"payout-callbacks/cmd/payoutctl/internal/prove"
	"payout-callbacks/pkg/aws/dynamostore"
)

const (
	localSpan   = 10 * time.Minute // of the numbers of callbacks
	intervals   = 60
	maxCounted  = 1000 // of what an index counts
	recentShown = 8
)

// overviewPage is the data of templates/overview.html.
type overviewPage struct {
	Span      string
	Callbacks int
	Verdicts  []count
	Published int
	Counts    dynamostore.Counts
	Limit     int
	Queue     prove.QueueDepth
	Dead      prove.QueueDepth
	Statuses  []count // of the local stack
	Recent    []dynamostore.Stored
	IsCut     bool
	Problems  []string // what could not be read

	Sparklines []sparkline
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
	page overviewPage
}

// refreshPause is how long the overview is kept, of the local and of a deployed stack.
var refreshPause = map[bool]time.Duration{true: time.Second, false: 15 * time.Second}

func (c *Console) overview(r *http.Request, stack cli.Stack) (view, error) {
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	if time.Since(c.cache.at) >= refreshPause[stack.Local] {
		page := c.readOverview(r.Context(), stack)
		if r.Context().Err() != nil {
			return view{}, r.Context().Err()
		}
		c.cache.at, c.cache.page = time.Now(), page
	}
	return view{template: "overview.html", Title: "Overview", Live: true, Data: c.cache.page}, nil
}

// readOverview reads the parts of the overview at the same time. A part that fails is
// named; the others are shown.
func (c *Console) readOverview(ctx context.Context, stack cli.Stack) overviewPage {
	page := overviewPage{Limit: maxCounted}
	var mu sync.Mutex // guards page.Problems; each part has its own other fields
	var group sync.WaitGroup
	read := func(part string, read func() error) {
		group.Go(func() {
			if err := read(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				page.Problems = append(page.Problems, part+": "+cli.AsExitError(err).Error())
			}
		})
	}
	read("indexes", func() (err error) {
		page.Counts, err = stack.Reader().Counts(ctx, maxCounted)
		return err
	})
	read("queue", func() (err error) {
		page.Queue, err = prove.MeasureQueue(ctx, stack, stack.EventsQueueURL)
		return err
	})
	read("dead-letter queue", func() (err error) {
		page.Dead, err = prove.MeasureQueue(ctx, stack, stack.DeadLetterQueueURL)
		return err
	})
	if stack.Local {
		read("payouts", func() error {
			last, err := c.readTable(ctx, stack)
			if err == nil {
				page.setPayouts(last)
			}
			return err
		})
		read("logs of the callbacks", func() error {
			shown, err := c.activity(ctx, stack, localSpan, intervals)
			if err == nil {
				page.setActivity(shown, localSpan, "Median time from acceptance to application")
			}
			return err
		})
		read("log of the publisher", func() (err error) {
			page.Published, err = readPublished(ctx, stack, c.now().Add(-localSpan))
			return err
		})
	} else {
		read("metrics", func() error {
			shown, published, err := readMetrics(ctx, stack, c.now(), intervals)
			if err == nil {
				page.setActivity(shown, intervals*metricPeriod, "Age of the oldest receipt that was not applied")
			}
			page.Published = published
			return err
		})
	}
	group.Wait()
	slices.Sort(page.Problems)
	return page
}

func (p *overviewPage) setActivity(shown activity, span time.Duration, latency string) {
	p.Span = cli.FormatAge(span)
	for _, verdict := range verdicts() {
		p.Verdicts = append(p.Verdicts, count{Name: verdict, Class: verdictClass(verdict), N: shown.Verdicts[verdict]})
	}
	for _, n := range shown.Callbacks {
		p.Callbacks += n
	}
	interval := cli.FormatAge(span / time.Duration(len(shown.Callbacks)))
	p.Sparklines = []sparkline{
		newSparkline("Callbacks in each "+interval, shown.Callbacks, strconv.Itoa),
		newSparkline(latency+", in each "+interval, shown.Latencies, func(n int) string { return (time.Duration(n) * time.Millisecond).String() }),
	}
}

func (p *overviewPage) setPayouts(last *tableCopy) {
	for _, status := range find.Statuses {
		if n := last.ByStatus[status]; n > 0 {
			p.Statuses = append(p.Statuses, count{Name: string(status), Class: statusClass(status), Path: "/payouts?status=" + string(status), N: n})
		}
	}
	if n := last.ByStatus[""]; n > 0 {
		p.Statuses = append(p.Statuses, count{Name: "damaged", Class: "bad", Path: "/payouts", N: n})
	}
	p.Recent, p.IsCut = last.Rows[:min(len(last.Rows), recentShown)], last.IsCut
}

// Attention returns what needs a person.
func (p overviewPage) Attention() []count {
	all := []count{
		{Name: "held callbacks", Path: "/held", N: p.Counts.Held}, {Name: "payouts in conflict", Path: "/conflicts", N: p.Counts.Conflicted},
		{Name: "overdue payouts", Path: "/overdue", N: p.Counts.Overdue}, {Name: "dead-letter messages", Path: "/dead-letters"},
	}
	if p.Dead.Waiting != nil {
		all[3].N = int(*p.Dead.Waiting)
	}
	for n := range all {
		all[n].Class = map[bool]string{true: "good", false: "bad"}[all[n].N == 0]
	}
	return all
}

// readPublished returns the number of notifications that the publisher of the local
// stack published since a time.
func readPublished(ctx context.Context, stack cli.Stack, since time.Time) (int, error) {
	events, err := readLog(ctx, stack, logQuery{Group: logGroupName(stack, "publisher"), Text: `"publish"`, Since: since.UnixMilli(), Limit: logPage})
	published := 0
	for _, event := range events {
		var line struct {
			Published int `json:"Published"`
		}
		if json.Unmarshal([]byte(event.Message), &line) == nil {
			published += line.Published
		}
	}
	return published, err
}

// sparkline is a picture of a number over time, with its text alternative.
type sparkline struct {
	Title, Text string
	Width       int
	Bars        []bar
}

type bar struct{ X, Y, Height int }

// Sizes of a sparkline.
const (
	barWidth   = 5
	lineHeight = 48
)

// newSparkline draws a number for each interval, the oldest first.
func newSparkline(title string, values []int, format func(int) string) sparkline {
	most := max(1, slices.Max(values))
	line := sparkline{Title: title, Width: len(values) * barWidth}
	line.Text = "most " + format(slices.Max(values)) + ", last " + format(values[len(values)-1])
	for n, value := range values {
		if value > 0 {
			height := max(2, value*lineHeight/most)
			line.Bars = append(line.Bars, bar{X: n * barWidth, Y: lineHeight - height, Height: height})
		}
	}
	return line
}
