package awsfault

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"
)

// PartialBatch returns an option that limits each SendMessageBatch to its first
// entries: the response is a success and reports the others as failed.
func PartialBatch(limit int) func(*middleware.Stack) error {
	handle := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		input, ok := in.Parameters.(*sqs.SendMessageBatchInput)
		if !ok || len(input.Entries) <= limit {
			return next.HandleInitialize(ctx, in)
		}
		partial := *input
		partial.Entries = input.Entries[:limit]
		in.Parameters = &partial
		out, metadata, err := next.HandleInitialize(ctx, in)
		if err != nil {
			return out, metadata, err
		}
		output, ok := out.Result.(*sqs.SendMessageBatchOutput)
		if !ok {
			return out, metadata, fmt.Errorf("awsfault: a batch returned %T", out.Result)
		}
		for _, entry := range input.Entries[limit:] {
			output.Failed = append(output.Failed, types.BatchResultErrorEntry{
				Id: entry.Id, Code: aws.String("InternalError"), SenderFault: false,
			})
		}
		return out, metadata, nil
	}
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awsfault partial batch", handle), middleware.Before)
	}
}
