// Command credit is an example of a service that reacts to payouts: it credits
// a customer exactly once for each order whose payout succeeded with the amount
// that was ordered, and stops where the provider contradicts itself. See
// docs/EVENTS.md.
//
// It runs behind a rule on the bus of payouts, or, with the handler "queue",
// behind a queue that such a rule fills. It is on its own, as a service of yours
// would be: nothing of payout-callbacks is imported.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func main() {
	sdk, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot start:", err)
		os.Exit(1)
	}
	s := service{books: &ledger{
		client: dynamodb.NewFromConfig(sdk), table: os.Getenv("LEDGER_TABLE"), orders: os.Getenv("ORDERS_TABLE"),
	}}
	if os.Getenv("_HANDLER") == "queue" {
		lambda.Start(s.messages)
		return
	}
	lambda.Start(s.event)
}
