package repair

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

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
	if named := slices.Compact(slices.Sorted(slices.Values(c.MessageID))); done.Chosen < len(named) {
		return errNoMessage(s, strings.Join(named, " or "))
	}
	return nil
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

type dlqExport struct {
	MessageID []string `help:"The message. Can be repeated." required:"" placeholder:"ID"`
	To        string   `help:"File to append the messages to." required:"" placeholder:"FILE"`
	Delete    bool     `help:"Delete the messages from the queue after they are written. Only messages that are unreadable or already handled."`
	readFlags
	cli.ChangeFlags
}

// Help gives examples.
func (dlqExport) Help() string {
	return `Writes each message to the file as one line of JSON. With --delete, it deletes the message from the queue once the line is
on disk; it refuses a message with an event that is not applied: redrive it.

	payoutctl --stack payouts-prod dlq export --delete --message-id 0d1f0e1c-… --to dropped.jsonl --reason "sent by mistake"

To put the message of line 1 back (URL is the output EventsQueueUrl):

	sed -n 1p dropped.jsonl |
	  jq '{QueueUrl: "URL", MessageBody: .body,
	    MessageAttributes: (.attributes // {} | map_values(with_entries(select(.value != null))))}
	    + (if .group then {MessageGroupId: .group} else {} end)' |
	  aws sqs send-message --cli-input-json file:///dev/stdin

Do not pass a body as --message-body: if it begins with file:// or fileb://, the AWS CLI sends the file of that name on
your machine, and the sender of the message chose the text.
` + fmt.Sprintf(dlqPermissions, `;
also sqs:DeleteMessage and sqs:TagQueue on it (--reason is stored in a tag)`)
}

// Run exports the messages. It deletes none unless all of them may be deleted.
func (c *dlqExport) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	r, err := stack.Redriver()
	if err != nil {
		return err
	}
	messages, err := findMessages(ctx, s, r, c.MessageID, int(c.Limit))
	if err != nil {
		return err
	}
	if c.Delete {
		if err := c.prepareDelete(ctx, s, stack, messages); err != nil {
			return err
		}
	}
	file, err := openForAppend(c.To)
	if err != nil {
		return cli.Usagef("", "%w", err)
	}
	defer file.Close()
	save := func(diagnosed redrive.Diagnosis) error { return saveMessage(file, diagnosed, c.Reason) }
	if c.Delete {
		options := redrive.Options{Filter: redrive.Filter{IDs: c.MessageID, Causes: deletable}, Limit: int(c.Limit), Progress: printProgress(s)}
		done, err := r.Remove(ctx, options, save)
		return cmp.Or(printMoved(s, "written to "+c.To+" and deleted", done, done.Moved, err), c.checkMissed(done))
	}
	for _, message := range messages {
		if err := save(message); err != nil {
			return err
		}
	}
	return s.Print(cli.Count(len(messages), "message") + " written to " + c.To + "\n")
}

// deletable are the causes of messages that may be deleted: the others contain an
// event that is not applied.
var deletable = []redrive.Cause{redrive.Unreadable, redrive.AlreadyHandled}

// prepareDelete refuses messages that may not be deleted, and records the reason.
func (c *dlqExport) prepareDelete(ctx context.Context, s *cli.Session, stack cli.Stack, messages []redrive.Diagnosis) error {
	for _, message := range messages {
		if !slices.Contains(deletable, message.Cause) {
			return cli.Negativef("redrive it: "+s.Program()+" dlq redrive --message-id "+message.ID+" --reason TEXT",
				"message %s contains an event that is not applied (%s)", message.ID, message.Cause)
		}
	}
	if err := s.Confirm(c.Yes, "delete "+cli.Count(len(messages), "dead-letter message")+" of stack "+stack.Name); err != nil {
		return err
	}
	return noteDeadLetters(ctx, stack, cli.FormatChange(s.Now(), "dlq export --delete", c.Reason))
}

// checkMissed returns an error if a message became invisible before it was deleted.
func (c *dlqExport) checkMissed(done redrive.Progress) error {
	named := slices.Compact(slices.Sorted(slices.Values(c.MessageID)))
	if missed := len(named) - done.Moved; missed > 0 {
		return cli.Negativef("the sweeper or another operator reads it: run the command again", "%s invisible at the moment", cli.Count(missed, "message"))
	}
	return nil
}

// openForAppend opens a file and syncs its directory, so that the file exists after a
// crash.
func openForAppend(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, errors.Join(folder.Sync(), folder.Close())
}

// savedMessage is a line of the file.
type savedMessage struct {
	Message    string                                 `json:"message"`
	SentAt     time.Time                              `json:"sentAt"`
	Reason     string                                 `json:"reason"`
	Group      string                                 `json:"group,omitzero"`
	Attributes map[string]types.MessageAttributeValue `json:"attributes,omitempty"`
	System     map[string]string                      `json:"system,omitempty"` // as SQS names them
	Body       string                                 `json:"body"`
}

func saveMessage(file *os.File, diagnosed redrive.Diagnosis, why string) error {
	line, err := cli.JSONLine(savedMessage{diagnosed.ID, diagnosed.SentAt, why, diagnosed.Group, diagnosed.Attributes, diagnosed.System, diagnosed.Body})
	if err != nil {
		return fmt.Errorf("save message %s: %w", diagnosed.ID, err)
	}
	_, err = file.Write(line)
	if err := errors.Join(err, file.Sync()); err != nil {
		return fmt.Errorf("save message %s: %w", diagnosed.ID, err)
	}
	return nil
}
