package repair

import (
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
	Limit     int      `help:"Maximum number of messages to read." default:"${dlqMost}" placeholder:"N"`
	cli.ReasonFlags
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

// Run exports the messages.
func (c *dlqExport) Run(ctx context.Context, s *cli.Session) error {
	if err := c.Check(); err != nil {
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
	if !c.Delete {
		return c.export(ctx, s, r)
	}
	if err := checkExportable(ctx, s, r, c.MessageID, c.Limit); err != nil {
		return err
	}
	if err := s.Confirm(c.Yes, "delete "+cli.Count(len(c.MessageID), "dead-letter message")+" of stack "+stack.Name); err != nil {
		return err
	}
	if err := noteDeadLetters(ctx, stack, cli.FormatChange(s.Now(), "dlq export --delete", c.Reason)); err != nil {
		return err
	}
	file, err := openForAppend(c.To)
	if err != nil {
		return cli.Usagef("", "%w", err)
	}
	defer file.Close()
	options := redrive.Options{
		Filter: redrive.Filter{IDs: c.MessageID, Causes: exportable}, Limit: c.Limit, Progress: printProgress(s),
	}
	done, err := r.Remove(ctx, options, func(diagnosed redrive.Diagnosis) error { return saveMessage(file, diagnosed, c.Reason) })
	if err := printMoved(s, "written to "+c.To+" and deleted", done, done.Moved, err); err != nil {
		return err
	}
	return c.checkMissed(done)
}

// export writes the messages to the file and leaves them in the queue.
func (c *dlqExport) export(ctx context.Context, s *cli.Session, r *redrive.Redriver) error {
	file, err := openForAppend(c.To)
	if err != nil {
		return cli.Usagef("", "%w", err)
	}
	defer file.Close()
	missing := slices.Clone(c.MessageID)
	_, err = r.Walk(ctx, c.Limit, func(diagnosed redrive.Diagnosis) error {
		at := slices.Index(missing, diagnosed.ID)
		if at < 0 {
			return nil
		}
		missing = slices.Delete(missing, at, at+1)
		return saveMessage(file, diagnosed, c.Reason)
	})
	if err == nil && len(missing) > 0 {
		return errNoMessage(s, missing[0])
	}
	return errors.Join(err, s.Print(cli.Count(len(c.MessageID), "message")+" written to "+c.To+"\n"))
}

// checkMissed returns an error if a message became invisible before it was deleted.
func (c *dlqExport) checkMissed(done redrive.Progress) error {
	named := slices.Compact(slices.Sorted(slices.Values(c.MessageID)))
	if missed := len(named) - done.Moved; missed > 0 {
		return cli.Negativef("the sweeper or another operator reads it: run the command again", "%s invisible at the moment", cli.Count(missed, "message"))
	}
	return nil
}

// exportable are the causes of messages that may be deleted.
var exportable = []redrive.Cause{redrive.Unreadable, redrive.AlreadyHandled}

// checkExportable refuses messages with an event that is not applied, before anything is
// changed.
func checkExportable(ctx context.Context, s *cli.Session, redriver *redrive.Redriver, ids []string, most int) error {
	missing := slices.Clone(ids)
	var unapplied error
	_, err := redriver.Walk(ctx, most, func(diagnosed redrive.Diagnosis) error {
		if !slices.Contains(ids, diagnosed.ID) {
			return nil
		}
		missing = slices.DeleteFunc(missing, func(id string) bool { return id == diagnosed.ID })
		if !slices.Contains(exportable, diagnosed.Cause) {
			unapplied = cli.Negativef("redrive it: "+s.Program()+" dlq redrive --message-id "+diagnosed.ID+" --reason TEXT",
				"message %s contains an event that is not applied (%s)", diagnosed.ID, diagnosed.Cause)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case unapplied != nil:
		return unapplied
	case len(missing) > 0:
		return errNoMessage(s, missing[0])
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
