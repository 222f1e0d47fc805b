package prove

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// doctorCommand looks at a stack as a whole.
type Doctor struct {
	OldKeyDays int `help:"Warn of previous keys that are older than this many days." default:"14" placeholder:"N"`
}

// Help gives examples.
func (Doctor) Help() string {
	return `Looks at what has to be right around the application: keys, URL, clock, queues, consumer, sweeper, alarms and who is told
of them, and what waits for a person. Each check is ok, warn, fail or cannot tell, with what to do next. Nothing is
changed and nothing stored: each provider's URL is sent one callback without a proof, which must be refused (and is
counted as refused: on a stack that acknowledged nothing in six hours that sets off the alarm PROVIDER-refused-six-hours).

Examples:

	payoutctl --stack payouts-prod doctor
	payoutctl --stack payouts-prod doctor --json

Needs, for all of its checks, read permissions on what the other commands use, and cloudwatch:DescribeAlarms,
cloudwatch:GetMetricStatistics, sns:ListSubscriptionsByTopic, sts:GetCallerIdentity, lambda:GetEventSourceMapping, lambda:ListTags,
scheduler:GetSchedule and sqs:GetQueueAttributes; each one that is missing is named. Whether your identity may change
things is not tried. Exit code 1 where a check fails.`
}

// health is what a check found.
type health string

const (
	healthy health = "ok"
	warn    health = "warn"
	failing health = "fail"
	unknown health = "cannot tell"
)

// finding is the result of one check.
type finding struct {
	Check  string `json:"check"`
	Health health `json:"health"`
	Detail string `json:"detail"`
	Next   string `json:"next,omitzero"` // what to do about it
}

func ok(format string, args ...any) finding {
	return finding{Health: healthy, Detail: fmt.Sprintf(format, args...)}
}

func bad(is health, next, format string, args ...any) finding {
	return finding{Health: is, Next: next, Detail: fmt.Sprintf(format, args...)}
}

// check is one thing to look at. An error is a finding, too.
type check struct {
	name string
	look func(ctx context.Context) (finding, error)
}

// checkTimeout bounds one check, so that one service that hangs does not hide
// what the others say.
const checkTimeout = 15 * time.Second

// Run looks at everything at once, and tells it in order.
func (c *Doctor) Run(ctx context.Context, s *cli.Session) error {
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	d := &doctor{Session: s, stack: stack, oldKey: time.Duration(c.OldKeyDays) * 24 * time.Hour}
	findings := runChecks(ctx, d.checks())
	if err := printFindings(s, findings); err != nil {
		return err
	}
	failed := slices.DeleteFunc(slices.Clone(findings), func(f finding) bool { return f.Health != failing })
	if len(failed) > 0 {
		return cli.Negativef("", "%s", cli.Count(len(failed), "failed check"))
	}
	return nil
}

func runChecks(ctx context.Context, checks []check) []finding {
	findings := make([]finding, len(checks))
	var running sync.WaitGroup
	for n, c := range checks {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			f, err := c.look(ctx)
			if err != nil {
				f = unknownStatus(err)
			}
			f.Check = c.name
			findings[n] = f
		})
	}
	running.Wait()
	return findings
}

// cannotTell is what an error means to a check: nobody knows, and what is
// missing to know.
func unknownStatus(err error) finding {
	if errors.Is(err, context.DeadlineExceeded) {
		return finding{Health: unknown, Detail: "no answer within " + checkTimeout.String(), Next: "is the network, or the service, down?"}
	}
	known := cli.AsProblem(err)
	return finding{Health: unknown, Detail: cli.Clean(known.Error()), Next: known.Hint}
}

func printFindings(s *cli.Session, findings []finding) error {
	if s.Flags.JSON {
		for _, f := range findings {
			if err := s.PrintJSON(f); err != nil {
				return err
			}
		}
		return nil
	}
	rows := cli.Table{Style: s.Style()}
	colours := map[health]string{healthy: cli.Green, warn: cli.Yellow, failing: cli.Red, unknown: cli.Yellow}
	for _, item := range findings {
		rows.Add(cli.Cell{Text: string(item.Health), Colour: colours[item.Health]}, cli.Cell{Text: item.Check}, cli.Cell{Text: item.Detail})
		if item.Next != "" && item.Health != healthy {
			rows.Add(cli.Cells("", "", "→ "+item.Next)...)
		}
	}
	return s.Print(rows.String())
}

// doctor knows the stack that is looked at.
type doctor struct {
	*cli.Session

	stack  cli.Stack
	oldKey time.Duration
}

func (d *doctor) checks() []check {
	checks := []check{{"who asks", d.identity}, {"clock", d.clock}}
	for _, provider := range cli.ProviderNames() {
		checks = append(checks,
			check{"keys of " + provider, func(ctx context.Context) (finding, error) { return d.keys(ctx, provider) }},
			check{"URL of " + provider, func(ctx context.Context) (finding, error) { return d.url(ctx, provider, d.stack.APIURL) }})
		if next := d.stack.NextAPIURL; next != "" {
			checks = append(checks, check{"next URL of " + provider, func(ctx context.Context) (finding, error) { return d.url(ctx, provider, next) }})
		}
	}
	checks = append(checks, check{"consumer", d.part("consumer")}, check{"sweeper", d.part("sweeper")}, check{"last sweep", d.lastSweep})
	if d.stack.Outputs[cli.OutputPublisher] != "" {
		checks = append(checks, check{"publisher", d.part("publisher")})
	}
	return append(checks,
		check{"events queue", d.queue(d.stack.EventsQueueURL, d.backlog)},
		check{"dead letters", d.queue(d.stack.DeadLetterQueueURL, d.deadLetters)},
		check{"not applied", d.unapplied}, check{"held", d.held}, check{"conflicted", d.conflicted},
		check{"alarms", d.alarms}, check{"alarms reach", d.subscribers})
}

// part says whether a part of the stack runs.
func (d *doctor) part(name string) func(context.Context) (finding, error) {
	return func(ctx context.Context) (finding, error) {
		it, err := d.stack.Part(name)
		if err != nil {
			return finding{}, err
		}
		on, note, err := it.State(ctx)
		switch {
		case err != nil:
			return finding{}, err
		case !on:
			return d.paused(ctx, it, name, note), nil
		}
		return ok("runs"), nil
	}
}

// paused tells why, where that was recorded: a person may have meant it.
func (d *doctor) paused(ctx context.Context, it cli.Part, name, state string) finding {
	next := "somebody may mean it: ask first, then: " + d.Program() + " resume " + name + " --reason TEXT"
	line, err := cli.PauseReason(ctx, it, name)
	switch {
	case err != nil:
		return bad(failing, next, "paused: its state is %s; why cannot be read: %s", strings.ToLower(state), cli.Clean(cli.AsProblem(err).Error()))
	case line == "":
		return bad(failing, next, "paused: its state is %s, and no reason is recorded", strings.ToLower(state))
	}
	return bad(failing, next, "paused since %s", cli.Clean(line))
}
