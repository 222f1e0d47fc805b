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

type DLQ struct {
	List    dlqList    `cmd:"" help:"List the dead letters, grouped by why they are there."`
	Show    dlqShow    `cmd:"" help:"Show one dead letter."`
	Redrive dlqRedrive `cmd:"" help:"Send dead letters back to the events queue."`
	Export  dlqExport  `cmd:"" help:"Write dead-letter messages to a file; with --delete, delete them from the queue."`
}

// dlqMost is how many letters are looked at unless told otherwise.
const DefaultDLQLimit = "10000"

const dlqPermissions = `
Needs the permissions sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the dead-letter queue, dynamodb:GetItem on
the receipts table, and cloudformation:DescribeStacks%s. What is looked at is out of sight of the sweeper meanwhile, and
put back at the end; after a crash it comes back by itself within 30 seconds.`

type dlqList struct {
	Each  bool `help:"List the letters one by one, with their ids."`
	Limit int  `help:"Stop after this many letters." default:"${dlqMost}" placeholder:"N"`
}

// Help gives examples.
func (dlqList) Help() string {
	return `The causes, and what each asks for:

	unreadable       it does not decode as a message of ours: redrive it after a deploy that knows it, or export and delete it
	absent           it is ours and the only copy: the sweeper takes it in within a minute; if not, sweep, or redrive it
	unapplied        its receipt is stored and waits: the sweeper sends it; look at the consumer's log
	already-handled  its receipt is applied, or held: redrive it, and it is gone
	damaged          what is stored under its key cannot be read: see show

Examples:

	payoutctl --stack payouts-prod dlq list
	payoutctl --stack payouts-prod dlq list --each --json
` + fmt.Sprintf(dlqPermissions, "")
}

// group is letters that are there for one reason.
type messageGroup struct {
	Cause    redrive.Cause `json:"cause"`
	Why      string        `json:"why,omitzero"`
	Provider string        `json:"provider,omitzero"`
	Messages int           `json:"messages"`
	Oldest   time.Time     `json:"oldest"`
	Example  string        `json:"example"` // its message id
}

// Run lists the letters.
func (c *dlqList) Run(ctx context.Context, s *cli.Session) error {
	if c.Limit < 1 {
		return cli.Usagef("", "--limit is how many: 1 or more")
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
	tell := s.StartProgress()
	more, err := r.Walk(ctx, c.Limit, func(diagnosed redrive.Diagnosis) error {
		n++
		tell("%d letters", n)
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
		rows = cli.Table{Style: s.Style(), Header: []string{"LETTERS", "CAUSE", "PROVIDER", "OLDEST (UTC)", "EXAMPLE", "WHY"}}
		for _, item := range groups {
			rows.Add(cli.Cells(fmt.Sprint(item.Messages), string(item.Cause), item.Provider, cli.FormatTime(item.Oldest), item.Example, item.Why)...)
		}
	}
	if !s.Flags.JSON && n > 0 {
		if err := s.Print(rows.String()); err != nil {
			return err
		}
	}
	switch {
	case n == 0:
		s.Notef("no dead letters in sight")
	case more:
		s.Notef("there are more than these %d: --limit", n)
	}
	return nil
}

func addToGroup(groups []messageGroup, diagnosed redrive.Diagnosis) []messageGroup {
	key := messageGroup{Cause: diagnosed.Cause, Why: diagnosed.Why, Provider: diagnosed.Provider()}
	at := slices.IndexFunc(groups, func(g messageGroup) bool {
		return g.Cause == key.Cause && g.Why == key.Why && g.Provider == key.Provider
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

// letterView is a dead letter as --json shows it.
type messageView struct {
	Message  string           `json:"message"`
	Cause    redrive.Cause    `json:"cause"`
	Why      string           `json:"why,omitzero"`
	SentAt   time.Time        `json:"sentAt"`
	Receives int              `json:"receives"`
	Size     int              `json:"size"`
	Group    string           `json:"group,omitzero"`
	Carries  *display.Receipt `json:"carries,omitempty"`
	Body     string           `json:"body,omitzero"`
}

func newMessageView(diagnosed redrive.Diagnosis, withBody bool) messageView {
	view := messageView{
		Message: diagnosed.ID, Cause: diagnosed.Cause, Why: diagnosed.Why, SentAt: diagnosed.SentAt, Receives: diagnosed.Receives,
		Size: len(diagnosed.Body), Group: diagnosed.Group,
	}
	if diagnosed.Cause != redrive.Unreadable {
		carried := display.NewReceipt(display.Entry{Receipt: diagnosed.Receipt}, withBody)
		view.Carries = &carried
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
	return `Shows what a dead letter carries. Its text is shown with --full: it may hold addresses and account numbers.

Examples:

	payoutctl --stack payouts-prod dlq show 0d1f0e1c-6a6c-4d2e-9f0b-8a5b6f3c2d11
	payoutctl --stack payouts-prod dlq show 0d1f0e1c-6a6c-4d2e-9f0b-8a5b6f3c2d11 --full
` + fmt.Sprintf(dlqPermissions, "") + `
Exit code 1 where no such letter is in sight.`
}

// Run shows the letter.
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
		return cli.Negativef("see them with: "+s.Program()+" dlq list --each", "no dead letter in sight has the id %s", cli.Clean(c.Message))
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
		rows.Add(cli.Cells("why", diagnosed.Why)...)
	}
	rows.Add(cli.Cells("sent", cli.FormatTime(diagnosed.SentAt)+" UTC, received "+cli.Count(diagnosed.Receives, "time"))...)
	rows.Add(cli.Cells("size", cli.Count(len(diagnosed.Body), "byte"))...)
	receipt := diagnosed.Receipt
	if diagnosed.Cause != redrive.Unreadable {
		rows.Add(cli.Cells("receipt", cli.Clean(receipt.Key.Payout)+"  "+cli.Clean(receipt.Key.Receipt))...)
		rows.Add(cli.Cells("accepted", cli.FormatTime(receipt.AcceptedAt)+" UTC, by the key "+cli.Clean(receipt.KeyID))...)
		if receipt.State != inbox.Held && receipt.Resolution == nil {
			for _, eventField := range display.EventFields(style, receipt.Event) {
				rows.Add(cli.Cells("says "+eventField[0], eventField[1])...)
			}
		}
	}
	if !style.Full {
		return rows.String() + "--full shows its text.\n"
	}
	return rows.String() + "\n" + cli.PrefixLines(indented(diagnosed.Body)) + "\n"
}

// indented makes JSON readable, and leaves anything else as it is.
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
