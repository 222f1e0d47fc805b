package console

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// action is a command of payoutctl that forms offer, at POST /actions/<name>. Values of
// a form become --flag=value or follow --, so that none is parsed as a flag.
type action struct {
	// line returns the arguments for a form, or an error of cli.Usagef.
	line func(form url.Values) ([]string, error)
	// changes is set if the command changes the stack. It is not mounted on a deployed stack.
	changes bool
	// isPlanned is set if the command has --dry-run: it runs with it first, and the page of
	// the plan asks for the reason and a confirmation.
	isPlanned bool
}

// actions returns the actions by their names.
func (c *Console) actions() map[string]action {
	return map[string]action{}
}

func (c *Console) addActions(mux *http.ServeMux) {
	for name, a := range c.actions() {
		if a.changes && c.isReadOnly() {
			continue
		}
		mux.HandleFunc("POST /actions/"+name, func(w http.ResponseWriter, r *http.Request) { c.act(w, r, name, a) })
	}
	mux.HandleFunc("POST /jobs/{id}/cancel", func(w http.ResponseWriter, r *http.Request) {
		if job := c.jobs.find(r.PathValue("id")); job != nil {
			job.cancel()
		}
		http.Redirect(w, r, localPath("/jobs/"+r.PathValue("id")), http.StatusSeeOther)
	})
}

// maxForm bounds a form, with a body of a callback in it.
const maxForm = 1 << 20

// quick is how long an action may take to be shown without an intermediate page.
const quick = 2 * time.Second

// act starts the command of a form and redirects to its page.
func (c *Console) act(w http.ResponseWriter, r *http.Request, name string, a action) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		c.fail(w, r, http.StatusRequestEntityTooLarge, "The form is not valid", fmt.Sprintf("It may have %d bytes: %v.", maxForm, err))
		return
	}
	line, err := a.line(r.PostForm)
	if err != nil {
		c.failWith(w, r, err)
		return
	}
	stack, err := c.stack(r.Context())
	if err != nil {
		c.failWith(w, r, err)
		return
	}
	isPlan := a.isPlanned && r.PostForm.Get("confirmed") == ""
	line = appendFlags(line, a, isPlan, r.PostForm.Get("reason"))
	started := &job{Line: c.commandLine(line)}
	if isPlan {
		started.Action, started.Form = name, r.PostForm
	}
	c.jobs.start(c, stack, started, line)
	select {
	case <-started.done:
	case <-time.After(quick):
	case <-r.Context().Done():
	}
	http.Redirect(w, r, "/jobs/"+started.ID, http.StatusSeeOther)
}

// appendFlags adds --dry-run or the reason in front of the arguments behind --.
func appendFlags(line []string, a action, isPlan bool, reason string) []string {
	var flags []string
	switch {
	case isPlan:
		flags = []string{"--dry-run"}
	case a.changes && reason != "":
		flags = []string{"--reason=" + reason}
	}
	end := slices.Index(line, "--")
	if end < 0 {
		end = len(line)
	}
	return slices.Concat(line[:end], flags, line[end:])
}

// job is a command that the console runs.
type job struct {
	ID      string
	Line    string // as a person types it
	Started time.Time
	Action  string     // of a plan: the action that it is of
	Form    url.Values // of a plan

	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	output bytes.Buffer
	code   int
}

// maxOutput bounds the output of a job. What follows is dropped, with a note.
const maxOutput = 1 << 20

// Write implements io.Writer for both streams of the command.
func (j *job) Write(text []byte) (int, error) {
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

// CanConfirm reports whether the job is a plan that may be carried out.
func (j *job) CanConfirm() bool { return j.Action != "" && !j.IsRunning() && j.code == cli.ExitDone }

const (
	keptJobs   = 50
	jobTimeout = 15 * time.Minute
)

// jobs are the last commands of a console.
type jobs struct {
	ctx  context.Context
	mu   sync.Mutex
	last int
	list []*job
}

func (j *jobs) find(id string) *job {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, job := range j.list {
		if job.ID == id {
			return job
		}
	}
	return nil
}

// start runs a command line of payoutctl in the background.
func (j *jobs) start(c *Console, stack cli.Stack, started *job, args []string) {
	program := strings.Fields(c.session.Program())
	ctx, cancel := context.WithTimeout(j.ctx, jobTimeout)
	started.Started, started.cancel, started.done = c.now(), cancel, make(chan struct{})
	j.mu.Lock()
	j.last++
	started.ID = strconv.Itoa(j.last)
	j.list = append(j.list[max(0, len(j.list)-keptJobs+1):], started)
	j.mu.Unlock()
	session := &cli.Session{
		Streams: cli.Streams{Stdin: strings.NewReader(""), Stdout: started, Stderr: started},
		Env:     c.session.Env, Now: c.session.Now, RunLine: c.session.RunLine, Opened: &stack,
	}
	go func() {
		defer cancel()
		started.code = c.session.RunLine(ctx, session, slices.Concat(program[1:], args))
		close(started.done)
		c.hub.announce()
	}()
}

// commandLine returns a command line of payoutctl for this stack as a person types it.
func (c *Console) commandLine(args []string) string {
	quoted := []string{c.session.Program()}
	for _, arg := range args {
		quoted = append(quoted, cli.Quote(arg))
	}
	return strings.Join(quoted, " ")
}

// job is the page of a command: its line, its output, and of a plan the confirmation.
func (c *Console) job(r *http.Request) (view, error) {
	job := c.jobs.find(r.PathValue("id"))
	if job == nil {
		return view{}, errNotFound
	}
	return view{template: "job.html", Title: "Command " + job.ID, Live: job.IsRunning(), Data: job}, nil
}
