package cli

import (
	"context"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"payout-callbacks/pkg/callback"
	"payout-callbacks/pkg/inbox"
)

// hand is who is about to change something in a stack, as AWS knows them.
func (s *Session) ChangedBy(ctx context.Context, stack Stack, reason string) (inbox.ChangedBy, error) {
	if err := (ReasonFlags{Reason: reason}).Check(); err != nil {
		return inbox.ChangedBy{}, err
	}
	by := "the local stack's user"
	if !stack.Local {
		identity, err := sts.NewFromConfig(stack.AWS).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return inbox.ChangedBy{}, fmt.Errorf("who is this: %w", err)
		}
		by = aws.ToString(identity.Arn)
	}
	if person, err := user.Current(); err == nil && person.Username != "" {
		by += " (" + person.Username + ")"
	}
	return inbox.NewChangedBy(by, reason, s.Now()), nil
}

// globalFlags are the flags of every command.
type GlobalFlags struct {
	Local   bool   `help:"The local stack: .local/stack.json in this directory or a parent, or the file that PAYOUT_CALLBACKS_STACK names." xor:"stack"`
	Stack   string `help:"A deployed stack, by its CloudFormation name, through the usual AWS configuration." placeholder:"NAME" xor:"stack"`
	Region  string `help:"AWS region of --stack, instead of the configured one." placeholder:"REGION"`
	Profile string `help:"AWS profile for --stack, instead of the configured one." placeholder:"PROFILE"`
	JSON    bool   `name:"json" help:"Print JSON, one object a line, nothing shortened."`
	Full    bool   `help:"Do not shorten addresses and long texts."`
}

// onPurpose is what every change made by hand is told with.
type ReasonFlags struct {
	Reason string `help:"Why: recorded with the change." placeholder:"TEXT"`
	Yes    bool   `help:"Do not ask before changing a deployed stack."`
}

func (o ReasonFlags) Check() error {
	if strings.TrimSpace(o.Reason) == "" {
		return Usagef("it is recorded with the change: --reason 'ticket 4711: the provider confirmed it'", "--reason is missing")
	}
	return nil
}

// whenHelp says what when reads.
const TimeHelp = "2026-11-21, 2026-11-21T09:00:00Z, or how long ago: 30m, 2h, 3d"

// when reads a time, in UTC, or a span before now; the zero time where none is
// given.
func (s *Session) ParseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	span, err := ParseDuration(text)
	if err != nil || span < 0 {
		return time.Time{}, Usagef("", "%s: %q is no time; give %s", flag, text, TimeHelp)
	}
	return s.Now().UTC().Add(-span), nil
}

// spanOf reads a span, of days as well.
func ParseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// checkChoice refuses a provider that there is not, and what no callback is held
// for: nothing would be found, and that would read as good news.
func CheckHeldFilter(provider, heldFor string) error {
	if provider != "" {
		if _, err := FindProvider(provider); err != nil {
			return err
		}
	}
	if heldFor != "" && !slices.Contains(callback.Reasons(), callback.Reason(heldFor)) {
		return Usagef("", "--held-reason: nothing is held for %q; the reasons are: %s", heldFor, HeldReasons())
	}
	return nil
}

func HeldReasons() string {
	var names []string
	for _, reason := range callback.Reasons() {
		names = append(names, string(reason))
	}
	return strings.Join(names, ", ")
}
