// Command hello is the smallest Lambda function in Go, which the functions are
// compared with. It is never deployed.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(func(context.Context) (string, error) { return "hello", nil }) }
