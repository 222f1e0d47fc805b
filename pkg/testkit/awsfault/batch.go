package awsfault

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"
)

// PartialBatch installs a fault of its own kind: of every SendMessageBatch, SQS
// takes in the first entries only, and says of the others that they failed, in
// an answer that is otherwise a success.
func PartialBatch(takes int) func(*middleware.Stack) error {
	handle := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		asked, ok := in.Parameters.(*sqs.SendMessageBatchInput)
		if !ok || len(asked.Entries) <= takes {
			return next.HandleInitialize(ctx, in)
		}
		taken := *asked
		taken.Entries = asked.Entries[:takes]
		in.Parameters = &taken
		out, metadata, err := next.HandleInitialize(ctx, in)
		if err != nil {
			return out, metadata, err
		}
		answer, ok := out.Result.(*sqs.SendMessageBatchOutput)
		if !ok {
			return out, metadata, fmt.Errorf("awsfault: a batch was answered by %T", out.Result)
		}
		for _, entry := range asked.Entries[takes:] {
			answer.Failed = append(answer.Failed, types.BatchResultErrorEntry{
				Id: entry.Id, Code: aws.String("InternalError"), SenderFault: false,
			})
		}
		return out, metadata, nil
	}
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awsfault partial batch", handle), middleware.Before)
	}
}
