package repair

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/ops/redrive"
)

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

Examples:

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
