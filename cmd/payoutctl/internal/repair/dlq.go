package repair

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// DefaultDLQLimit is the default number of messages to read.
const DefaultDLQLimit = "10000"

const dlqPermissions = `
Needs the permissions sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the dead-letter queue, dynamodb:GetItem on
the receipts table, and cloudformation:DescribeStacks%s. While the command runs, the messages that
it reads are invisible to the sweeper; after a crash they become visible again within 30 seconds.`

type dlqList struct {
	Each  bool `help:"List each message with its id."`
	Limit int  `help:"Maximum number of messages to read." default:"${dlqMost}" placeholder:"N"`
}

// Help gives examples.
func (dlqList) Help() string {
	return `The causes, and what to do:

	unreadable       it cannot be decoded: redrive it after a deploy that can decode it, or export and delete it
	absent           it is the only copy of its event: the sweeper recovers it within a minute; otherwise sweep, or redrive it
	unapplied        its receipt is stored and not applied: the sweeper sends it again; see the consumer's log
	already-handled  its receipt is applied or held: redrive it, and the consumer removes it
	damaged          its receipt cannot be read: see show

Examples:

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
func (c *dlqList) Run(ctx context.Context, s *cli.Session) error {
	if c.Limit < 1 {
		return cli.Usagef("", "--limit must be 1 or more")
	}
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	r, err := stack.Redriver()
	if err != nil {
		return err
	}
	var groups []messageGroup
	n := 0
	rows := cli.Table{Style: s.Style(), Header: []string{"MESSAGE", "SENT (UTC)", "CAUSE", "PROVIDER", "PAYOUTCTL SHOW"}}
	progress := s.StartProgress()
	more, err := r.Walk(ctx, c.Limit, func(diagnosed redrive.Diagnosis) error {
		n++
		progress("%d messages", n)
		if !c.Each {
			groups = addToGroup(groups, diagnosed)
			return nil
		}
		if s.Flags.JSON {
			return s.PrintJSON(newMessageView(diagnosed, false))
		}
		rows.Add(cli.Cells(diagnosed.ID, cli.FormatTime(diagnosed.SentAt), string(diagnosed.Cause), diagnosed.Provider(), cli.Clean(diagnosed.Receipt.Key.Payout))...)
		return nil
	})
	if err != nil {
		return err
	}
	return printGroups(s, groups, rows, n, more)
}

func printGroups(s *cli.Session, groups []messageGroup, rows cli.Table, n int, more bool) error {
	for _, g := range groups {
		if s.Flags.JSON {
			if err := s.PrintJSON(g); err != nil {
				return err
			}
		}
	}
	if len(groups) > 0 {
		rows = cli.Table{Style: s.Style(), Header: []string{"MESSAGES", "CAUSE", "PROVIDER", "OLDEST (UTC)", "EXAMPLE", "DETAIL"}}
		for _, item := range groups {
			rows.Add(cli.Cells(fmt.Sprint(item.Messages), string(item.Cause), item.Provider, cli.FormatTime(item.Oldest), item.Example, item.Detail)...)
		}
	}
	if !s.Flags.JSON && n > 0 {
		if err := s.Print(rows.String()); err != nil {
			return err
		}
	}
	switch {
	case n == 0:
		s.Notef("no visible dead-letter messages")
	case more:
		s.Notef("more than these %d: raise --limit", n)
	}
	return nil
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
}

func newMessageView(diagnosed redrive.Diagnosis, withBody bool) messageView {
	view := messageView{
		Message: diagnosed.ID, Cause: diagnosed.Cause, Detail: diagnosed.Why, SentAt: diagnosed.SentAt, Receives: diagnosed.Receives,
		Size: len(diagnosed.Body), Group: diagnosed.Group,
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

Examples:

	payoutctl --stack payouts-prod dlq show 0d1f0e1c-6a6c-4d2e-9f0b-8a5b6f3c2d11
	payoutctl --stack payouts-prod dlq show 0d1f0e1c-6a6c-4d2e-9f0b-8a5b6f3c2d11 --full
` + fmt.Sprintf(dlqPermissions, "") + `
Exit code 1 if no visible message has the id.`
}

// Run shows the message.
func (c *dlqShow) Run(ctx context.Context, s *cli.Session) error {
	stack, err := s.OpenStack(ctx)
	if err != nil {
		return err
	}
	r, err := stack.Redriver()
	if err != nil {
		return err
	}
	var wanted *redrive.Diagnosis
	if _, err := r.Walk(ctx, 1<<20, func(diagnosed redrive.Diagnosis) error {
		if diagnosed.ID == c.Message {
			wanted = &diagnosed
		}
		return nil
	}); err != nil {
		return err
	}
	switch {
	case wanted == nil:
		return errNoMessage(s, c.Message)
	case s.Flags.JSON:
		return s.PrintJSON(newMessageView(*wanted, s.Flags.Full))
	}
	return s.Print(messageText(s.Style(), *wanted))
}

func messageText(style cli.Style, diagnosed redrive.Diagnosis) string {
	rows := cli.Table{Style: style}
	rows.Add(cli.Cells("message", diagnosed.ID)...)
	rows.Add(cli.Cell{Text: "cause"}, cli.Cell{Text: string(diagnosed.Cause), Colour: cli.Yellow})
	if diagnosed.Why != "" {
		rows.Add(cli.Cells("detail", diagnosed.Why)...)
	}
	rows.Add(cli.Cells("sent", cli.FormatTime(diagnosed.SentAt)+" UTC, received "+cli.Count(diagnosed.Receives, "time"))...)
	rows.Add(cli.Cells("size", cli.Count(len(diagnosed.Body), "byte"))...)
	receipt := diagnosed.Receipt
	if diagnosed.Cause != redrive.Unreadable {
		rows.Add(cli.Cells("receipt", cli.Clean(receipt.Key.Payout)+"  "+cli.Clean(receipt.Key.Receipt))...)
		rows.Add(cli.Cells("accepted", cli.FormatTime(receipt.AcceptedAt)+" UTC, verified by key "+cli.Clean(receipt.KeyID))...)
		if receipt.State != inbox.Held && receipt.Resolution == nil {
			for _, field := range display.EventFields(style, receipt.Event) {
				rows.Add(cli.Cells("event "+field[0], field[1])...)
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
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return text
	}
	pretty, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return text
	}
	return string(pretty)
}
