package main

import (
	"context"
	"fmt"
	"os/user"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"payout-callbacks/pkg/inbox"
)

// hand is who is about to change something in a stack, as AWS knows them.
func (s *session) changedBy(ctx context.Context, stack stack, reason string) (inbox.ChangedBy, error) {
	if reason == "" {
		return inbox.ChangedBy{}, usage("it is kept with the change: --reason 'ticket 4711: Pivot confirmed it by mail'", "--reason is missing")
	}
	by := "the local stack's user"
	if !stack.local {
		identity, err := sts.NewFromConfig(stack.aws).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return inbox.ChangedBy{}, fmt.Errorf("who is this: %w", err)
		}
		by = aws.ToString(identity.Arn)
	}
	if person, err := user.Current(); err == nil && person.Username != "" {
		by += " (" + person.Username + ")"
	}
	return inbox.NewChangedBy(by, reason, s.now()), nil
}
