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

// ChangedBy returns the caller as AWS identifies them, with the reason, for the
// record of a change.
func (s *Session) ChangedBy(ctx context.Context, stack Stack, reason string) (inbox.ChangedBy, error) {
	if err := (ReasonFlags{Reason: reason}).Check(); err != nil {
		return inbox.ChangedBy{}, err
	}
	by := "the local stack's user"
	if !stack.Local {
		identity, err := sts.NewFromConfig(stack.AWS).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return inbox.ChangedBy{}, fmt.Errorf("get caller identity: %w", err)
		}
		by = aws.ToString(identity.Arn)
	}
	if person, err := user.Current(); err == nil && person.Username != "" {
		by += " (" + person.Username + ")"
	}
	return inbox.NewChangedBy(by, reason, s.Now()), nil
}

// GlobalFlags are the flags of every command.
type GlobalFlags struct {
	Local   bool   `help:"The local stack: .local/stack.json in this directory or a parent, or the file that PAYOUT_CALLBACKS_STACK names." xor:"stack"`
	Stack   string `help:"A deployed stack, by its CloudFormation name, through the usual AWS configuration." placeholder:"NAME" xor:"stack"`
	Region  string `help:"AWS region of --stack, instead of the configured one." placeholder:"REGION"`
	Profile string `help:"AWS profile for --stack, instead of the configured one." placeholder:"PROFILE"`
	JSON    bool   `name:"json" help:"Print JSON, one object a line, nothing shortened."`
	Full    bool   `help:"Do not shorten addresses and long texts."`
}

// ReasonFlags are the flags of every command that changes a stack.
type ReasonFlags struct {
	Reason string `help:"Reason, recorded with the change." placeholder:"TEXT"`
	Yes    bool   `help:"Skip the confirmation on a deployed stack."`
}

// Check returns an error if the reason is missing.
func (o ReasonFlags) Check() error {
	if strings.TrimSpace(o.Reason) == "" {
		return Usagef("it is recorded with the change: --reason 'ticket 4711: the provider confirmed it'", "--reason is missing")
	}
	return nil
}

// TimeHelp lists the forms that ParseTime reads.
const TimeHelp = "2026-11-21, 2026-11-21T09:00:00Z, or how long ago: 30m, 2h, 3d"

// ParseTime reads the value of a flag: a time in UTC, or how long ago. It returns
// the zero time for an empty value.
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
		return time.Time{}, Usagef("", "%s: %q is not a time; give %s", flag, text, TimeHelp)
	}
	return s.Now().UTC().Add(-span), nil
}

// ParseDuration is time.ParseDuration that also reads days: 3d.
func ParseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// CheckHeldFilter rejects an unknown provider and an unknown held reason: the empty
// list that they lead to would read as good news.
func CheckHeldFilter(provider, heldReason string) error {
	if provider != "" {
		if _, err := FindProvider(provider); err != nil {
			return err
		}
	}
	if heldReason != "" && !slices.Contains(callback.Reasons(), callback.Reason(heldReason)) {
		return Usagef("", "--held-reason: %q is not a held reason; the reasons are: %s", heldReason, HeldReasons())
	}
	return nil
}

// HeldReasons lists the reasons why callbacks are held, for help texts.
func HeldReasons() string {
	var names []string
	for _, reason := range callback.Reasons() {
		names = append(names, string(reason))
	}
	return strings.Join(names, ", ")
}
