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

// chosenLetters are the flags that choose letters.
type selectedMessages struct {
	Cause     []string `help:"Letters of this cause: ${causes}. Repeat it for several; without it, all that are ours." placeholder:"CAUSE"`
	Provider  string   `help:"Letters of this provider." placeholder:"NAME"`
	MessageID []string `help:"This letter, of whatever cause. Repeat it for several." placeholder:"ID"`
	OlderThan string   `help:"Letters first sent before this: ${when}." placeholder:"WHEN"`
}

func (c selectedMessages) filter(s *cli.Session) (redrive.Filter, error) {
	filter := redrive.Filter{Provider: c.Provider, IDs: c.MessageID}
	for _, cause := range c.Cause {
		if !slices.Contains(redrive.Causes(), redrive.Cause(cause)) {
			return filter, cli.Usagef("", "%q is no cause; there are: %s", cause, CauseNames())
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

func CauseNames() string {
	var names []string
	for _, cause := range redrive.Causes() {
		names = append(names, string(cause))
	}
	return strings.Join(names, ", ")
}

type dlqRedrive struct {
	selectedMessages
	DryRun bool `help:"Say how many would be sent, and send none."`
	Rate   int  `help:"Letters a second, at most." default:"20" placeholder:"N"`
	Limit  int  `help:"Look at this many letters at most." default:"${dlqMost}" placeholder:"N"`
	cli.ReasonFlags
}

// Help gives examples.
func (dlqRedrive) Help() string {
	return `Letters go back to the events queue as they came, each deleted only after it was sent: stopped half-way, it leaves one
of them in both queues at most, and an event that comes twice is applied once. Without --cause and --message-id those
that are ours are sent; foreign ones would only come back.

Examples:

	payoutctl --stack payouts-prod dlq redrive --dry-run
	payoutctl --stack payouts-prod dlq redrive --provider pivot --older-than 1h --rate 5 --reason "table is back, INC-12"
	payoutctl --stack payouts-prod dlq redrive --cause foreign --reason "deployed the version that knows them"
` + fmt.Sprintf(dlqPermissions, `;
to send, also sqs:DeleteMessage and sqs:TagQueue on it (--reason is kept in its tag), and sqs:SendMessage on the events queue`)
}

// Run sends the letters.
func (c *dlqRedrive) Run(ctx context.Context, s *cli.Session) error {
	if c.Rate < 1 || c.Limit < 1 {
		return cli.Usagef("", "--rate and --limit are 1 or more")
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
	order := redrive.Options{Filter: filter, Limit: c.Limit, DryRun: c.DryRun, Progress: printProgress(s)}
	if c.DryRun {
		done, err := r.Redrive(ctx, order)
		return cmp.Or(printMoved(s, "would be sent", done, done.Chosen, err), c.checkUnseen(s, done))
	}
	if err := s.Confirm(c.Yes, "send dead letters of stack "+stack.Name+" back to its events queue"); err != nil {
		return err
	}
	if err := noteDeadLetters(ctx, stack, cli.FormatChange(s.Now(), "dlq redrive", c.Reason)); err != nil {
		return err
	}
	pace := time.NewTicker(time.Second / time.Duration(c.Rate))
	defer pace.Stop()
	order.Pace = pace.C
	done, err := r.Redrive(ctx, order)
	return cmp.Or(printMoved(s, "sent", done, done.Moved, err), c.checkUnseen(s, done))
}

// unseen is no where letters were named and not all of them were met.
func (c *dlqRedrive) checkUnseen(s *cli.Session, done redrive.Progress) error {
	named := slices.Compact(slices.Sorted(slices.Values(c.MessageID)))
	if done.Chosen >= len(named) {
		return nil
	}
	if len(named) == 1 {
		return errNoMessage(s, named[0])
	}
	return cli.Negativef("see them with: "+s.Program()+" dlq list --each", "%d of the %d dead letters named are not in sight, or not of that choice",
		len(named)-done.Chosen, len(named))
}

func errNoMessage(s *cli.Session, id string) error {
	return cli.Negativef("see them with: "+s.Program()+" dlq list --each", "no dead letter in sight has the id %s", cli.Clean(id))
}

// noteOnLetters records on the dead-letter queue what is about to be done to it.
func noteDeadLetters(ctx context.Context, s cli.Stack, line string) error {
	_, err := sqs.NewFromConfig(s.AWS).TagQueue(ctx, &sqs.TagQueueInput{
		QueueUrl: &s.DeadLetterQueueURL, Tags: map[string]string{cli.ChangeTag: line},
	})
	return err
}

func printProgress(s *cli.Session) func(redrive.Progress) {
	tell := s.StartProgress()
	return func(done redrive.Progress) { tell("%d of %d letters", done.Moved, done.Seen) }
}

// movedView is what became of letters as --json shows it.
type movedView struct {
	Looked          int  `json:"looked"`
	Chosen          int  `json:"chosen"`
	Moved           int  `json:"moved"`
	MaybeDuplicated int  `json:"maybeDuplicated,omitzero"` // perhaps in both places
	More            bool `json:"more,omitzero"`
}

// printMoved tells how far the work has come, also where it was stopped.
func printMoved(s *cli.Session, what string, done redrive.Progress, moved int, err error) error {
	if s.Flags.JSON {
		err = errors.Join(s.PrintJSON(movedView{done.Seen, done.Chosen, done.Moved, done.MaybeDuplicated, done.More}), err)
	} else {
		err = errors.Join(s.Print(fmt.Sprintf("%s of %s %s\n", cli.Count(moved, "letter"), fmt.Sprint(done.Seen), what)), err)
	}
	if done.MaybeDuplicated > 0 {
		s.Notef("one is in both queues perhaps, which is harmless")
	}
	if done.More {
		s.Notef("there are more than were looked at: --limit, or run it again")
	}
	if err != nil {
		return err
	}
	return nil
}

type dlqExport struct {
	MessageID []string `help:"The letter. Repeat it for several." required:"" placeholder:"ID"`
	To        string   `help:"File that they are appended to." required:"" placeholder:"FILE"`
	Delete    bool     `help:"Delete them from the queue after they are written. Only messages that are unreadable or already handled."`
	Limit     int      `help:"Look at this many letters at most." default:"${dlqMost}" placeholder:"N"`
	cli.ReasonFlags
}

// Help gives examples.
func (dlqExport) Help() string {
	return `Writes each message to the file as one line of JSON. With --delete, a message is deleted from the queue after the line is
on disk; a message that holds an event which is not applied is refused: redrive it.

Examples:

	payoutctl --stack payouts-prod dlq export --delete --message-id 0d1f0e1c-… --to dropped.jsonl --reason "sent by hand by mistake"

To put the message of line 1 back (URL is the output EventsQueueUrl):

	sed -n 1p dropped.jsonl |
	  jq '{QueueUrl: "URL", MessageBody: .body,
	    MessageAttributes: (.attributes // {} | map_values(with_entries(select(.value != null))))}
	    + (if .group then {MessageGroupId: .group} else {} end)' |
	  aws sqs send-message --cli-input-json file:///dev/stdin

Do not pass a body as --message-body: of a text that begins with file:// or fileb:// the AWS CLI sends the file of that
name on your machine, and whoever wrote the message chose its text.
` + fmt.Sprintf(dlqPermissions, `;
also sqs:DeleteMessage and sqs:TagQueue on it (--reason is kept in its tag)`)
}

// Run takes the letters out.
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
	if err := s.Confirm(c.Yes, "take "+cli.Count(len(c.MessageID), "dead letter")+" out of stack "+stack.Name); err != nil {
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
	order := redrive.Options{
		Filter: redrive.Filter{IDs: c.MessageID, Causes: exportable}, Limit: c.Limit, Progress: printProgress(s),
	}
	done, err := r.Remove(ctx, order, func(diagnosed redrive.Diagnosis) error { return save(file, diagnosed, c.Reason) })
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
		return save(file, diagnosed, c.Reason)
	})
	if err == nil && len(missing) > 0 {
		return errNoMessage(s, missing[0])
	}
	return errors.Join(err, s.Print(cli.Count(len(c.MessageID), "message")+" written to "+c.To+"\n"))
}

// missed is no where a letter was in sight when it was asked for, and out of it
// when its turn came.
func (c *dlqExport) checkMissed(done redrive.Progress) error {
	named := slices.Compact(slices.Sorted(slices.Values(c.MessageID)))
	if missed := len(named) - done.Moved; missed > 0 {
		return cli.Negativef("the sweeper or somebody else is looking at it: run it again", "%s out of sight just now", cli.Count(missed, "letter"))
	}
	return nil
}

// droppable are the causes of letters that nobody misses.
var exportable = []redrive.Cause{redrive.Unreadable, redrive.AlreadyHandled}

// mayDrop refuses what is ours and not applied, before anything is changed.
func checkExportable(ctx context.Context, s *cli.Session, redriver *redrive.Redriver, ids []string, most int) error {
	missing := slices.Clone(ids)
	var ours error
	_, err := redriver.Walk(ctx, most, func(diagnosed redrive.Diagnosis) error {
		if !slices.Contains(ids, diagnosed.ID) {
			return nil
		}
		missing = slices.DeleteFunc(missing, func(id string) bool { return id == diagnosed.ID })
		if !slices.Contains(exportable, diagnosed.Cause) {
			ours = cli.Negativef("redrive it: "+s.Program()+" dlq redrive --message-id "+diagnosed.ID+" --reason TEXT",
				"message %s is a callback of ours that is not applied (%s)", diagnosed.ID, diagnosed.Cause)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case ours != nil:
		return ours
	case len(missing) > 0:
		return errNoMessage(s, missing[0])
	}
	return nil
}

// openForAppend opens a file that is there after a crash, too: its name is on
// disk before anything is written to it.
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

// savedLetter is a line of the file.
type savedMessage struct {
	Message    string                                 `json:"message"`
	SentAt     time.Time                              `json:"sentAt"`
	Reason     string                                 `json:"reason"`
	Group      string                                 `json:"group,omitzero"`
	Attributes map[string]types.MessageAttributeValue `json:"attributes,omitempty"`
	System     map[string]string                      `json:"system,omitempty"` // as SQS names them
	Body       string                                 `json:"body"`
}

func save(file *os.File, diagnosed redrive.Diagnosis, why string) error {
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
