// Command credit is an example of a service that reacts to payouts: it credits
// a customer once for each order whose payout succeeded with the ordered amount,
// and requests a review if the provider's statements conflict. See docs/EVENTS.md.
//
// A rule on the bus of payouts invokes it, or, with the handler "queue", a queue
// that receives events from such a rule. Like a service of your own, it imports
// nothing of payout-callbacks.
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
