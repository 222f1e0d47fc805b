package repair

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/ops/redrive"
)

// selectedMessages are the flags that select messages.
type selectedMessages struct {
	Cause     []string `help:"Only messages with this cause: ${causes}. Can be repeated. Default: all causes but unreadable." placeholder:"CAUSE"`
	Provider  string   `help:"Only messages of this provider." placeholder:"NAME"`
	MessageID []string `help:"Only this message, whatever its cause. Can be repeated." placeholder:"ID"`
	OlderThan string   `help:"Only messages first sent before: ${when}." placeholder:"WHEN"`
}

func (c selectedMessages) filter(s *cli.Session) (redrive.Filter, error) {
	filter := redrive.Filter{Provider: c.Provider, IDs: c.MessageID}
	for _, cause := range c.Cause {
		if !slices.Contains(redrive.Causes(), redrive.Cause(cause)) {
			return filter, cli.Usagef("", "%q is not a cause; the causes are: %s", cause, CauseNames())
		}
		filter.Causes = append(filter.Causes, redrive.Cause(cause))
	}
	if c.Provider != "" {
		if _, err := cli.FindProvider(c.Provider); err != nil {
			return filter, err
		}
	}
	before, err := s.ParseTime("--older-than", c.OlderThan)
	filter.Before = before
	return filter, err
}

// CauseNames lists the causes of dead-letter messages, for help texts.
func CauseNames() string {
	var names []string
	for _, cause := range redrive.Causes() {
		names = append(names, string(cause))
	}
	return strings.Join(names, ", ")
}

type dlqRedrive struct {
	selectedMessages
	DryRun bool `help:"Count the messages and send none."`
	Rate   int  `help:"Maximum messages per second." default:"20" placeholder:"N"`
	Limit  int  `help:"Maximum number of messages to read." default:"${dlqMost}" placeholder:"N"`
	cli.ReasonFlags
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
func (c *dlqRedrive) Run(ctx context.Context, s *cli.Session) error {
	if c.Rate < 1 || c.Limit < 1 {
		return cli.Usagef("", "--rate and --limit must be 1 or more")
	}
	if err := c.Check(); err != nil && !c.DryRun {
		return err
	}
	filter, err := c.filter(s)
	if err != nil {
		return err
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	r, err := stack.Redriver()
	if err != nil {
		return err
	}
	options := redrive.Options{Filter: filter, Limit: c.Limit, DryRun: c.DryRun, Progress: printProgress(s)}
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

// errNoMessage returns the error about a message that was not found.
func errNoMessage(s *cli.Session, id string) error {
	return cli.Negativef("list them with: "+s.Program()+" dlq list --each", "no visible dead-letter message has the id %s", cli.Clean(id))
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
	Read            int  `json:"read"`
	Selected        int  `json:"selected"`
	Moved           int  `json:"moved"`
	MaybeDuplicated int  `json:"maybeDuplicated,omitzero"` // in both queues, possibly
	More            bool `json:"more,omitzero"`
}

// printMoved prints the counts, also of an interrupted run.
func printMoved(s *cli.Session, what string, done redrive.Progress, moved int, err error) error {
	if s.Flags.JSON {
		err = errors.Join(s.PrintJSON(movedView{done.Seen, done.Chosen, done.Moved, done.MaybeDuplicated, done.More}), err)
	} else {
		err = errors.Join(s.Print(fmt.Sprintf("%s of %s %s\n", cli.Count(moved, "message"), fmt.Sprint(done.Seen), what)), err)
	}
	if done.MaybeDuplicated > 0 {
		s.Notef("a message may be in both queues, which is harmless")
	}
	if done.More {
		s.Notef("there are more messages: raise --limit, or run the command again")
	}
	if err != nil {
		return err
	}
	return nil
}
