// Package prove holds the commands that check a stack: audit compares the tables with
// each other and with logs, doctor checks the deployment, drill triggers the alarms.
package prove

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"payout-callbacks/cmd/payoutctl/internal/cli"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/providers"
	"payout-callbacks/pkg/ops/audit"
)

// Audit checks that nothing was lost.
type Audit struct {
	From      cli.Time `help:"Only receipts accepted since, and payouts updated since: ${when}." placeholder:"TIME"`
	To        cli.Time `help:"Only receipts accepted before." placeholder:"TIME"`
	AccessLog []string `help:"Lines of JSON of the gateway's access log or of the functions' logs; - for standard input. Can be repeated." placeholder:"FILE" sep:"none"`
}

// Help gives examples.
func (Audit) Help() string {
	return `Checks the invariants of both tables: each receipt's state and index entry are correct; each payout equals the fold of
its applied receipts, and its version is their number; each applied receipt has a payout; each released callback has the
receipt of its event; each expected payout without a final status is scheduled. How many of the expected payouts are
final, open, overdue or conflicted is counted and is no finding. Receipts that wait for more than 12 minutes are listed, younger ones are counted. A suspicious
item is read again before it is listed, so callbacks may arrive meanwhile. The command changes nothing and reads every
item: ten million payouts take about an hour and cost a few dollars.

What logs prove: the lines of the functions name the receipt of each acknowledged callback, which must be in the table.
The lines of the gateway name the callbacks that were answered 200; if both are given, each must have a line of its
function. With --from and --to, for which the logs must be complete, no more receipts may have been accepted than
callbacks were acknowledged. The verdict says what the given logs do not prove. A request counts once; the ids of at
most five million requests are held in memory.

	payoutctl --stack payouts-prod audit --from 24h
	payoutctl --stack payouts-prod audit --from 2026-11-20 --to 2026-11-21 --access-log access.jsonl --access-log cregis.jsonl
	aws logs tail LOG_GROUP --since 1d --format short | cut -d' ' -f2- | payoutctl --stack payouts-prod audit --access-log -

Needs the permissions dynamodb:Scan, dynamodb:Query and dynamodb:GetItem on both tables, sqs:GetQueueAttributes on both
queues and cloudformation:DescribeStacks. Exit code 1 if there are findings, each with the command that repairs it, or if
no line of a given log is from the gateway or an ingress function.`
}

// Check returns an error if the end is not after the beginning.
func (c *Audit) Check() error {
	if !c.To.IsZero() && !c.From.Before(c.To.Time) {
		return cli.Usagef("", "--from must be before --to")
	}
	return nil
}

// Run audits the stack.
func (c *Audit) Run(ctx context.Context, s *cli.Session, stack cli.Stack) error {
	summary, err := c.audit(ctx, s, &audit.Audit{Source: stack.Editor(), From: c.From.Time, To: c.To.Time, Now: s.Now(), Queries: queryModes(stack)})
	if err != nil {
		return err
	}
	view := auditView{
		Summary: summary, From: c.From.Time, To: c.To.Time, NotProven: notProven(summary),
	}
	// An unknown depth does not end the audit.
	view.Events, _ = MeasureQueue(ctx, stack, stack.EventsQueueURL)
	view.DeadLetters, _ = MeasureQueue(ctx, stack, stack.DeadLetterQueueURL)
	printed := struct {
		Summary auditView `json:"summary"`
	}{view}
	if err := s.PrintResult(printed, auditText(s.Style(), view, s.Now())); err != nil {
		return err
	}
	return view.problem()
}

// queryModes returns the mode of queries of each provider, from the outputs of the stack.
func queryModes(stack cli.Stack) map[string]inbox.QueryMode {
	modes := map[string]inbox.QueryMode{}
	for _, d := range providers.All() {
		modes[d.Name()] = inbox.QueryMode(stack.Outputs[d.QueriesParameter()])
	}
	return modes
}

// audit runs the audit and prints each finding at once.
func (c *Audit) audit(ctx context.Context, s *cli.Session, a *audit.Audit) (audit.Summary, error) {
	var printErr error
	a.Report = func(f audit.Finding) {
		if err := printFinding(s, f); err != nil {
			printErr = err
		}
	}
	progress := s.StartProgress()
	a.Progress = func(item audit.Summary) {
		progress("%d receipts, %d payouts, %s", item.Receipts, item.Payouts, cli.Count(int(item.Findings), "finding"))
	}
	for _, name := range c.AccessLog {
		if err := readLog(ctx, s, a, name); err != nil {
			return audit.Summary{}, err
		}
	}
	summary, err := a.Run(ctx)
	if err != nil {
		return summary, err
	}
	return summary, printErr
}

func readLog(ctx context.Context, s *cli.Session, a *audit.Audit, name string) error {
	log, err := s.Open(name, "log")
	if err != nil {
		return err
	}
	defer log.Close()
	return a.ReadLog(ctx, log)
}

func printFinding(s *cli.Session, f audit.Finding) error {
	view := struct {
		audit.Finding

		Repair string `json:"repair,omitempty"`
	}{f, remedy(s, f)}
	words := []string{s.Style().Paint(cli.Red, string(f.Kind)), cli.Clean(f.Payout), cli.Clean(f.Receipt), cli.Clean(f.Request)}
	isEmpty := func(text string) bool { return text == "" }
	line := strings.Join(slices.DeleteFunc(words, isEmpty), "  ")
	lines := slices.DeleteFunc([]string{line, cli.Clean(f.Detail), view.Repair}, isEmpty)
	return s.PrintResult(view, strings.Join(lines, "\n  ")+"\n")
}

// remedy returns the command that repairs a finding, or how to find out more.
func remedy(s *cli.Session, f audit.Finding) string {
	id := cli.Quote(f.Payout)
	switch f.Kind {
	case audit.PayoutAltered, audit.PayoutDamaged, audit.PayoutMissing, audit.FactMissing, audit.PayoutUnscheduled, audit.ReceiptIndexMismatch:
		return s.Program() + " rebuild " + id + " --reason '…'"
	case audit.FactUnproven:
		return "restore the receipt, or have the provider send the payout's callback again; then: " +
			s.Program() + " rebuild " + id + " --reason '…'"
	case audit.ReceiptDamaged, audit.PayoutUnchecked:
		return "restore the receipt; its raw content: " + s.Program() + " show " + id + " --json"
	case audit.ReceiptUnexplained:
		return "find out who changed it, and why: " + s.Program() + " show " + id + " --full"
	case audit.ReceiptUnknown:
		return "a later version of this program wrote it: use that version"
	case audit.ReceiptWaiting:
		return s.Program() + " sweep, which sends it again, or applies it if the queue rejects it"
	case audit.ReceiptGone:
		return s.Program() + " release " + id + " --reason '…'"
	case audit.AcknowledgedLost:
		return s.Program() + " dlq list"
	}
	return ""
}

// QueueDepth is the approximate number of messages in a queue.
type QueueDepth struct {
	Waiting  *int64 `json:"waiting"` // null if unknown
	InFlight *int64 `json:"inFlight"`
}

// auditView is the summary of an audit.
type auditView struct {
	audit.Summary

	From        time.Time  `json:"from,omitzero"`
	To          time.Time  `json:"to,omitzero"`
	Events      QueueDepth `json:"events"`
	DeadLetters QueueDepth `json:"deadLetters"`
	NotProven   []string   `json:"notProven,omitempty"` // in words
}

func auditText(style cli.Style, view auditView, now time.Time) string {
	rows := cli.Table{Style: style}
	row := rows.AddField
	var states []string
	known := int64(0)
	for _, state := range []inbox.State{inbox.Applied, inbox.Received, inbox.Held, inbox.Released, inbox.Dismissed, inbox.Answered} {
		known += view.States[state]
		states = append(states, fmt.Sprintf("%d %s", view.States[state], state))
	}
	if other := view.Receipts - known; other != 0 {
		states = append(states, fmt.Sprintf("%d in unknown states", other))
	}
	row("receipts", fmt.Sprintf("%d = %s", view.Receipts, strings.Join(states, " + ")), "")
	if view.Receipts == 0 {
		row("", view.nothing(), cli.Yellow)
	}
	for _, state := range []inbox.State{inbox.Received, inbox.Held} {
		if oldest, ok := view.Oldest[state]; ok {
			row("", fmt.Sprintf("oldest %s: %s", state, cli.FormatAge(now.Sub(oldest))), cli.Yellow)
		}
	}
	row("payouts", strconv.FormatInt(view.Payouts, 10), "")
	if view.Moving > 0 {
		row("", fmt.Sprintf("%d of them changed during each read and were not checked: run the audit again", view.Moving), cli.Yellow)
	}
	if expected := view.Expected; expected.Total > 0 {
		row("expected", fmt.Sprintf("%d = %d final + %d open + %d overdue + %d conflicted",
			expected.Total, expected.Final, expected.Open, expected.Overdue, expected.Conflicted), "")
	}
	if view.Unscheduled > 0 {
		row("", fmt.Sprintf("%s not scheduled for a query: the mode of queries was changed after they were updated; a rebuild schedules one",
			cli.Count(int(view.Unscheduled), "payout")), cli.Yellow)
	}
	row("events", view.Events.text(), "")
	row("dead letters", view.DeadLetters.text(), "")
	if log := view.Log; log != nil {
		row("log", fmt.Sprintf("%s, %d unrecognised, %d repeated; %d answered 200 by the gateway, %d acknowledged by functions, %d with a receipt in the range",
			cli.Count(int(log.Lines), "line"), log.Unreadable, log.Repeated, log.Answered, log.Acknowledged, log.Receipts), "")
		if log.NoRoute > 0 {
			row("no route", fmt.Sprintf("%s answered 404: a provider may use a wrong URL; see sourceIp in the lines", cli.Count(int(log.NoRoute), "POST request")), cli.Yellow)
		}
	}
	row("verdict", view.verdict(), view.colour())
	for _, item := range view.NotProven {
		row("not proven", item, "")
	}
	return rows.String()
}

func (d QueueDepth) text() string {
	if d.Waiting == nil || d.InFlight == nil {
		return "unknown (needs sqs:GetQueueAttributes)"
	}
	return fmt.Sprintf("%d waiting, %d in flight", *d.Waiting, *d.InFlight)
}

// MeasureQueue reads the depth of a queue.
func MeasureQueue(ctx context.Context, stack cli.Stack, url string) (QueueDepth, error) {
	if url == "" {
		return QueueDepth{}, cli.Failuref("deploy the template of this version", "the stack has no output for it")
	}
	names := []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}
	out, err := sqs.NewFromConfig(stack.AWS).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return QueueDepth{}, err
	}
	waiting, err := strconv.ParseInt(out.Attributes[string(names[0])], 10, 64)
	if err != nil {
		return QueueDepth{}, fmt.Errorf("read depth of queue: %w", err)
	}
	depth := QueueDepth{Waiting: &waiting}
	if inFlight, err := strconv.ParseInt(out.Attributes[string(names[1])], 10, 64); err == nil {
		depth.InFlight = &inFlight
	}
	return depth, nil
}

// cleanVerdict means that there is nothing else to report.
const cleanVerdict = "consistent"

// notProven lists what the audit cannot prove from the given logs.
func notProven(summary audit.Summary) []string {
	const stored = "that every acknowledged callback is stored: "
	log := summary.Log
	switch {
	case log == nil:
		return []string{stored + "no log was given (--access-log)"}
	case log.Recognised() == 0:
		return []string{stored + "no line is from the gateway or an ingress function"}
	case log.Answered+log.Acknowledged == 0:
		return []string{stored + "the logs contain no acknowledgement in that time"}
	case log.Acknowledged == 0:
		return []string{"that every callback answered 200 is stored: only the functions' lines name the receipts"}
	case log.Answered == 0:
		return []string{"that every answer 200 of the gateway has a function's line: its access log was not given"}
	}
	return nil
}

func (v auditView) unreadLog() bool { return v.Log != nil && v.Log.Recognised() == 0 }

// nothing describes an audit without receipts.
func (v auditView) nothing() string {
	if !v.From.IsZero() || !v.To.IsZero() {
		return "no receipt was accepted in that time"
	}
	return "there are no receipts"
}

// verdict summarises the audit, within the limits of what was checked.
func (v auditView) verdict() string {
	switch {
	case v.Findings > 0:
		return cli.Count(int(v.Findings), "finding") + ", listed above"
	case v.unreadLog():
		return "the tables are consistent, and the log proves nothing"
	case v.Receipts == 0 && v.Payouts == 0:
		return "nothing to check: " + v.nothing()
	case v.Log != nil && v.Log.Acknowledged == 0:
		return "the tables are consistent, and the log names none of their receipts"
	}
	return cleanVerdict
}

func (v auditView) colour() string {
	switch {
	case v.problem() != nil:
		return cli.Red
	case v.verdict() == cleanVerdict:
		return cli.Green
	}
	return cli.Yellow
}

// problem returns the error for an exit code other than 0.
func (v auditView) problem() error {
	switch {
	case v.Findings > 0:
		return cli.Negativef("", "%s", cli.Count(int(v.Findings), "finding"))
	case v.unreadLog():
		return cli.Negativef("give lines of JSON of the gateway's access log, or of the functions' own logs",
			"none of %s of the log is from the gateway or an ingress function", cli.Count(int(v.Log.Lines), "line"))
	}
	return nil
}
