package repair

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/cmd/payoutctl/internal/display"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/redrive"
)

// DLQ groups the commands for the dead-letter queue.
type DLQ struct {
	List    dlqList    `cmd:"" help:"List the dead-letter messages, grouped by cause."`
	Show    dlqShow    `cmd:"" help:"Show a dead-letter message."`
	Redrive dlqRedrive `cmd:"" help:"Send dead-letter messages back to the events queue."`
	Export  dlqExport  `cmd:"" help:"Write dead-letter messages to a file; with --delete, also delete them from the queue."`
}

// readFlags bound what is read of the queue.
type readFlags struct {
	Limit cli.Limit `help:"Maximum number of messages to read." default:"10000" placeholder:"N"`
}

const dlqPermissions = `
Needs the permissions sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the dead-letter queue, dynamodb:GetItem on
the receipts table, and cloudformation:DescribeStacks%s. While the command runs, the messages that
it reads are invisible to the sweeper; after a crash they become visible again within 30 seconds.`

type dlqList struct {
	Each bool `help:"List each message with its id."`
	readFlags
}

// Help gives examples.
func (dlqList) Help() string {
	return `The causes, and what to do:

	unreadable       it cannot be decoded: redrive it after a deploy that can decode it, or export and delete it
	absent           it is the only copy of its event: the sweeper recovers it within a minute; otherwise sweep, or redrive it
	unapplied        its receipt is stored and not applied: the sweeper sends it again; see the consumer's log
	already-handled  its receipt is applied or held: redrive it, and the consumer removes it
	damaged          its receipt cannot be read: see show

	payoutctl --stack payouts-prod dlq list
	payoutctl --stack payouts-prod dlq list --each --json
` + fmt.Sprintf(dlqPermissions, "")
}

// messageGroup is the messages with the same cause and provider.
type messageGroup struct {
	Cause    redrive.Cause `json:"cause"`
	Detail   string        `json:"detail,omitzero"`
	Provider string        `json:"provider,omitzero"`
	Messages int           `json:"messages"`
	Oldest   time.Time     `json:"oldest"`
	Example  string        `json:"example"` // its message id
}

// Run lists the messages.
func (c *dlqList) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	r, err := stack.Redriver()
	if err != nil {
		return err
	}
	var groups []messageGroup
	var messages []messageView
	n := 0
	progress := s.StartProgress()
	more, err := r.Walk(ctx, int(c.Limit), func(diagnosed redrive.Diagnosis) error {
		n++
		progress("%d messages", n)
		if c.Each {
			messages = append(messages, newMessageView(diagnosed, false))
		} else {
			groups = addToGroup(groups, diagnosed)
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case n == 0:
		s.Notef("no visible dead-letter messages")
	case more:
		s.Notef("more than these %d: raise --limit", n)
	}
	if c.Each {
		return cli.PrintList(s, []string{"MESSAGE", "SENT (UTC)", "CAUSE", "PROVIDER", "PAYOUTCTL SHOW"}, messages,
			func(t *cli.Table, m messageView) {
				t.AddTexts(m.Message, cli.FormatTime(m.SentAt), string(m.Cause), m.receipt.Provider(), m.receipt.Key.Payout)
			}, func(m messageView) any { return m })
	}
	return cli.PrintList(s, []string{"MESSAGES", "CAUSE", "PROVIDER", "OLDEST (UTC)", "EXAMPLE", "DETAIL"}, groups,
		func(t *cli.Table, g messageGroup) {
			t.AddTexts(strconv.Itoa(g.Messages), string(g.Cause), g.Provider, cli.FormatTime(g.Oldest), g.Example, g.Detail)
		}, func(g messageGroup) any { return g })
}

func addToGroup(groups []messageGroup, diagnosed redrive.Diagnosis) []messageGroup {
	key := messageGroup{Cause: diagnosed.Cause, Detail: diagnosed.Why, Provider: diagnosed.Provider()}
	at := slices.IndexFunc(groups, func(g messageGroup) bool {
		return g.Cause == key.Cause && g.Detail == key.Detail && g.Provider == key.Provider
	})
	if at < 0 {
		key.Oldest, key.Example = diagnosed.SentAt, diagnosed.ID
		groups = append(groups, key)
		at = len(groups) - 1
	}
	groups[at].Messages++
	if diagnosed.SentAt.Before(groups[at].Oldest) {
		groups[at].Oldest, groups[at].Example = diagnosed.SentAt, diagnosed.ID
	}
	return groups
}

// messageView is a dead-letter message as --json prints it.
type messageView struct {
	Message  string           `json:"message"`
	Cause    redrive.Cause    `json:"cause"`
	Detail   string           `json:"detail,omitzero"`
	SentAt   time.Time        `json:"sentAt"`
	Receives int              `json:"receives"`
	Size     int              `json:"size"`
	Group    string           `json:"group,omitzero"`
	Receipt  *display.Receipt `json:"receipt,omitempty"`
	Body     string           `json:"body,omitzero"`

	receipt inbox.Receipt
}

func newMessageView(diagnosed redrive.Diagnosis, withBody bool) messageView {
	view := messageView{
		Message: diagnosed.ID, Cause: diagnosed.Cause, Detail: diagnosed.Why, SentAt: diagnosed.SentAt, Receives: diagnosed.Receives,
		Size: len(diagnosed.Body), Group: diagnosed.Group, receipt: diagnosed.Receipt,
	}
	if diagnosed.Cause != redrive.Unreadable {
		receipt := display.NewReceipt(display.Entry{Receipt: diagnosed.Receipt}, withBody)
		view.Receipt = &receipt
	}
	if withBody {
		view.Body = strings.ToValidUTF8(diagnosed.Body, "\uFFFD")
	}
	return view
}

type dlqShow struct {
	Message string `arg:"" help:"Id of the message, as list shows it."`
}

// Help gives examples.
func (dlqShow) Help() string {
	return `Shows the content of a dead-letter message. --full prints its body, which may contain addresses and account numbers.

	payoutctl --stack payouts-prod dlq show 0d1f0e1c-6a6c-4d2e-9f0b-8a5b6f3c2d11 --full
` + fmt.Sprintf(dlqPermissions, "") + `
Exit code 1 if no visible message has the id.`
}

// Run shows the message.
func (c *dlqShow) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	r, err := stack.Redriver()
	if err != nil {
		return err
	}
	messages, err := findMessages(ctx, s, r, []string{c.Message}, maxRead)
	if err != nil {
		return err
	}
	return s.PrintResult(newMessageView(messages[0], s.Flags.Full), messageText(s.Style(), messages[0]))
}

// maxRead is where the search for a message ends.
const maxRead = 1 << 20

// findMessages reads the messages with the ids, all of which must be visible.
func findMessages(ctx context.Context, s *cli.Session, r *redrive.Redriver, ids []string, limit int) ([]redrive.Diagnosis, error) {
	var messages []redrive.Diagnosis
	missing := slices.Clone(ids)
	_, err := r.Walk(ctx, limit, func(diagnosed redrive.Diagnosis) error {
		if slices.Contains(missing, diagnosed.ID) {
			messages = append(messages, diagnosed)
			missing = slices.DeleteFunc(missing, func(id string) bool { return id == diagnosed.ID })
		}
		return nil
	})
	if err == nil && len(missing) > 0 {
		err = errNoMessage(s, missing[0])
	}
	return messages, err
}

// errNoMessage returns the error about a message that was not found.
func errNoMessage(s *cli.Session, id string) error {
	return cli.Negativef("list them with: "+s.Program()+" dlq list --each", "no visible dead-letter message has the id %s", cli.Clean(id))
}

func messageText(style cli.Style, diagnosed redrive.Diagnosis) string {
	rows := cli.Table{Style: style}
	rows.AddField("message", diagnosed.ID, "")
	rows.AddField("cause", string(diagnosed.Cause), cli.Yellow)
	rows.AddField("detail", diagnosed.Why, "")
	rows.AddField("sent", cli.FormatTime(diagnosed.SentAt)+" UTC, received "+cli.Count(diagnosed.Receives, "time"), "")
	rows.AddField("size", cli.Count(len(diagnosed.Body), "byte"), "")
	if receipt := diagnosed.Receipt; diagnosed.Cause != redrive.Unreadable {
		rows.AddField("receipt", receipt.Key.Payout+"  "+receipt.Key.Receipt, "")
		rows.AddField("accepted", cli.FormatTime(receipt.AcceptedAt)+" UTC, verified by key "+receipt.KeyID, "")
		if receipt.State != inbox.Held && receipt.Resolution == nil {
			for _, field := range display.EventFields(style, receipt.Event) {
				rows.AddField("event "+field[0], field[1], "")
			}
		}
	}
	if !style.Full {
		return rows.String() + "--full shows its body.\n"
	}
	return rows.String() + "\n" + cli.PrefixLines(indented(diagnosed.Body)) + "\n"
}

// indented formats JSON, and returns any other text unchanged.
func indented(text string) string {
	var pretty bytes.Buffer
	if json.Indent(&pretty, []byte(text), "", "  ") != nil {
		return text
	}
	return pretty.String()
}
