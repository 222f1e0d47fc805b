package console

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/smithy-go/middleware"

	"payout-callbacks/cmd/payoutctl/internal/cli"
)

// readActions are the AWS actions that a console of a deployed stack may use, by their names
// in the SDK. None of them changes anything. Doctor also invokes the reconciler, to check
// the providers' APIs: that is not a read, so these checks have no result here.
var readActions = []string{
	"cloudwatch:DescribeAlarms",           // doctor
	"cloudwatch:GetMetricData",            // the overview
	"cloudwatch:GetMetricStatistics",      // doctor: the last sweep
	"dynamodb:DescribeTable",              // the size of a table before a scan
	"dynamodb:GetItem",                    // all lists, explain
	"dynamodb:Query",                      // all lists
	"dynamodb:Scan",                       // audit, report, a list without an index
	"lambda:GetEventSourceMapping",        // doctor: consumer and publisher
	"lambda:ListTags",                     // doctor: why they are paused
	"scheduler:GetSchedule",               // doctor: sweeper and reconciler
	"secretsmanager:GetSecretValue",       // doctor and explain: the keys, which they never print
	"secretsmanager:ListSecretVersionIds", // doctor: the age of a rotation
	"sns:ListSubscriptionsByTopic",        // doctor
	"sqs:GetQueueAttributes",              // the depth of the queues
	"sts:GetCallerIdentity",               // doctor
}

// refuseChanges adds a middleware to a client that refuses all actions but reads, before
// a request is built.
func refuseChanges(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("refuse changes", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		service := strings.ToLower(strings.ReplaceAll(middleware.GetServiceID(ctx), " ", ""))
		action := service + ":" + middleware.GetOperationName(ctx)
		if slices.Contains(readActions, action) {
			return next.HandleInitialize(ctx, in)
		}
		err := cli.Failuref("run the command in a terminal", "the console of a deployed stack changes nothing, and does not use %s", action)
		return middleware.InitializeOutput{}, middleware.Metadata{}, err
	}), middleware.Before)
}
