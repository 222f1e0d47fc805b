// Command hello is the least that a Lambda function in Go is: what the functions
// are measured against. It is never deployed.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(func(context.Context) (string, error) { return "hello", nil }) }
