package repair

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/smithy-go"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/aws/eventbus"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/notification"
)

// Publish publishes the notifications of payouts again.
type Publish struct {
	Since    cli.Time     `required:"" help:"Only payouts updated since: ${when}." placeholder:"WHEN"`
	Provider cli.Provider `help:"Only payouts of this provider." placeholder:"NAME"`
	cli.PlannedChangeFlags
}

// Help gives examples.
func (Publish) Help() string {
	return `For services that missed notifications (docs/EVENTS.md): the stream keeps changes for a day, or a queue or a table of a
service was lost. For each payout updated since then, the command publishes the notification of its current status, if
it is final, marked as republished with the reason. It can be interrupted and started again: a consumer that follows
EVENTS.md acts once on each notification. It scans the whole table of payouts, whatever --since is, which takes time
and costs money on a large table.

	payoutctl --stack payouts-prod publish --since 36h --dry-run
	payoutctl --stack payouts-prod publish --since 2026-11-21T08:00:00Z --reason 'queue of the ledger was purged, INC-17'

Needs the permissions dynamodb:Scan on the payouts table, events:PutEvents on the bus (not with --dry-run) and
cloudformation:DescribeStacks. Exit code 0, also if there is nothing to publish; 1 if a payout cannot be read.`
}

// Check returns an error if the time is in the future, or the reason is missing.
func (c *Publish) Check() error {
	if c.Since.After(time.Now()) {
		return cli.Usagef("", "--since: %s UTC is in the future", cli.FormatTime(c.Since.Time))
	}
	return c.PlannedChangeFlags.Check()
}

// Run publishes the notifications.
func (c *Publish) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	bus, err := stack.Output(cli.OutputBus)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("publish the notifications of payouts updated since %s UTC to bus %s again", cli.FormatTime(c.Since.Time), bus)
	if err := s.Confirm(c.Yes || c.DryRun, question); err != nil {
		return err
	}
	p := &republisher{
		Session: s, bus: eventbus.New(stack.AWS, bus), progress: s.StartProgress(),
		result: republished{Stack: stack.Name, Since: c.Since.Time, DryRun: c.DryRun, Reason: c.Reason, Notifications: map[notification.Type]int{}},
	}
	err = p.publishAll(ctx, stack.Reader().List(ctx, dynamostore.Filter{Since: c.Since.Time, Provider: string(c.Provider)}))
	if printErr := s.PrintResult(p.result, p.result.text(s.Style())); err == nil {
		err = printErr
	}
	return err
}

// republished is the result as --json prints it.
type republished struct {
	Stack         string                    `json:"stack"`
	Since         time.Time                 `json:"since"`
	DryRun        bool                      `json:"dryRun"`
	Reason        string                    `json:"reason"`
	Payouts       int                       `json:"payouts"` // that were read
	Pending       int                       `json:"pending"` // without a final status
	Damaged       int                       `json:"damaged"` // that cannot be read
	Notifications map[notification.Type]int `json:"notifications"`
}

func (r republished) total() int {
	total := 0
	for _, n := range r.Notifications {
		total += n
	}
	return total
}

func (r republished) text(style cli.Style) string {
	did := "published"
	if r.DryRun {
		did = "would publish"
	}
	rows := cli.Table{Style: style, Indent: "  "}
	for _, kind := range slices.Sorted(maps.Keys(r.Notifications)) {
		rows.AddTexts(string(kind), strconv.Itoa(r.Notifications[kind]))
	}
	if r.Pending > 0 {
		rows.AddTexts("no final status, not published", strconv.Itoa(r.Pending))
	}
	return fmt.Sprintf("%s %s of %s updated since %s UTC\n%s", did,
		cli.Count(r.total(), "notification"), cli.Count(r.Payouts, "payout"), cli.FormatTime(r.Since), rows.String())
}

// republisher publishes the notifications of payouts in batches.
type republisher struct {
	*cli.Session

	bus      publisher.Bus
	pending  []notification.Notification
	result   republished
	progress func(format string, args ...any)
}

// batchSize is how many notifications are collected before they are published.
const batchSize = 100

func (p *republisher) publishAll(ctx context.Context, payouts iter.Seq2[dynamostore.Stored, error]) error {
	for stored, err := range payouts {
		switch {
		case errors.Is(err, inbox.ErrDamagedPayout), errors.Is(err, inbox.ErrLaterVersion):
			p.noteDamage(err)
		case err != nil:
			return err
		default:
			p.add(stored)
		}
		p.result.Payouts++
		if len(p.pending) == batchSize {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
		p.progress("%s read, %s published", cli.Count(p.result.Payouts, "payout"), cli.Count(p.result.total(), "notification"))
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	if p.result.Damaged > 0 {
		return cli.Negativef("they are listed above; a later version of this program wrote them, or they were edited by hand",
			"%s cannot be read, and not published", cli.Count(p.result.Damaged, "payout"))
	}
	return nil
}

func (p *republisher) noteDamage(err error) {
	p.result.Damaged++
	p.Notef("%s", cli.Clean(err.Error()))
}

func (p *republisher) add(stored dynamostore.Stored) {
	n, ok := notification.FromRecord(stored.Record, stored.UpdatedAt)
	if !ok {
		p.result.Pending++
		return
	}
	n.Republished = p.result.Reason
	p.pending = append(p.pending, n)
}

// EventBridge under load may reject single events of a request, which the SDK does
// not retry.
const (
	maxAttempts  = 6
	firstBackoff = 500 * time.Millisecond // doubling
)

const restartHint = "published notifications are counted above; start again with the same --since: duplicates are harmless"

// flush publishes the pending notifications. A dry run only counts them.
func (p *republisher) flush(ctx context.Context) error {
	for attempt, wait := 1, firstBackoff; len(p.pending) > 0; attempt, wait = attempt+1, wait*2 {
		n, err := len(p.pending), error(nil)
		if !p.result.DryRun {
			n, err = p.bus.Publish(ctx, p.pending)
		}
		for _, published := range p.pending[:n] {
			p.result.Notifications[published.Type]++
		}
		p.pending = p.pending[n:]
		var request *smithy.OperationError
		switch {
		case err == nil:
		case errors.Is(err, notification.ErrUnpublishable):
			p.noteDamage(err)
			p.pending = p.pending[1:]
		case errors.As(err, &request) || attempt == maxAttempts:
			return cli.WithHint(restartHint, err)
		default:
			select {
			case <-ctx.Done():
				return cli.WithHint(restartHint, ctx.Err())
			case <-time.After(wait):
			}
		}
	}
	p.pending = nil
	return nil
}

// Sweep runs the sweeper.
type Sweep struct{}

// Help gives examples.
func (Sweep) Help() string {
	return `Runs the sweeper once, even if its schedule is paused: it sends receipts again that were not applied in time, and
recovers dead-letter messages. Several sweeps may run at the same time; each receipt is sent by one of them.

	payoutctl --stack payouts-prod sweep --json

Needs the permissions lambda:InvokeFunction on the sweeper, and cloudformation:DescribeStacks. The command asks for no
reason: the sweeper runs every minute anyway. Exit code 1 if something needs an operator.`
}

// sweepView is the result of a sweep as --json prints it.
type sweepView struct {
	Due           int  `json:"due"`
	Sent          int  `json:"sent"`
	Unsendable    int  `json:"unsendable"`
	Recovered     int  `json:"recovered"`
	Unreadable    int  `json:"unreadable"`
	Damaged       int  `json:"damaged"`
	Skipped       bool `json:"skipped"`
	OldestSeconds int  `json:"oldestSeconds"`
}

// Run invokes the sweeper.
func (c *Sweep) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	var result inbox.SweepResult
	if err := stack.Invoke(ctx, "sweeper", nil, &result); err != nil {
		return err
	}
	if err := printSweep(s, result); err != nil {
		return err
	}
	switch {
	case result.Damaged > 0:
		return cli.Negativef("see them with: "+s.Program()+" audit", "%s cannot be read", cli.Count(result.Damaged, "receipt"))
	case result.Unreadable > 0:
		return cli.Negativef("see them with: "+s.Program()+" dlq list", "%s unreadable", cli.Count(result.Unreadable, "dead-letter message"))
	}
	return nil
}

func printSweep(s *cli.Session, result inbox.SweepResult) error {
	text := fmt.Sprintf("%s due, %d resent\n", cli.Count(result.Due, "receipt"), result.Resent)
	if result.OldestAge > 0 {
		text += "the oldest was accepted " + cli.FormatAge(result.OldestAge) + " ago\n"
	}
	text += fmt.Sprintf("%s recovered, %d unreadable\n", cli.Count(result.Recovered, "dead-letter message"), result.Unreadable)
	if result.Unsendable > 0 {
		text += cli.Count(result.Unsendable, "receipt") + " rejected by the queue, and applied without it\n"
	}
	if result.Skipped {
		text += "nothing was resent: the queue has a backlog\n"
	}
	view := sweepView{
		result.Due, result.Resent, result.Unsendable, result.Recovered, result.Unreadable, result.Damaged, result.Skipped, int(result.OldestAge.Seconds()),
	}
	return s.PrintResult(view, text)
}
