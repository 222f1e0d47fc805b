package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"payout-callbacks/pkg/callback"
)

// GlobalFlags are the flags of every command.
type GlobalFlags struct {
	Local   bool   `help:"The local stack: .local/stack.json in this directory or a parent, or the file that PAYOUT_CALLBACKS_STACK names." xor:"stack"`
	Stack   string `help:"A deployed stack, by its CloudFormation name, through the usual AWS configuration." placeholder:"NAME" xor:"stack"`
	Region  string `help:"AWS region of --stack, instead of the configured one." placeholder:"REGION"`
	Profile string `help:"AWS profile for --stack, instead of the configured one." placeholder:"PROFILE"`
	JSON    bool   `name:"json" help:"Print JSON, one object a line, nothing shortened."`
	Full    bool   `help:"Do not shorten addresses and long texts."`
}

// ChangeFlags are the flags of every command that changes a stack.
type ChangeFlags struct {
	Reason string `help:"Reason, recorded with the change." placeholder:"TEXT"`
	Yes    bool   `help:"Skip the confirmation on a deployed stack."`
}

// Check returns an error if the reason is missing.
func (f ChangeFlags) Check() error {
	if strings.TrimSpace(f.Reason) == "" {
		return Usagef("it is recorded with the change: --reason 'ticket 4711: the provider confirmed it'", "--reason is missing")
	}
	return nil
}

// PlannedChangeFlags are ChangeFlags of a command that can print the change first.
type PlannedChangeFlags struct {
	DryRun bool `help:"Print what would be changed, and change nothing."`
	ChangeFlags
}

// Check returns an error if the reason of a change is missing. A dry run needs none.
func (f PlannedChangeFlags) Check() error {
	if f.DryRun {
		return nil
	}
	return f.ChangeFlags.Check()
}

// ListFlags are the flags of every command that lists payouts or receipts.
type ListFlags struct {
	Provider Provider `help:"Only this provider." placeholder:"NAME"`
	Account  string   `help:"Only this account." placeholder:"ID"`
	Limit    Limit    `help:"Maximum number of results." default:"50" placeholder:"N"`
}

// Limit is the value of a flag: a number of 1 or more.
type Limit int

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Limit) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return errors.New("the number must be 1 or more")
	}
	*l = Limit(n)
	return nil
}

// Provider is the value of a flag: the name of a provider.
type Provider string

const providerNouns = "provider; the providers"

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Provider) UnmarshalText(text []byte) error {
	*p = Provider(text)
	return CheckName(*p, providerNouns, ProviderNames())
}

// HeldReason is the value of a flag: a reason why callbacks are held.
type HeldReason callback.Reason

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *HeldReason) UnmarshalText(text []byte) error {
	*r = HeldReason(text)
	return CheckName(callback.Reason(*r), "held reason; the reasons", callback.Reasons())
}

// CheckName rejects an unknown name: the empty list that it leads to would read as
// good news.
func CheckName[T ~string](name T, nouns string, names []T) error {
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("%q is not a %s are: %s", name, nouns, JoinNames(names))
}

// JoinNames lists names for help texts and messages.
func JoinNames[T ~string](names []T) string {
	texts := make([]string, len(names))
	for n, name := range names {
		texts[n] = string(name)
	}
	return strings.Join(texts, ", ")
}

// TimeHelp lists the forms of a Time.
const TimeHelp = "2026-11-21, 2026-11-21T09:00:00Z, or how long ago: 30m, 2h, 3d"

// Time is the value of a flag: a time in UTC, or how long ago. Without the flag it is
// the zero time.
type Time struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Time) UnmarshalText(text []byte) (err error) {
	t.Time, err = parseTime(string(text), time.Now())
	return err
}

func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	var age Age
	if err := age.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time; give %s", text, TimeHelp)
	}
	return now.UTC().Add(-time.Duration(age)), nil
}

// Age is the value of a flag: a duration, also in days.
type Age time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Age) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		span = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || span < 0 {
		return fmt.Errorf("%q is not a duration; give 10m, 2h or 3d", text)
	}
	*a = Age(span)
	return nil
}
