package console

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// job is a command that the console runs.
type job struct {
	ID      string
	Line    string // as a person types it
	From    string // path of the page with its form
	Started time.Time
	Action  string
	Form    url.Values // of a plan

	action action
	cancel context.CancelFunc
	done   chan struct{}
	wrote  func() // called after each output

	mu         sync.Mutex
	output     bytes.Buffer
	code       int
	hasStopped bool // it was cancelled, or its time was over
}

// maxOutput bounds the output of a job. What follows is dropped, with a note.
const maxOutput = 1 << 20

// Write implements io.Writer for both streams of the command.
func (j *job) Write(text []byte) (int, error) {
	defer j.wrote()
	j.mu.Lock()
	defer j.mu.Unlock()
	switch left := maxOutput - j.output.Len(); {
	case left >= len(text):
		j.output.Write(text)
	case left > 0:
		j.output.Write(text[:left])
		j.output.WriteString("\n… The rest is not kept. Run the command in a terminal to see it.\n")
	}
	return len(text), nil
}

// Output returns what the command has printed so far.
func (j *job) Output() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.output.String()
}

// IsRunning reports whether the command has not ended.
func (j *job) IsRunning() bool {
	select {
	case <-j.done:
		return false
	default:
		return true
	}
}

// Code returns the exit code of a command that has ended.
func (j *job) Code() int {
	<-j.done
	return j.code
}

// Result returns what the exit code means.
func (j *job) Result() string {
	switch code := j.Code(); {
	case j.hasStopped:
		return "stopped before its end: what it did until then stays"
	case code == cli.ExitDone:
		return "done"
	case code == cli.ExitNo:
		return "ended with findings, or refused: the output says what"
	case code == cli.ExitUsage:
		return "not run: a value is missing or not valid"
	}
	return "failed: the stack, AWS or the network does not answer"
}

// IsPlan reports whether the command prints what it would change.
func (j *job) IsPlan() bool { return j.Form != nil }

// Summary counts the items of a plan by what becomes of them: 3 would-release, 1 still-held.
func (j *job) Summary() string {
	output, counts := "\n"+j.Output(), []string{}
	for _, outcome := range []string{"would-release", "would-dismiss", "would-resolve", "still-held", "skipped"} {
		if n := strings.Count(output, "\n"+outcome+" "); n > 0 {
			counts = append(counts, strconv.Itoa(n)+" "+outcome)
		}
	}
	return strings.Join(counts, ", ")
}

// CanConfirm reports whether the job is a plan that may be carried out, and changes
// something.
func (j *job) CanConfirm() bool {
	summary := j.Summary()
	return j.IsPlan() && !j.IsRunning() && (j.code == cli.ExitDone || j.action.effect == partial && j.code == cli.ExitNo) &&
		(summary == "" || strings.Contains(summary, "would-"))
}

// SelectsAgain reports whether the plan is about what matches when it is carried out.
func (j *job) SelectsAgain() bool { return j.action.operands+j.action.required == "" }

const (
	keptJobs   = 50 // besides older ones that have not ended
	jobTimeout = 15 * time.Minute
)

// jobs are the last commands of a console, the last first.
type jobs struct {
	ctx  context.Context //nolint:containedctx // of the console, which ends its commands
	mu   sync.Mutex
	last int
	list []*job // replaced, not changed
}

func (j *jobs) all() []*job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.list
}

// add adds a command, and gives it an id.
func (j *jobs) add(started *job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	started.ID = strconv.Itoa(j.last)
	j.list = append([]*job{started}, j.list...)
	for n := len(j.list) - 1; n >= keptJobs; n-- {
		if !j.list[n].IsRunning() {
			j.list = slices.Delete(j.list, n, n+1)
		}
	}
}

// latest returns the last command that is admitted, or nil.
func (j *jobs) latest(admits func(*job) bool) *job {
	all := j.all()
	if at := slices.IndexFunc(all, admits); at >= 0 {
		return all[at]
	}
	return nil
}

func (j *jobs) find(id string) *job { return j.latest(func(job *job) bool { return job.ID == id }) }

// job is the page of a command: its line, its output, and of a plan the confirmation.
func (c *Console) job(r *http.Request) (view, error) {
	job := c.jobs.find(r.PathValue("id"))
	if job == nil {
		return view{}, errNotFound
	}
	return view{template: "job.html", Title: "Command " + job.ID, Live: job.IsRunning(), Data: job}, nil
}

// check is the page of an action that checks the stack, with its last result.
func (c *Console) check(name, title string) page {
	return func(*http.Request) (view, error) {
		last := c.jobs.latest(func(job *job) bool { return job.Action == name })
		data := map[string]any{"IsAudit": name == "audit", "Timeout": jobTimeout, "Last": last}
		return view{template: "checks.html", Title: title, Live: last != nil && last.IsRunning(), Data: data}, nil
	}
}

// jobList is the page of the commands that the console has run.
func (c *Console) jobList(*http.Request) (view, error) {
	list := c.jobs.all()
	return view{template: "jobs.html", Title: "Commands", Live: slices.ContainsFunc(list, (*job).IsRunning), Data: list}, nil
}
