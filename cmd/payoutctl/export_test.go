package main

import (
	"context"
	"crypto/rand"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"payout-callbacks/pkg/aws/dynamostore"
	"payout-callbacks/pkg/inbox"
	"payout-callbacks/pkg/lambda/publisher"
	"payout-callbacks/pkg/notification"
	"payout-callbacks/pkg/ops/audit"
	"payout-callbacks/pkg/payout"
)

// Main is the program, for scripts.
func Main() { main() }

// Run is run, with nothing to read and no environment.
func Run(args []string, stdout, stderr io.Writer) int {
	return run(context.Background(), args, streams{strings.NewReader(""), stdout, stderr}, func(string) string { return "" })
}

// What the unit tests look at.
var (
	Edit        = edit
	ParseChange = parseChange
	Field       = field
	Clean       = clean
	QuotedLines = quotedLines
	Visible     = visible
	JSONLine    = jsonLine
	Age         = age
	PayoutTable = payoutTable
	ViewOf      = viewOf
	ParseSince  = parseSince
	ReadExample = examples.ReadFile
	AlarmIn     = alarmIn
)

// Judge returns what audit prints of a summary, and its exit code.
func Check(summary audit.Summary, from time.Time) (string, int) {
	view := auditView{Summary: summary, From: from, NotProven: notProven(summary)}
	code := 0
	if err := view.problem(); err != nil {
		code = problemOf(err).code
	}
	return auditText(style{}, view, from), code
}

// Remedy returns what is to be done about a finding.
func Remedy(f audit.Finding) string { return (&session{}).remedy(f) }

// Outputs lists the outputs of the template that are read.
func Outputs() []string {
	return []string{outputAPI, outputReceipts, outputPayouts, outputEvents, outputDeadLetters, outputBus}
}

// KeysSecretSuffix ends the name of the output with a provider's secret.
const KeysSecretSuffix = keysSecretSuffix

type (
	// Style is style.
	Style = style
	// Story is story.
	PayoutHistory = payoutHistory
)

// NewStyle returns a style.
func NewStyle(colours, full bool) Style { return style{colours: colours, full: full} }

// HeldText is heldText.
func HeldText(style Style, held inbox.Receipt, now time.Time) string {
	return heldText(style, held, now, "payoutctl --local")
}

// Private is style.private.
func (s style) Private(text string) string { return s.private(text) }

// Tell adds a receipt to a story, of which record is the state.
func LoadHistory(history PayoutHistory, record payout.Record, receipt inbox.Receipt) PayoutHistory {
	history.record, history.exists = dynamostore.Stored{Record: record, UpdatedAt: receipt.AcceptedAt}, record.Version > 0
	history.entries = append(history.entries, entry{Receipt: receipt})
	return history
}

// Forget takes the nth receipt out of a story.
func Forget(history PayoutHistory, n int) PayoutHistory {
	history.entries = slices.Delete(history.entries, n, n+1)
	return history
}

// Damage marks the nth receipt of a story as unreadable.
func Damage(history PayoutHistory, n int) PayoutHistory {
	history.entries[n].damaged = true
	return history
}

// Text is story.text.
func (t payoutHistory) Text(style Style, now time.Time) string {
	return t.text(style, now, "payoutctl --local")
}

// Republish publishes the notices of payouts on a bus, and returns how many.
func Republish(ctx context.Context, bus publisher.Bus, payouts iter.Seq2[dynamostore.Stored, error], notes io.Writer) (int, error) {
	s := &session{streams: streams{stderr: notes}, now: time.Now}
	p := &republisher{session: s, bus: bus, reason: "test", printedAt: s.now(), result: republished{Notices: map[notification.Type]int{}}}
	err := p.publishAll(ctx, payouts)
	return p.result.total(), err
}

// Listen subscribes a listener and says what went wrong.
func Listen(ctx context.Context, config aws.Config, topic string) error {
	d := &drill{session: &session{now: time.Now, random: rand.Reader}, stack: stack{name: "s", aws: config}}
	_, err := d.listen(ctx, topic)
	return err
}

// JudgeAlarms is judgeAlarms, in words.
func CheckAlarms(name, topic string, all []types.MetricAlarm) string {
	return checkAlarms(stack{name: name, outputs: map[string]string{outputTopic: topic}}, all).words()
}

// JudgeLocalAlarms is judgeAlarms of the local stack, in words.
func CheckLocalAlarms(topic string, all []types.MetricAlarm) string {
	return checkAlarms(stack{name: "s", local: true, outputs: map[string]string{outputTopic: topic}}, all).words()
}

// JudgeSubscribers is judgeSubscribers of a deployed stack, in words.
func CheckSubscribers(confirmed, pending int) string {
	return checkSubscribers(false, confirmed, pending).words()
}

func (f finding) words() string { return string(f.Health) + ": " + f.Detail }

// Commands returns the commands and the help of each.
func Commands() map[string]string {
	names := kong.Vars{"statuses": "", "causes": "", "reasons": "", "dlqMost": "1", "when": ""}
	commands := map[string]string{}
	for _, command := range kong.Must(&commandLine{}, names, kong.ExplicitGroups(groups())).Model.Leaves(true) {
		commands[command.Path()] = command.Detail
	}
	return commands
}

// RunOn is Run on the local stack that a file describes.
func RunOn(stack string, args []string, stdout, stderr io.Writer) int {
	return run(context.Background(), append([]string{"--local"}, args...), streams{strings.NewReader(""), stdout, stderr}, func(name string) string {
		if name == stackVariable {
			return stack
		}
		return ""
	})
}
