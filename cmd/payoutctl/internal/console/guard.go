package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go/middleware"
)

// reads are the AWS actions that a console of a deployed stack may use. None of them
// changes anything.
var reads = []string{
	"cloudformation:DescribeStacks",
	"cloudwatch:GetMetricData",
	"dynamodb:DescribeTable",
	"dynamodb:GetItem",
	"dynamodb:Query",
	"dynamodb:Scan",
	"sqs:GetQueueAttributes",
	"sts:GetCallerIdentity",
}

var errReadOnly = errors.New("the console of a deployed stack changes nothing; use the command line")

// refuseChanges adds a middleware to a client that refuses all actions but reads, before
// a request is built.
func refuseChanges(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("refuse changes", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		service := strings.ToLower(strings.ReplaceAll(middleware.GetServiceID(ctx), " ", ""))
		action := service + ":" + middleware.GetOperationName(ctx)
		for _, read := range reads {
			if action == read {
				return next.HandleInitialize(ctx, in)
			}
		}
		return middleware.InitializeOutput{}, middleware.Metadata{}, fmt.Errorf("refuse %s: %w", action, errReadOnly)
	}), middleware.Before)
}
