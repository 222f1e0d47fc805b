package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/ops/keyring"
)

// Doctor checks a stack as a whole.
type Doctor struct {
	OldKeyDays int `help:"Warn of rotations that are older than this many days." default:"14" placeholder:"N"`
}

// Help gives examples.
func (Doctor) Help() string {
	return `Checks the deployment: keys, URLs, clock, queues, consumer, sweeper, reconciler, the providers' APIs (asked through the
reconciler), alarms and their subscribers, and what needs an operator. The result of each check is ok, warn, fail or unknown, with the next step. The command changes and stores
nothing. It sends each provider's URL one unsigned callback, which must be refused (it counts as refused: on a stack
that acknowledged nothing in six hours it triggers the alarm PROVIDER-refused-six-hours).

	payoutctl --stack payouts-prod doctor
	payoutctl --stack payouts-prod doctor --json

Needs, for all of its checks, read permissions on what the other commands use, and cloudwatch:DescribeAlarms,
cloudwatch:GetMetricStatistics, sns:ListSubscriptionsByTopic, sts:GetCallerIdentity, lambda:GetEventSourceMapping, lambda:ListTags, lambda:InvokeFunction on the reconciler,
scheduler:GetSchedule and sqs:GetQueueAttributes; a missing permission is named. The command does not try
whether your identity may make changes. Exit code 1 if a check fails.`
}

// health is the status of a check.
type health string

const (
	healthy health = "ok"
	warn    health = "warn"
	failing health = "fail"
	unknown health = "unknown"
)

// finding is the result of one check.
type finding struct {
	Check  string `json:"check"`
	Health health `json:"health"`
	Detail string `json:"detail"`
	Next   string `json:"next,omitzero"` // what to do next
}

func ok(format string, args ...any) finding {
	return finding{Health: healthy, Detail: fmt.Sprintf(format, args...)}
}

func bad(is health, next, format string, args ...any) finding {
	return finding{Health: is, Next: next, Detail: fmt.Sprintf(format, args...)}
}

// check is one check. An error becomes a finding as well.
type check struct {
	name string
	run  func(ctx context.Context) (finding, error)
}

// checkTimeout bounds each check, so that a service that hangs does not hide the
// results of the others.
const checkTimeout = 15 * time.Second

// Run runs all checks concurrently and prints the results in order.
func (c *Doctor) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	d := &doctor{Session: s, stack: stack, oldKey: time.Duration(c.OldKeyDays) * 24 * time.Hour}
	findings := runChecks(ctx, d.checks(ctx))
	if err := cli.PrintList(s, nil, findings, addFinding, func(f finding) any { return f }); err != nil {
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
			f, err := c.run(ctx)
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

// unknownStatus returns the finding for a check that ended with an error.
func unknownStatus(err error) finding {
	if errors.Is(err, context.DeadlineExceeded) {
		return finding{Health: unknown, Detail: "no answer within " + checkTimeout.String(), Next: "check the network and the health of the service"}
	}
	known := cli.AsExitError(err)
	return finding{Health: unknown, Detail: known.Error(), Next: known.Hint}
}

func addFinding(t *cli.Table, f finding) {
	colours := map[health]string{healthy: cli.Green, warn: cli.Yellow, failing: cli.Red, unknown: cli.Yellow}
	t.Add(cli.Cell{Text: string(f.Health), Colour: colours[f.Health]}, cli.Cell{Text: f.Check}, cli.Cell{Text: f.Detail})
	if f.Next != "" && f.Health != healthy {
		t.AddTexts("", "", "→ "+f.Next)
	}
}

// doctor holds the stack to check.
type doctor struct {
	*cli.Session

	stack  cli.Stack
	oldKey time.Duration
}

func (d *doctor) checks(ctx context.Context) []check {
	checks := []check{{"identity", d.identity}, {"clock", d.clock}}
	for _, provider := range cli.ProviderNames() {
		checks = append(checks,
			check{"keys of " + string(provider), func(ctx context.Context) (finding, error) { return d.keys(ctx, provider) }},
			check{"URL of " + string(provider), func(ctx context.Context) (finding, error) { return d.url(ctx, provider, d.stack.APIURL) }})
		if next := d.stack.NextAPIURL; next != "" {
			checks = append(checks, check{"next URL of " + string(provider), func(ctx context.Context) (finding, error) { return d.url(ctx, provider, next) }})
		}
	}
	checks = append(checks, check{"consumer", d.part("consumer")}, check{"sweeper", d.part("sweeper")}, check{"last sweep", d.lastSweep})
	if d.stack.Outputs[cli.OutputPublisher] != "" {
		checks = append(checks, check{"publisher", d.part("publisher")})
	}
	checks = append(checks, d.queryChecks(ctx)...)
	return append(checks,
		check{"events queue", d.queue(d.stack.EventsQueueURL, d.backlog)},
		check{"dead-letter messages", d.queue(d.stack.DeadLetterQueueURL, d.deadLetters)},
		check{"unapplied receipts", d.unapplied}, check{"held callbacks", d.held}, check{"conflicted payouts", d.conflicted},
		check{"alarms", d.alarms}, check{"alarm subscribers", d.subscribers})
}

// part checks that a part of the stack runs.
func (d *doctor) part(name string) func(context.Context) (finding, error) {
	return func(ctx context.Context) (finding, error) {
		part, err := d.stack.Part(name)
		if err != nil {
			return finding{}, err
		}
		running, state, err := part.State(ctx)
		switch {
		case err != nil:
			return finding{}, err
		case !running:
			return d.paused(ctx, part, name, state), nil
		}
		return ok("running"), nil
	}
}

// paused reports when and why a part was paused: it may be intended.
func (d *doctor) paused(ctx context.Context, part cli.Part, name, state string) finding {
	next := "it may be intended: ask first, then: " + d.Program() + " resume " + name + " --reason TEXT"
	line, err := part.LastChange(ctx)
	switch {
	case err != nil:
		return bad(failing, next, "paused: its state is %s; the reason cannot be read: %s", strings.ToLower(state), cli.AsExitError(err).Error())
	case !strings.Contains(line, " pause "+name):
		return bad(failing, next, "paused: its state is %s, no reason recorded", strings.ToLower(state))
	}
	return bad(failing, next, "paused since %s", line)
}

func (d *doctor) keys(ctx context.Context, provider cli.Provider) (finding, error) {
	store, read, err := d.stack.ReadKeys(ctx, provider)
	if err != nil {
		return finding{}, err
	}
	if f, ok := d.unusableKeys(provider, read); ok {
		return f, nil
	}
	if len(read.Keys) == 0 {
		return bad(failing, d.Program()+" keys add "+string(provider)+" ACCOUNT --key-file FILE --reason TEXT",
			"no keys stored: callbacks are answered 503"), nil
	}
	ages, err := store.Ages(ctx, read)
	if err != nil {
		return finding{}, err
	}
	for _, account := range slices.Sorted(maps.Keys(read.Keys)) {
		keys := read.Keys[account]
		// The rotation started when the current key was stored.
		since := ages[account][keys.Current.ID()].Since
		if keys.Previous != "" && d.Now().Sub(since) > d.oldKey {
			return bad(warn, d.Program()+" keys retire "+string(provider)+" "+account+" "+keys.Previous.ID()+" --reason TEXT, once no callback uses it",
				"account %s has been in rotation for %s", cli.Clean(account), cli.FormatAge(d.Now().Sub(since))), nil
		}
	}
	return ok("%s", cli.Count(len(read.Keys), "account")), nil
}

// unusableKeys reports entries of a secret that cannot verify a callback. It names an
// account only if it has the form of the provider's accounts: anything else may be a
// key in the wrong place.
func (d *doctor) unusableKeys(provider cli.Provider, read keyring.Version) (finding, bool) {
	var problems []string
	next := ""
	for _, flaw := range read.Flaws {
		problems = append(problems, cli.Clean(flaw.Error()))
		next = cmp.Or(next, d.FlawRepair(provider, flaw))
	}
	if len(problems) > 0 {
		return bad(failing, next, "unusable, callbacks of the account get 503: %s", strings.Join(problems, "; ")), true
	}
	invalid := 0
	for account := range read.Keys {
		if cli.CheckAccount(provider, account) != nil {
			invalid++
		}
	}
	if invalid > 0 {
		return bad(warn, "list the accounts with: "+d.Program()+" keys list "+string(provider), "%s that no callback of %s can have: an account is %s",
			cli.Count(invalid, "account name"), provider, cli.AccountForm(provider)), true
	}
	return finding{}, false
}
