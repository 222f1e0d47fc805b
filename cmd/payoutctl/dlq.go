package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/ops/redrive"
)

type dlqCommand struct {
	List    dlqListCommand    `cmd:"" help:"List the dead letters, grouped by why they are there."`
	Show    dlqShowCommand    `cmd:"" help:"Show one dead letter."`
	Redrive dlqRedriveCommand `cmd:"" help:"Send dead letters back to the events queue."`
	Export  dlqExportCommand  `cmd:"" help:"Write dead-letter messages to a file; with --delete, delete them from the queue."`
}

// dlqMost is how many letters are looked at unless told otherwise.
const dlqMost = "10000"

const dlqPermissions = `
Needs the permissions sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the dead-letter queue, dynamodb:GetItem on
the receipts table, and cloudformation:DescribeStacks%s. What is looked at is out of sight of the sweeper meanwhile, and
put back at the end; after a crash it comes back by itself within 30 seconds.`

func (s stack) redriver() (*redrive.Redriver, error) {
	if s.eventsQueueURL == "" || s.deadLetterQueueURL == "" {
		return nil, failure("deploy the template of this version", "stack %s does not tell its queues", s.name)
	}
	queue := redrive.SQS{Client: sqs.NewFromConfig(s.aws), EventsURL: s.eventsQueueURL, DeadLettersURL: s.deadLetterQueueURL}
	return &redrive.Redriver{Queue: queue, Receipts: s.reader()}, nil
}

type dlqListCommand struct {
	Each  bool `help:"List the letters one by one, with their ids."`
	Limit int  `help:"Stop after this many letters." default:"${dlqMost}" placeholder:"N"`
}

// Help gives examples.
func (dlqListCommand) Help() string {
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
type group struct {
	Cause    redrive.Cause `json:"cause"`
	Why      string        `json:"why,omitzero"`
	Provider string        `json:"provider,omitzero"`
	Messages int           `json:"messages"`
	Oldest   time.Time     `json:"oldest"`
	Example  string        `json:"example"` // its message id
}

// Run lists the letters.
func (c *dlqListCommand) Run(ctx context.Context, s *session) error {
	if c.Limit < 1 {
		return usage("", "--limit is how many: 1 or more")
	}
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	r, err := stack.redriver()
	if err != nil {
		return err
	}
	var groups []group
	n := 0
	rows := table{style: s.style(), header: []string{"MESSAGE", "SENT (UTC)", "CAUSE", "PROVIDER", "PAYOUTCTL SHOW"}}
	tell := s.progress()
	more, err := r.Walk(ctx, c.Limit, func(diagnosed redrive.Diagnosed) error {
		n++
		tell("%d letters", n)
		if !c.Each {
			groups = grouped(groups, diagnosed)
			return nil
		}
		if s.flags.JSON {
			return s.printJSON(newMessageView(diagnosed, false))
		}
		rows.add(plain(diagnosed.ID, instant(diagnosed.SentAt), string(diagnosed.Cause), diagnosed.Provider(), clean(diagnosed.Receipt.Key.Payout))...)
		return nil
	})
	if err != nil {
		return err
	}
	return s.printGroups(groups, rows, n, more)
}

func (s *session) printGroups(groups []group, rows table, n int, more bool) error {
	for _, g := range groups {
		if s.flags.JSON {
			if err := s.printJSON(g); err != nil {
				return err
			}
		}
	}
	if len(groups) > 0 {
		rows = table{style: s.style(), header: []string{"LETTERS", "CAUSE", "PROVIDER", "OLDEST (UTC)", "EXAMPLE", "WHY"}}
		for _, item := range groups {
			rows.add(plain(fmt.Sprint(item.Messages), string(item.Cause), item.Provider, instant(item.Oldest), item.Example, item.Why)...)
		}
	}
	if !s.flags.JSON && n > 0 {
		if err := s.print(rows.String()); err != nil {
			return err
		}
	}
	switch {
	case n == 0:
		s.notef("no dead letters in sight")
	case more:
		s.notef("there are more than these %d: --limit", n)
	}
	return nil
}

func grouped(groups []group, diagnosed redrive.Diagnosed) []group {
	key := group{Cause: diagnosed.Cause, Why: diagnosed.Why, Provider: diagnosed.Provider()}
	at := slices.IndexFunc(groups, func(g group) bool {
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
	Message  string        `json:"message"`
	Cause    redrive.Cause `json:"cause"`
	Why      string        `json:"why,omitzero"`
	SentAt   time.Time     `json:"sentAt"`
	Receives int           `json:"receives"`
	Size     int           `json:"size"`
	Group    string        `json:"group,omitzero"`
	Carries  *receiptView  `json:"carries,omitempty"`
	Body     string        `json:"body,omitzero"`
}

func newMessageView(diagnosed redrive.Diagnosed, withBody bool) messageView {
	view := messageView{
		Message: diagnosed.ID, Cause: diagnosed.Cause, Why: diagnosed.Why, SentAt: diagnosed.SentAt, Receives: diagnosed.Receives,
		Size: len(diagnosed.Body), Group: diagnosed.Group,
	}
	if diagnosed.Cause != redrive.Unreadable {
		carried := receiptViewOf(entry{Receipt: diagnosed.Receipt}, withBody)
		view.Carries = &carried
	}
	if withBody {
		view.Body = strings.ToValidUTF8(diagnosed.Body, "\uFFFD")
	}
	return view
}

type dlqShowCommand struct {
	Message string `arg:"" help:"Id of the message, as list shows it."`
}

// Help gives examples.
func (dlqShowCommand) Help() string {
	return `Shows what a dead letter carries. Its text is shown with --full: it may hold addresses and account numbers.

Examples:

	payoutctl --stack payouts-prod dlq show 0d1f0e1c-6a6c-4d2e-9f0b-8a5b6f3c2d11
	payoutctl --stack payouts-prod dlq show 0d1f0e1c-6a6c-4d2e-9f0b-8a5b6f3c2d11 --full
` + fmt.Sprintf(dlqPermissions, "") + `
Exit code 1 where no such letter is in sight.`
}

// Run shows the letter.
func (c *dlqShowCommand) Run(ctx context.Context, s *session) error {
	stack, err := s.stack(ctx)
	if err != nil {
		return err
	}
	r, err := stack.redriver()
	if err != nil {
		return err
	}
	var wanted *redrive.Diagnosed
	if _, err := r.Walk(ctx, 1<<20, func(diagnosed redrive.Diagnosed) error {
		if diagnosed.ID == c.Message {
			wanted = &diagnosed
		}
		return nil
	}); err != nil {
		return err
	}
	switch {
	case wanted == nil:
		return no("see them with: "+s.self()+" dlq list --each", "no dead letter in sight has the id %s", clean(c.Message))
	case s.flags.JSON:
		return s.printJSON(newMessageView(*wanted, s.flags.Full))
	}
	return s.print(messageText(s.style(), *wanted))
}

func messageText(style style, diagnosed redrive.Diagnosed) string {
	rows := table{style: style}
	rows.add(plain("message", diagnosed.ID)...)
	rows.add(cell{text: "cause"}, cell{text: string(diagnosed.Cause), colour: yellow})
	if diagnosed.Why != "" {
		rows.add(plain("why", diagnosed.Why)...)
	}
	rows.add(plain("sent", instant(diagnosed.SentAt)+" UTC, received "+count(diagnosed.Receives, "time"))...)
	rows.add(plain("size", count(len(diagnosed.Body), "byte"))...)
	receipt := diagnosed.Receipt
	if diagnosed.Cause != redrive.Unreadable {
		rows.add(plain("receipt", clean(receipt.Key.Payout)+"  "+clean(receipt.Key.Receipt))...)
		rows.add(plain("accepted", instant(receipt.AcceptedAt)+" UTC, by the key "+clean(receipt.KeyID))...)
		if receipt.State != inbox.Held && receipt.Resolution == nil {
			for _, eventField := range eventFields(style, receipt.Event) {
				rows.add(plain("says "+eventField[0], eventField[1])...)
			}
		}
	}
	if !style.full {
		return rows.String() + "--full shows its text.\n"
	}
	return rows.String() + "\n" + quotedLines(indented(diagnosed.Body)) + "\n"
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
