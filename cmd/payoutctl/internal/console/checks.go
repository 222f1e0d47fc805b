package console

import (
	"net/http"
	"slices"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

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
