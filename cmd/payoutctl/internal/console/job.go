package console

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"regexp"
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
	Started time.Time
	Action  string
	Form    url.Values // of a plan

	action action
	cancel context.CancelFunc
	done   chan struct{}
	wrote  func() // called after each output

	mu     sync.Mutex
	output bytes.Buffer
	code   int
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
	switch j.Code() {
	case cli.ExitDone:
		return "done"
	case cli.ExitNo:
		return "ended with a negative result: not found, findings, or an unexpected answer"
	case cli.ExitUsage:
		return "not run: the command line is not valid"
	}
	return "failed: the stack does not exist, or AWS or the network failed, or it was cancelled"
}

// IsPlan reports whether the command prints what it would change.
func (j *job) IsPlan() bool { return j.Form != nil }

// outcome matches a line of a plan that states what becomes of an item.
var outcome = regexp.MustCompile(`(?m)^(would-[a-z]+|still-held|skipped|missing|dismissed) `)

// Summary counts the items of a plan by what becomes of them: 3 would-release, 1 still-held.
func (j *job) Summary() string {
	counts := map[string]int{}
	for _, word := range outcome.FindAllString(j.Output(), -1) {
		counts[strings.TrimSpace(word)]++
	}
	var parts []string
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, strconv.Itoa(counts[word])+" "+word)
	}
	slices.Reverse(parts) // what changes is first
	return strings.Join(parts, ", ")
}

// CanConfirm reports whether the job is a plan that may be carried out.
func (j *job) CanConfirm() bool {
	return j.IsPlan() && !j.IsRunning() && (j.code == cli.ExitDone || j.action.effect == partial && j.code == cli.ExitNo)
}

const (
	keptJobs   = 50
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
	j.list = append([]*job{started}, j.list[:min(len(j.list), keptJobs-1)]...)
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
		return view{template: "checks.html", Title: title, Live: last != nil && last.IsRunning(), Data: map[string]any{
			"IsAudit": name == "audit", "Providers": cli.ProviderNames(), "Day": c.now().UTC().AddDate(0, 0, -1).Format(time.DateOnly),
			"Timeout": jobTimeout, "Last": last,
		}}, nil
	}
}

// jobList is the page of the commands that the console has run.
func (c *Console) jobList(*http.Request) (view, error) {
	list := c.jobs.all()
	return view{template: "jobs.html", Title: "Commands", Live: slices.ContainsFunc(list, (*job).IsRunning), Data: list}, nil
}
