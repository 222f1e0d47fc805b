package repair

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/ops/redrive"
)

type dlqRedrive struct {
	Cause     []cause      `help:"Only messages with this cause: ${causes}. Can be repeated. Default: all causes but unreadable." placeholder:"CAUSE"`
	Provider  cli.Provider `help:"Only messages of this provider." placeholder:"NAME"`
	MessageID []string     `help:"Only this message, whatever its cause. Can be repeated." placeholder:"ID"`
	OlderThan cli.Time     `help:"Only messages first sent before: ${when}." placeholder:"WHEN"`
	Rate      cli.Limit    `help:"Maximum messages per second." default:"20" placeholder:"N"`
	readFlags
	cli.PlannedChangeFlags
}

// cause is the value of a flag.
type cause redrive.Cause

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *cause) UnmarshalText(text []byte) error {
	*c = cause(text)
	return cli.CheckName(redrive.Cause(text), "cause; the causes", redrive.Causes())
}

// Help gives examples.
func (dlqRedrive) Help() string {
	return `Sends messages back to the events queue unchanged. Each message is deleted after it was sent: an interrupted run leaves
at most one message in both queues, and an event that arrives twice is applied once. Without --cause and --message-id,
all messages but unreadable ones are sent; those would only return.

Examples:

	payoutctl --stack payouts-prod dlq redrive --dry-run
	payoutctl --stack payouts-prod dlq redrive --provider pivot --older-than 1h --rate 5 --reason "table is back, INC-12"
	payoutctl --stack payouts-prod dlq redrive --cause unreadable --reason "deployed the version that can read them"
` + fmt.Sprintf(dlqPermissions, `;
to send, also sqs:DeleteMessage and sqs:TagQueue on it (--reason is stored in a tag), and sqs:SendMessage on the events queue`)
}

// Run sends the messages.
func (c *dlqRedrive) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	r, err := stack.Redriver()
	if err != nil {
		return err
	}
	filter := redrive.Filter{Provider: string(c.Provider), IDs: c.MessageID, Before: c.OlderThan.Time}
	for _, name := range c.Cause {
		filter.Causes = append(filter.Causes, redrive.Cause(name))
	}
	options := redrive.Options{Filter: filter, Limit: int(c.Limit), DryRun: c.DryRun, Progress: printProgress(s)}
	if c.DryRun {
		done, err := r.Redrive(ctx, options)
		return cmp.Or(printMoved(s, "would be sent", done, done.Chosen, err), c.checkUnseen(s, done))
	}
	if err := s.Confirm(c.Yes, "redrive dead-letter messages of stack "+stack.Name); err != nil {
		return err
	}
	if err := noteDeadLetters(ctx, stack, cli.FormatChange(s.Now(), "dlq redrive", c.Reason)); err != nil {
		return err
	}
	pace := time.NewTicker(time.Second / time.Duration(c.Rate))
	defer pace.Stop()
	options.Pace = pace.C
	done, err := r.Redrive(ctx, options)
	return cmp.Or(printMoved(s, "sent", done, done.Moved, err), c.checkUnseen(s, done))
}

// checkUnseen returns an error if a message that --message-id names was not found.
func (c *dlqRedrive) checkUnseen(s *cli.Session, done redrive.Progress) error {
	named := slices.Compact(slices.Sorted(slices.Values(c.MessageID)))
	if done.Chosen >= len(named) {
		return nil
	}
	if len(named) == 1 {
		return errNoMessage(s, named[0])
	}
	return cli.Negativef("list them with: "+s.Program()+" dlq list --each", "%d of the %d named messages are not visible, or do not match",
		len(named)-done.Chosen, len(named))
}

// noteDeadLetters records the next change in a tag of the dead-letter queue.
func noteDeadLetters(ctx context.Context, s cli.Stack, line string) error {
	_, err := sqs.NewFromConfig(s.AWS).TagQueue(ctx, &sqs.TagQueueInput{
		QueueUrl: &s.DeadLetterQueueURL, Tags: map[string]string{cli.ChangeTag: line},
	})
	return err
}

func printProgress(s *cli.Session) func(redrive.Progress) {
	progress := s.StartProgress()
	return func(done redrive.Progress) { progress("%d of %d messages", done.Moved, done.Seen) }
}

// movedView counts messages as --json prints them.
type movedView struct {
	Seen            int  `json:"read"`
	Chosen          int  `json:"selected"`
	Moved           int  `json:"moved"`
	MaybeDuplicated int  `json:"maybeDuplicated,omitzero"` // in both queues, possibly
	More            bool `json:"more,omitzero"`
}

// printMoved prints the counts, also of an interrupted run.
func printMoved(s *cli.Session, what string, done redrive.Progress, moved int, err error) error {
	printErr := s.PrintResult(movedView(done), fmt.Sprintf("%s of %d %s\n", cli.Count(moved, "message"), done.Seen, what))
	if done.MaybeDuplicated > 0 {
		s.Notef("a message may be in both queues, which is harmless")
	}
	if done.More {
		s.Notef("there are more messages: raise --limit, or run the command again")
	}
	return cmp.Or(err, printErr)
}
